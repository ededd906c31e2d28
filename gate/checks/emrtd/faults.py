"""What a chip, or whoever wrote a file for the trust store, can do wrong."""

import struct
from collections.abc import Iterator
from contextlib import contextmanager

from gate.errors import GateError


class ChipFault(GateError):
    """A file is not what it should be; ``str()`` is one sentence that names the file and what is wrong with it."""


_PARSERS_ERRORS = (
    ValueError, TypeError, KeyError, IndexError, AttributeError, OverflowError, RecursionError, struct.error,
)  # fmt: skip


@contextmanager
def reading(what: str) -> Iterator[None]:
    """Turn whatever a parser makes of bad octets into a :class:`ChipFault` that names ``what`` was read.

    asn1crypto parses lazily and reports bad octets with any of these; so values are taken out of its objects inside, never outside.
    """
    try:
        yield
    except ChipFault:
        raise
    except _PARSERS_ERRORS as error:
        detail = " ".join(str(error).split())[:160]
        raise ChipFault(
            f"{what} cannot be read ({type(error).__name__}: {detail}); have the document read again"
        ) from None
