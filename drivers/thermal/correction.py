"""From what a sensor says to what is written down: corrected by a black body, compensated for the ambient. Pure.

A microbolometer or thermopile drifts by more than a fever is high. A black body in its view, kept at a known temperature near that of skin,
shows the drift at the moment of each reading, and it is taken off (screening thermographs are asked for such a reference: IEC 80601-2-59).
A black body that is not seen, or seen further off than drift can be, means that *nothing* is known: no reading then, never a guess.

Skin cools with the air around it while the body does not. The compensation is a straight line and a site's own to set, from its own
measurements; it is off by default, because a figure that is right for one hall makes fevers disappear in another.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite

LEAST_SKIN_CELSIUS, MOST_SKIN_CELSIUS = 28.0, 45.0
"""Colder or hotter than this is no forehead: nobody is there, or a lamp, or a cup of tea."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Correction:
    """`black_body_celsius` None: there is none. `most_correction_celsius`: further off than this, it is not our black body that is seen."""

    black_body_celsius: float | None = None
    most_correction_celsius: float = 2.0
    ambient_least_celsius: float = 10.0
    ambient_most_celsius: float = 35.0
    ambient_reference_celsius: float = 23.0
    ambient_gain: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Corrected:
    body_celsius: float
    added_celsius: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Untrusted:
    """The surroundings forbid a reading; `reason` in a few words."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Nobody:
    """What is seen is no skin."""


def correct(
    body_celsius: float | None, *, ambient_celsius: float, black_body_celsius: float | None, by: Correction
) -> Corrected | Untrusted | Nobody:
    """`body_celsius` and `black_body_celsius` as the sensor sees them; None: not seen."""
    drift = _drift(black_body_celsius, by)
    if isinstance(drift, Untrusted):
        return drift
    if not by.ambient_least_celsius <= ambient_celsius <= by.ambient_most_celsius:
        return Untrusted(
            reason=f"ambient at {ambient_celsius:.1f} °C is outside {by.ambient_least_celsius:.0f} to {by.ambient_most_celsius:.0f} °C"
        )
    added = drift + by.ambient_gain * (by.ambient_reference_celsius - ambient_celsius)
    if body_celsius is None or not LEAST_SKIN_CELSIUS <= body_celsius + added <= MOST_SKIN_CELSIUS:
        return Nobody()
    return Corrected(body_celsius=body_celsius + added, added_celsius=added)


def _drift(seen_celsius: float | None, by: Correction) -> float | Untrusted:
    if by.black_body_celsius is None:
        return 0.0
    if seen_celsius is None or not isfinite(seen_celsius):
        return Untrusted(reason="the black body is not seen")
    drift = by.black_body_celsius - seen_celsius
    if abs(drift) > by.most_correction_celsius:
        return Untrusted(
            reason=f"the black body is seen at {seen_celsius:.1f} instead of {by.black_body_celsius:.1f} °C"
        )
    return drift
