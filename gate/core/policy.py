"""From evidence to findings, and from findings to a decision. Pure; every number that decides is recorded with its threshold.

A finding that is not known to be fine is in the way: a look-up without an answer, a face that was never measured and a
temperature that was not taken refer to an officer exactly as a bad one does.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from math import isfinite

from gate.core.document_findings import (
    CueFacts,
    DocumentLimits,
    VisualZoneFacts,
    judge_codes,
    judge_cues,
    judge_visual_zone,
)
from gate.core.document_lights import LightCheck, judge_lights
from gate.core.evidence import Finding, Outcome, Stage
from gate.core.presentation import PresentationPolicy

LONGEST_VALIDITY_YEARS = 30
"""Of any card or passport in circulation; the century of a two-digit year is uncertain beyond (Doc 9303 part 3, 4.8)."""


class TemperatureMode(StrEnum):
    """What is kept of temperatures (docs/protocols/thermal.md). In every mode one that could not be taken refers."""

    ALL = "all"
    """Every reading is recorded."""
    EACH = "each"
    """Every traveller is measured alone and standing still, and the reading recorded."""
    ALARM = "alarm"
    """Only readings above the limit are recorded; of the others, that they were below."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NotTaken:
    """A temperature that could not be taken; ``reason`` in a few words."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ClearancePolicy:
    """Thresholds. ``face_threshold`` is a cosine; ``temperature_max_celsius`` None means that no temperature is asked for."""

    face_threshold: float
    temperature_max_celsius: float | None = 37.3
    temperature_mode: TemperatureMode = TemperatureMode.ALL
    required_lookups: frozenset[str] = frozenset()
    entry_roles: frozenset[str] = frozenset({"border"})
    """Roles whose findings at the document keep door 1 shut; the findings of the others are seen to inside, jointly."""
    document: DocumentLimits = field(default_factory=DocumentLimits)
    presentation: PresentationPolicy | None = None
    """None: nobody asks whether a living person stands there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentFacts:
    """What was read off the page. ``failed_check_digits`` names the fields; dates are None when they could not be read.

    ``unknown_codes`` names the fields (issuer, nationality) whose code is none of ICAO Doc 9303's. ``visual_zone`` is None where
    nothing reads it.
    """

    format: str
    failed_check_digits: tuple[str, ...]
    expiry_date: date | None
    birth_date: date | None
    has_portrait: bool
    confidence_ratio: float
    model_hash: str
    unknown_codes: tuple[str, ...] = ()
    is_specimen: bool = False
    visual_zone: VisualZoneFacts | None = None
    cues: tuple[CueFacts, ...] = ()
    lights: tuple[LightCheck, ...] | None = None
    """None: this reader has no lamps but white."""


class Answer(StrEnum):
    """What a look-up said."""

    NOTHING = "nothing"
    HIT = "hit"
    NO_ANSWER = "no_answer"
    STALE = "stale"
    """Known of too long ago only."""
    TIMED_OUT = "timed_out"
    """Nobody answered within the deadline."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LookupFacts:
    name: str
    answer: Answer
    role: str
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class FaceFacts:
    """The best comparison of a stay. ``score`` None: no face was good enough. ``hints`` says why, in quality codes."""

    score: float | None
    model_hash: str
    hints: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Admit:
    """Door 1 may open."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Deny:
    """Door 1 stays shut; the traveller is sent to the desk."""

    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Clear:
    """Nothing is in the way."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Refer:
    """Officers of these roles must look, for these reasons (finding codes)."""

    reasons: tuple[str, ...]
    roles: tuple[str, ...]


def judge_document(facts: DocumentFacts, *, today: date, limits: DocumentLimits | None = None) -> tuple[Finding, ...]:
    """Check digits, codes, dates and portrait of the page (ICAO Doc 9303 parts 3 to 6), its printed text and what it is made of."""
    limits = limits or DocumentLimits()
    digits = Finding(
        code="document.check_digits",
        outcome=Outcome.REFER if facts.failed_check_digits else Outcome.PASS,
        stage=Stage.ENTRY,
        measured=facts.confidence_ratio,
        model_hash=facts.model_hash,
        detail=", ".join(facts.failed_check_digits),
    )
    return (
        digits,
        _judge_expiry(facts.expiry_date, today),
        _judge_birth(facts.birth_date, today),
        Finding(
            code="document.portrait",
            outcome=Outcome.PASS if facts.has_portrait else Outcome.REFER,
            stage=Stage.ENTRY,
            detail="" if facts.has_portrait else "no portrait was found on the page",
        ),
        judge_codes(facts.unknown_codes, is_specimen=facts.is_specimen, limits=limits),
        *judge_visual_zone(facts.visual_zone, limits),
        *judge_cues(facts.cues, limits),
        *judge_lights(facts.lights, refers=limits.refers_lights),
    )


def _judge_expiry(expiry: date | None, today: date) -> Finding:
    if expiry is None:
        return Finding(
            code="document.expiry", outcome=Outcome.REFER, stage=Stage.ENTRY, detail="the date is not a date"
        )
    is_too_far = expiry.year - today.year > LONGEST_VALIDITY_YEARS
    return Finding(
        code="document.expiry",
        outcome=Outcome.REFER if expiry < today or is_too_far else Outcome.PASS,
        stage=Stage.ENTRY,
        measured=expiry.isoformat(),
        threshold=today.isoformat(),
        detail="no document is valid for so long" if is_too_far else "",
    )


def _judge_birth(birth: date | None, today: date) -> Finding:
    """A birth date may be partly unknown ('<' filled, Doc 9303-3 4.8), which is no fault of the traveller's."""
    if birth is None:
        return Finding(code="document.birth", outcome=Outcome.INFO, stage=Stage.ENTRY, detail="not a full date")
    return Finding(
        code="document.birth",
        outcome=Outcome.REFER if birth > today else Outcome.PASS,
        stage=Stage.ENTRY,
    )  # not the date: findings travel by MQTT, and it is the traveller's own


