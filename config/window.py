"""The single window: what is taken in before the traveller comes, and what lanes fetch of it."""

import re
from datetime import date
from pathlib import Path
from typing import Literal, Self

from pydantic import Field, model_validator

from config.section import Section

LookupName = Literal[
    "watchlist",
    "customs_declaration",
    "health_declaration",
    "advance_passenger",
    "entry_permission",
    "opening_hours",
    "traveller_trust",
    "risk",
]
"""What a lane may ask about a document before it lets anybody in (docs/single-window.md)."""
_HOURS = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]-(?:([01][0-9]|2[0-3]):[0-5][0-9]|24:00)")


class Window(Section):
    """``home_state`` and ``region`` are where the port lies, in the codes of the transit rules."""

    home_state: str = Field(default="CHN", pattern=r"^[A-Z]{1,3}$")
    region: str = Field(default="", max_length=32)
    utc_offset_min: int = Field(default=0, ge=-840, le=840)  # of the times that carriers send, which are local
    required: tuple[Literal["customs", "health"], ...] = ()  # declarations without which nobody is cleared by rule
    transit_rules_file: Path | None = None  # default: the shipped ones
    drop_dir: Path | None = None  # a folder into which carriers' and agents' systems put files
    keep_days: int = Field(default=30, ge=1, le=3650)  # records, after they have ceased to hold
    opening_hours: str = "00:00-24:00"  # local; outside of them, and on holidays, an appointment is needed
    holidays: tuple[date, ...] = ()
    slot_travellers: int = Field(default=60, ge=1, le=100_000)  # who may be expected in one hour by appointment
    prefetch_hours: int = Field(default=12, ge=0, le=72)  # passengers due within these are fetched by lanes; 0: none
    prefetch_every_s: int = Field(default=300, ge=5, le=3600)
    prefetch_max_age_s: int = Field(default=3600, ge=60, le=86_400)  # what was fetched is worth nothing when older

    @model_validator(mode="after")
    def _hours_are_hours(self) -> Self:
        if _HOURS.fullmatch(self.opening_hours) is None:
            raise ValueError("opening_hours are written as '06:00-23:30'")
        begins, _, ends = self.opening_hours.partition("-")
        if begins >= ends:
            raise ValueError(
                "opening_hours begin before they end; a port that is open over midnight is open for 24 hours"
            )
        if self.prefetch_max_age_s <= self.prefetch_every_s:
            raise ValueError(
                "prefetch_max_age_s must be longer than prefetch_every_s, or nothing fetched would ever count"
            )
        return self
