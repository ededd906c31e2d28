"""The virtual chip: a passport that does not exist, its certificates, and everything that can be wrong with both."""
