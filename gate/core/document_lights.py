"""What a page is made of, seen under the reader's infrared and ultraviolet lamps, as findings. Pure.

The machine-readable zone of a travel document is printed in ink that is dark in the near infrared (ICAO Doc 9303 part 3: readers rely on
the band B900 of ISO 1831); security paper does not fluoresce (Doc 9303 part 2 asks for UV-dull paper), paper for offices does. A page that
fails either is a matter for an officer; one that passes both is no proof: carbon black on dull paper can be bought.
"""

from dataclasses import dataclass
from math import isfinite

from gate.core.evidence import Finding, Outcome, Stage

INFRARED_INK, INFRARED_REST, ULTRAVIOLET_PAPER = "infrared_ink", "infrared_rest", "ultraviolet_paper"


@dataclass(frozen=True, slots=True, kw_only=True)
class LightCheck:
    """One check. ``measured`` None: it could not be done, and ``reason`` says why.

    ``is_least``: the limit is the least that passes, else the most. ``is_noted``: never refers, whatever the site says.
    """

    name: str
    limit: float
    is_least: bool
    measured: float | None = None
    reason: str = ""
    is_noted: bool = False

    @property
    def outcome(self) -> Outcome:
        """What is no number passes nothing."""
        if self.measured is None or not isfinite(self.measured):
            return Outcome.NOT_CHECKED
        is_fine = self.measured >= self.limit if self.is_least else self.measured <= self.limit
        return Outcome.PASS if is_fine else Outcome.REFER


def judge_lights(checks: tuple[LightCheck, ...] | None, *, refers: bool) -> tuple[Finding, ...]:
    """One finding per check, with what was measured and its limit. None: this reader has no lamps, which is said and stops nobody.

    ``refers`` False: everything is noted only.
    """
    if checks is None:
        return (
            Finding(
                code="document.lights",
                outcome=Outcome.INFO,
                stage=Stage.ENTRY,
                measured="not checked",
                detail="this reader has white light only",
            ),
        )
    return tuple(
        Finding(
            code=f"document.light.{check.name}",
            outcome=_weighed(check, refers=refers),
            stage=Stage.ENTRY,
            measured=round(check.measured, 4) if check.measured is not None and isfinite(check.measured) else None,
            threshold=check.limit,
            detail=check.reason,
        )
        for check in checks
    )


def _weighed(check: LightCheck, *, refers: bool) -> Outcome:
    if check.outcome is Outcome.PASS or (refers and not check.is_noted):
        return check.outcome
    return Outcome.INFO
