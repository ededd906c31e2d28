"""How long the hub's evidence store keeps what."""

from pydantic import Field

from config.section import Section


class Retention(Section):
    """Counted from the end of the crossing; what is due is erased within seconds. ``held_h`` is for cases that an officer held,

    had inspected or refused, and then for all their evidence; ``unclaimed_h`` for evidence whose case never came or never ended.
    """

    biometric_min: int = Field(default=0, ge=0, le=7 * 24 * 60)  # live pictures and portraits
    document_h: int = Field(default=24, ge=0, le=366 * 24)  # pictures of pages
    private_h: int = Field(default=24, ge=0, le=366 * 24)  # names, document numbers, what the chip said
    other_h: int = Field(default=7 * 24, ge=0, le=366 * 24)  # X-ray pictures and the rest
    held_h: int = Field(default=30 * 24, ge=0, le=10 * 366 * 24)
    unclaimed_h: int = Field(default=24, ge=1, le=366 * 24)
