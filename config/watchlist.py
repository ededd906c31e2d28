"""The watchlist: how old a lane's copy may be, and how alike a face must be."""

from typing import Self

from pydantic import Field, model_validator

from config.section import Section


class WatchlistSettings(Section):
    """``max_age_s``: without word from the hub for longer, a lane refers everybody. ``poll_s``: how often lanes ask for news."""

    max_age_s: int = Field(default=4 * 3600, ge=10, le=7 * 86_400)
    poll_s: float = Field(default=10.0, ge=0.5, le=600)
    face_threshold: float | None = Field(default=None, gt=0, lt=1)  # cosine; None: faces are not searched

    @model_validator(mode="after")
    def _asks_often_enough(self) -> Self:
        if self.poll_s * 3 > self.max_age_s:
            raise ValueError(
                "watchlist.max_age_s must be at least three times poll_s, or one lost answer would stop the lanes"
            )
        return self
