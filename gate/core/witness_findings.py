"""What optional witnesses of a lane say, as findings: radiation portal, floor mat. Pure.

Doubt never clears: a portal that was not watched all the time, and a mat that does not answer, are not checked, which refers.
"""

from dataclasses import dataclass
from math import isfinite

from gate.core.evidence import Finding, Outcome, Stage

RADIATION = "cargo.radiation"
MAT = "occupancy.mat"


@dataclass(frozen=True, slots=True, kw_only=True)
class MatFacts:
    """``mass_kg`` None: a mat that only switches."""

    is_occupied: bool
    mass_kg: float | None = None


def judge_radiation(alarms: frozenset[str] | None, *, role: str) -> Finding:
    """``alarms``: kinds (gamma, neutron) seen since the crossing began; None when the portal was not watched all that time."""
    if alarms is None:
        outcome, seen = Outcome.NOT_CHECKED, None
    else:
        outcome, seen = (Outcome.REFER if alarms else Outcome.PASS), ", ".join(sorted(alarms)) or "none"
    return Finding(code=RADIATION, outcome=outcome, stage=Stage.EXIT, role=role, measured=seen, threshold="none")


def judge_mat(facts: MatFacts | None, *, person_count: int | None, one_person_max_kg: float, role: str) -> Finding:
    """The mat against the curtain's count of one: somebody must stand on it, and weigh no more than one person with luggage."""
    if facts is None or (facts.mass_kg is not None and not isfinite(facts.mass_kg)):
        outcome, seen = Outcome.NOT_CHECKED, None
    else:
        is_heavy = facts.mass_kg is not None and facts.mass_kg > one_person_max_kg
        agrees = facts.is_occupied and person_count == 1 and not is_heavy
        outcome = Outcome.PASS if agrees else Outcome.REFER
        count = "unknown" if person_count is None else str(person_count)
        weight = "" if facts.mass_kg is None else f", {facts.mass_kg:.1f} kg"
        seen = f"{'occupied' if facts.is_occupied else 'empty'}{weight}, curtain {count}"
    return Finding(
        code=MAT,
        outcome=outcome,
        stage=Stage.EXIT,
        role=role,
        measured=seen,
        threshold=f"occupied, curtain 1, at most {one_person_max_kg:g} kg",
    )
