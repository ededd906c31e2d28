"""What a kiosk shows and says, worked out from what the lane said last: no page, no browser, no clock of its own.

A kiosk stands in public. Nothing here may take a name, a picture, a finding or the reason of a referral.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from types import MappingProxyType
from typing import Literal

from babel.dates import format_timedelta

from config.retention import Retention
from gate.console.live import Freshness
from gate.console.texts import Texts
from gate.wire.messages import KioskLight, KioskStep, LaneState

LAMPS = frozenset({"off", "blue", "green", "amber", "red"})
WAY: Mapping[KioskStep, float] = MappingProxyType(
    {
        KioskStep.PLACE_DOCUMENT: 0.0,
        KioskStep.READING_DOCUMENT: 0.2,
        KioskStep.WALK_IN: 0.4,
        KioskStep.LOOK_AT_CAMERA: 0.6,
        KioskStep.WAIT_FOR_OFFICER: 0.8,
        KioskStep.WALK_OUT: 1.0,
    }
)
"""How far along the way each step is; steps that are not on the way have no ring."""

REST_LANGUAGE = "zh"
"""Spoken while no document says which; the second line is English then."""

CHIP_HINT = "leave_document"
IDLE_LIMIT_MS = 60_000
"""So long after the last touch, with nobody's document read, the kiosk is as it was for the next traveller."""

_BEFORE_THE_PICTURE = frozenset({KioskStep.PLACE_DOCUMENT, KioskStep.READING_DOCUMENT, KioskStep.WALK_IN})
_CLDR = MappingProxyType({"zh": "zh_Hans"})
_HOURS_A_DAY = 24


@dataclass(frozen=True, slots=True, kw_only=True)
class KioskView:
    """One moment of a kiosk. ``phrase`` names the sentence, ``way`` and ``chip`` are 0..1, ``hint`` one of :meth:`Texts.hint_name`."""

    phrase: str
    step: KioskStep
    lamp: str
    freshness: Freshness
    way: float | None = None
    chip: float | None = None
    hint: str | None = None
    issuer: str | None = None
    case_id: str | None = None
    entry: str = "unknown"
    exit: str = "unknown"
    light: KioskLight | None = None

    @property
    def has_privacy_line(self) -> bool:
        """Whether no picture of the traveller was taken yet."""
        return self.step in _BEFORE_THE_PICTURE

    @property
    def shows_mirror(self) -> bool:
        """Whether the traveller's own face is what they should look at."""
        return self.step is KioskStep.LOOK_AT_CAMERA


def view_of(state: LaneState | None, freshness: Freshness, texts: Texts) -> KioskView:
    """What to show of a lane that said ``state`` last."""
    match freshness:
        case Freshness.OFFLINE | Freshness.UNKNOWN:
            return KioskView(phrase="offline", step=KioskStep.OUT_OF_SERVICE, lamp="off", freshness=freshness)
        case Freshness.LIVE | Freshness.STALE if state is not None:
            return _view(state, freshness, texts)
        case _:
            return KioskView(phrase="link_lost", step=KioskStep.PLEASE_WAIT, lamp="amber", freshness=freshness)


def _view(state: LaneState, freshness: Freshness, texts: Texts) -> KioskView:
    is_reading_chip = state.chip_progress is not None and state.step is KioskStep.READING_DOCUMENT
    hint = texts.hint_name(state.hint)
    return KioskView(
        phrase=state.step.value,
        step=state.step,
        lamp=state.lamp if state.lamp in LAMPS else "off",
        freshness=freshness,
        way=WAY.get(state.step),
        chip=state.chip_progress if is_reading_chip else None,
        hint=CHIP_HINT if hint is None and is_reading_chip else hint,
        issuer=state.issuer,
        case_id=state.case_id,
        entry=state.entry,
        exit=state.exit,
        light=state.light,
    )


def spoken(view: KioskView, texts: Texts, language: str) -> str:
    """What a voice says of this moment: the hint where there is one, since the traveller has heard the sentence by then."""
    return texts.hint(view.hint, language) if view.hint is not None else texts.kiosk(view.phrase, language)


def privacy_line(texts: Texts, language: str, retention: Retention, *, is_temperature_checked: bool) -> str:
    """What is taken of a traveller, what for, and when it is erased, as the site's settings have it."""
    document_h = max(retention.document_h, retention.private_h)
    sentences = [texts.kiosk("privacy", language)]
    if is_temperature_checked:
        sentences.append(texts.kiosk("privacy_temperature", language))
    if retention.biometric_min == 0:
        sentences.append(texts.kiosk("privacy_face_now", language))
    else:
        face = span(retention.biometric_min, language)
        sentences.append(texts.kiosk("privacy_face_later", language).format(face=face))
    sentences.append(
        texts.kiosk("privacy_document", language).format(
            document=span(document_h * 60, language),
            held=span(max(retention.held_h, document_h) * 60, language),
        )
    )
    return ("" if language in {"zh", "ja"} else " ").join(sentences)


def span(minutes: int, language: str) -> str:
    """A span of time in words of that language (CLDR), rounded up: in minutes below an hour, in days from two days on."""
    hours = -(-minutes // 60)
    granularity: Literal["minute", "hour", "day"]
    if 0 < minutes < 60:
        granularity, rounded = "minute", timedelta(minutes=minutes)
    elif hours < 2 * _HOURS_A_DAY:
        granularity, rounded = "hour", timedelta(hours=hours)
    else:
        granularity, rounded = "day", timedelta(days=-(-hours // _HOURS_A_DAY))
    # The threshold keeps the unit: 24 hours stay hours.
    return format_timedelta(rounded, granularity=granularity, threshold=1e9, locale=_CLDR.get(language, language))


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """How the traveller at the kiosk wants it. ``language`` None: as their document says."""

    language: str | None = None
    is_spoken: bool = False
    has_contrast: bool = False
    is_low: bool = False


class Guest:
    """The traveller in front of the kiosk, as far as it must know: what they chose, until the next one comes."""

    def __init__(self) -> None:
        self.wishes = Wishes()
        self._case_id: str | None = None
        self._touched_ms = 0

    def wish(self, now_ms: int, **wishes: str | bool) -> None:
        """They touched a button. ``now_ms`` is monotonic, here and below."""
        self._touched_ms = now_ms
        self.wishes = replace(self.wishes, **wishes)  # type: ignore[arg-type]

    def touch(self, now_ms: int) -> None:
        self._touched_ms = now_ms

    def is_gone(self, case_id: str | None, now_ms: int) -> bool:
        """Whether the one who chose has left, by ending their crossing or by touching nothing; the wishes are forgotten with that."""
        is_over = self._case_id is not None and case_id != self._case_id
        is_idle = case_id is None and self._touched_ms > 0 and now_ms - self._touched_ms >= IDLE_LIMIT_MS
        self._case_id = case_id
        if is_over or is_idle:
            self._touched_ms = 0
            self.wishes = Wishes()
            return True
        return False


def language_for(view: KioskView, texts: Texts, wishes: Wishes, *, unspoken: frozenset[str]) -> str:
    """The language to speak now. ``unspoken`` are those for which the browser has no letters."""
    if wishes.language is not None:
        return wishes.language
    language = texts.language_of(view.issuer) if view.issuer is not None else REST_LANGUAGE
    return language if language not in unspoken else "en"


def second_language(language: str, *, unspoken: frozenset[str]) -> str:
    """The language of the small line beneath."""
    if language != "en":
        return "en"
    return "zh" if "zh" not in unspoken else "fr"
