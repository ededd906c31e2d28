"""Documents: presence on the reader, page, MRZ, portrait."""

from models.document.presence import DocumentPresence, Presence
from models.document.reader import DocumentRead, DocumentReader, DocumentUnreadable, UnreadableReason
from models.document.recogniser import MrzReader

__all__ = [
    "DocumentPresence",
    "DocumentRead",
    "DocumentReader",
    "DocumentUnreadable",
    "MrzReader",
    "Presence",
    "UnreadableReason",
]