def unreadable_document(reason: str, *, model_hash: str | None) -> Finding:
    """A page that could not be read is a finding like any other."""
    return Finding(
        code="document.unreadable", outcome=Outcome.REFER, stage=Stage.ENTRY, detail=reason, model_hash=model_hash
    )


def judge_lookups(answers: Iterable[LookupFacts], policy: ClearancePolicy) -> tuple[Finding, ...]:
    """One finding per answer, and one per required look-up that is missing altogether."""
    found = {facts.name: facts for facts in answers}
    missing = policy.required_lookups - found.keys()
    silent = tuple(LookupFacts(name=name, answer=Answer.NO_ANSWER, role="border") for name in sorted(missing))
    outcomes = {Answer.NOTHING: Outcome.PASS, Answer.HIT: Outcome.REFER}
    return tuple(
        Finding(
            code=f"lookup.{facts.name}",
            outcome=outcomes.get(facts.answer, Outcome.NOT_CHECKED),
            stage=Stage.ENTRY,
            role=facts.role,
            measured=facts.answer.value,
            detail=facts.detail,
        )
        for facts in (*found.values(), *silent)
    )


def judge_face(facts: FaceFacts, policy: ClearancePolicy) -> Finding:
    """The live face against the reference picture. A score that is not a finite number was not measured."""
    score = _finite(facts.score)
    if score is None:
        outcome = Outcome.NOT_CHECKED
    else:
        outcome = Outcome.PASS if score >= policy.face_threshold else Outcome.REFER
    return Finding(
        code="face.match",
        outcome=outcome,
        stage=Stage.EXIT,
        measured=None if score is None else round(score, 6),
        threshold=policy.face_threshold,
        model_hash=facts.model_hash,
        detail=", ".join(facts.hints),
    )


def judge_people(person_count: int | None, camera_count: int | None) -> Finding:
    """Curtain and camera must agree on exactly one person."""
    return Finding(
        code="occupancy.one_person",
        outcome=Outcome.PASS if person_count == 1 and camera_count == 1 else Outcome.REFER,
        stage=Stage.EXIT,
        measured=f"curtain {_count(person_count)}, camera {_count(camera_count)}",
        threshold="1 and 1",
    )


def _finite(number: float | None) -> float | None:
    """None for what is no number, so that a broken sensor is never on the good side of a comparison."""
    return number if number is not None and isfinite(number) else None


def _count(number: int | None) -> str:
    return "unknown" if number is None else str(number)


def judge_temperature(celsius: float | NotTaken | None, policy: ClearancePolicy) -> tuple[Finding, ...]:
    """Forehead temperature in degrees Celsius; no finding when the policy asks for none."""
    limit = policy.temperature_max_celsius
    if limit is None:
        return ()
    why = celsius.reason if isinstance(celsius, NotTaken) else ""
    taken = None if isinstance(celsius, NotTaken) else _finite(celsius)
    if taken is None:
        outcome = Outcome.NOT_CHECKED
    else:
        outcome = Outcome.PASS if taken <= limit else Outcome.REFER
    is_kept = outcome is not Outcome.PASS or policy.temperature_mode is not TemperatureMode.ALARM
    return (
        Finding(
            code="health.temperature",
            outcome=outcome,
            stage=Stage.EXIT,
            role="quarantine",
            measured=round(taken, 2) if taken is not None and is_kept else None,
            threshold=limit,
            detail=why if is_kept else "below the limit; the figure is not kept",
        ),
    )


def decide_entry(findings: Iterable[Finding], policy: ClearancePolicy) -> Admit | Deny:
    """Door 1: what is in the way of a role that decides at the entry keeps it shut. No finding at all admits nobody."""
    weighed = tuple(findings)
    if not any(item.stage is Stage.ENTRY for item in weighed):
        return Deny(reasons=("evidence.missing",))
    reasons = tuple(item.code for item in weighed if item.is_in_the_way and item.role in policy.entry_roles)
    return Deny(reasons=reasons) if reasons else Admit()


def decide_exit(findings: Iterable[Finding]) -> Clear | Refer:
    """The exit: any finding in the way, of any role, refers. No finding at all is no clearance either."""
    weighed = tuple(findings)
    if not any(item.stage is Stage.EXIT for item in weighed):
        return Refer(reasons=("evidence.missing",), roles=("border",))
    in_the_way = tuple(item for item in weighed if item.is_in_the_way)
    if not in_the_way:
        return Clear()
    return Refer(
        reasons=tuple(dict.fromkeys(item.code for item in in_the_way)),
        roles=tuple(sorted({item.role for item in in_the_way})),
    )
