"""Pictures and private parts of cases: encrypted on disk, kept no longer than the site says, erased with proof."""
