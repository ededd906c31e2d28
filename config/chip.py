"""Settings of chip readers, and of what a site does about chips."""

from pathlib import Path
from typing import Literal

from pydantic import Field

from config.section import Section


class ChipReader(Section):
    """The antenna under the document reader's glass: a PC/SC reader (``pcsc``), or a virtual chip over TCP (``vpcd``).

    ``reader``: part of the PC/SC reader's name, the first one there is without. ``connect_ms``: how long a document without a chip
    is waited for; ``total_ms``: how long a traveller waits for a reading at most.
    """

    kind: Literal["pcsc", "vpcd"] = "pcsc"
    reader: str | None = None
    host: str = "127.0.0.1"
    port: int = Field(default=35_963, ge=1, le=65_535)
    connect_ms: int = Field(default=600, ge=50, le=10_000)
    command_ms: int = Field(default=4_000, ge=100, le=30_000)
    total_ms: int = Field(default=5_000, ge=500, le=60_000)
    allows_extended: bool = True  # off for readers that cut long answers


class ChipPolicy(Section):
    """What a site asks of chips. A check that failed is always referred; these say what is done about what could not be checked.

    ``trust_store``: the file that ``gate csca import`` keeps; without it no issuer is known.
    """

    trust_store: Path | None = None
    needs_chip: bool = False
    accepts_silent: bool = False
    accepts_unread: bool = False
    accepts_unknown_issuer: bool = False
    needs_no_copy: bool = False
    needs_revocation: bool = False
    refuses_weak: bool = False
