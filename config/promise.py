"""What a port promises its travellers, and holds its lanes and watches against."""

from pydantic import Field

from config.section import Section


class Promise(Section):
    """``waiting_limit_s`` is for 95 of 100 travellers, from laying the document down until they are through.

    ``lane_crossings_per_h`` is what one lane is planned with; a row's capacity is that times its lanes in service. ``watch_min`` is after
    how long an officer who watches the lanes is to be relieved.
    """

    waiting_limit_s: int = Field(default=60, ge=5, le=3_600)
    lane_crossings_per_h: int = Field(default=180, ge=1, le=1_000)
    crossings_per_h: int | None = Field(default=None, ge=1, le=1_000_000)  # of the whole port; default: none promised
    referral_ratio: float = Field(default=0.1, ge=0, le=1)
    lanes_out: int = Field(default=1, ge=0, le=1_000)
    watch_min: int = Field(default=60, ge=5, le=12 * 60)
