"""Is somebody, or a document, on a list? Documents exactly, names by likeness, faces by exhaustive search. Pure."""
