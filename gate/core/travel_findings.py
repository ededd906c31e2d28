"""What the codes say that a traveller shows beside the document: boarding pass and health declaration. Pure.

A boarding pass proves nothing; it is compared. A health declaration counts only under an authority's signature: a key that is not known
here leaves it unchecked, and unchecked refers.
"""

from dataclasses import dataclass
from enum import StrEnum

from gate.core.evidence import Finding, Outcome, Stage

BOARDING_PASS = "travel.boarding_pass"
HEALTH_CODE = "health.declaration_code"
NAME_LIMIT_RATIO = 0.8
"""Below, the names are another's. A pass has 20 characters for a name, and airlines add titles and leave names out."""
FLIGHT_WITHIN_DAYS = 1
"""A flight of yesterday, today or tomorrow: the date is local somewhere else."""


class CodeRule(StrEnum):
    OFF = "off"
    COMPARE = "compare"
    REQUIRE = "require"


@dataclass(frozen=True, slots=True, kw_only=True)
class TravelPolicy:
    boarding_pass: CodeRule = CodeRule.OFF
    health_code: CodeRule = CodeRule.OFF

    @property
    def is_on(self) -> bool:
        return self.boarding_pass is not CodeRule.OFF or self.health_code is not CodeRule.OFF


@dataclass(frozen=True, slots=True, kw_only=True)
class PassFacts:
    """A boarding pass against the document. ``refusal``: why what was shown is none; the rest is void then.

    ``name_ratio``: 0..1, how alike the names are. ``days_off``: the nearest flight's distance from today, None without any date.
    """

    refusal: str | None = None
    name_ratio: float = 0.0
    days_off: int | None = None


class HealthVerdict(StrEnum):
    CLEAR = "clear"
    DECLARED = "declared"
    """Signed and good, and it declares something that a health officer asks about."""
    UNKNOWN_KEY = "unknown_key"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthFacts:
    verdict: HealthVerdict
    reason: str = ""


def judge_boarding_pass(facts: PassFacts | None, rule: CodeRule) -> tuple[Finding, ...]:
    """``facts`` None: none was shown."""
    if rule is CodeRule.OFF:
        return ()
    measured: str | None = None
    if facts is None:
        outcome, detail = _not_shown(rule)
    elif facts.refusal is not None:
        outcome, detail = Outcome.REFER, facts.refusal
    else:
        day = "no date" if facts.days_off is None else f"{facts.days_off:+d} days"
        measured, wrong = f"name {facts.name_ratio:.2f}, flight {day}", []
        if not facts.name_ratio >= NAME_LIMIT_RATIO:
            wrong.append("another name than the document's")
        if facts.days_off is None or abs(facts.days_off) > FLIGHT_WITHIN_DAYS:
            wrong.append("not a flight of these days")
        outcome, detail = (Outcome.REFER if wrong else Outcome.PASS), ", ".join(wrong)
    return (
        Finding(
            code=BOARDING_PASS,
            outcome=outcome,
            stage=Stage.EXIT,
            role="border",
            measured=measured,
            threshold=f"name {NAME_LIMIT_RATIO}, flight within {FLIGHT_WITHIN_DAYS} day",
            detail=detail,
        ),
    )


def judge_health_code(facts: HealthFacts | None, rule: CodeRule) -> tuple[Finding, ...]:
    """``facts`` None: none was shown."""
    if rule is CodeRule.OFF:
        return ()
    outcomes = {
        HealthVerdict.CLEAR: Outcome.PASS,
        HealthVerdict.DECLARED: Outcome.REFER,
        HealthVerdict.UNKNOWN_KEY: Outcome.NOT_CHECKED,
        HealthVerdict.REFUSED: Outcome.REFER,
    }
    outcome, detail = _not_shown(rule) if facts is None else (outcomes[facts.verdict], facts.reason)
    return (
        Finding(
            code=HEALTH_CODE,
            outcome=outcome,
            stage=Stage.EXIT,
            role="quarantine",
            measured=None if facts is None else facts.verdict.value,
            threshold=HealthVerdict.CLEAR.value,
            detail=detail,
        ),
    )


def _not_shown(rule: CodeRule) -> tuple[Outcome, str]:
    return (Outcome.NOT_CHECKED if rule is CodeRule.REQUIRE else Outcome.INFO), "none was shown"
