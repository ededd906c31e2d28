"""How a lane finds what it fetched about a document beforehand: by a digest, so that nobody's number lies in its memory or in a log."""

import hashlib


def document_digest(issuer: str, document_number: str, birth_date: str) -> str:
    """The sha256 (hex) of a document's issuer, number (fillers, blanks, hyphens and case do not count) and holder's birth date."""
    drop = str.maketrans("", "", " <-")
    parts = (issuer.upper().translate(drop), document_number.upper().translate(drop), birth_date)
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()
