"""Bar codes in pictures: boarding passes, declarations, bag tags. What a code means is for others to say."""

from drivers.codes.interface import Code, CodeReader, Symbology

__all__ = ["Code", "CodeReader", "Symbology"]
