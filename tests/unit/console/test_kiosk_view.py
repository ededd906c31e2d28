"""What a kiosk shows, says and forgets, without a browser."""

from datetime import UTC, datetime

import pytest

from config.retention import Retention
from gate.console.kiosk_view import (
    IDLE_LIMIT_MS,
    Guest,
    KioskView,
    Wishes,
    language_for,
    privacy_line,
    second_language,
    span,
    spoken,
    view_of,
)
from gate.console.live import Freshness
from gate.console.texts import load_texts
from gate.wire.messages import KioskStep, LaneState

TEXTS = load_texts()
NOBODY: frozenset[str] = frozenset()


def said(step: KioskStep, **more: object) -> LaneState:
    return LaneState.model_validate(
        {"state": "x", "step": step, "lamp": "blue", "since": datetime(2026, 1, 1, tzinfo=UTC), **more}
    )


def view(step: KioskStep, **more: object) -> KioskView:
    return view_of(said(step, **more), Freshness.LIVE, TEXTS)


@pytest.mark.parametrize(
    ("freshness", "phrase", "lamp"),
    [
        (Freshness.LIVE, "walk_in", "blue"),
        (Freshness.STALE, "walk_in", "blue"),
        (Freshness.OFFLINE, "offline", "off"),
        (Freshness.UNKNOWN, "offline", "off"),
        (Freshness.LINK_LOST, "link_lost", "amber"),
    ],
)
def test_an_old_word_is_shown_only_while_it_may_still_hold(freshness: Freshness, phrase: str, lamp: str) -> None:
    shown = view_of(said(KioskStep.WALK_IN, exit="open"), freshness, TEXTS)
    assert (shown.phrase, shown.lamp) == (phrase, lamp)
    assert (shown.exit == "open") == (phrase == "walk_in")


def test_nothing_was_ever_said() -> None:
    assert view_of(None, Freshness.UNKNOWN, TEXTS).phrase == "offline"
    assert view_of(None, Freshness.LIVE, TEXTS).phrase == "link_lost"


def test_a_chip_that_is_read_is_a_ring_and_asks_to_leave_the_document() -> None:
    shown = view(KioskStep.READING_DOCUMENT, chip_progress=0.25)
    assert (shown.chip, shown.hint) == (0.25, "leave_document")
    asked = view(KioskStep.READING_DOCUMENT, chip_progress=0.25, hint="place_flat")
    assert (asked.chip, asked.hint) == (0.25, "place_flat")
    assert view(KioskStep.READING_DOCUMENT).chip is None
    assert view(KioskStep.WALK_IN, chip_progress=0.9).chip is None


def test_a_lamp_or_hint_that_is_not_known_is_not_shown() -> None:
    shown = view(KioskStep.LOOK_AT_CAMERA, lamp="purple", hint="watchlist_hit")
    assert (shown.lamp, shown.hint) == ("off", None)


@pytest.mark.parametrize("step", list(KioskStep))
def test_the_reason_of_a_referral_is_in_nothing_that_is_said(step: KioskStep) -> None:
    shown = view(step, problem="watchlist hit", hint="watchlist_hit", state="alarm")
    everything = [spoken(shown, TEXTS, "en"), TEXTS.kiosk(shown.phrase, "en"), str(shown)]
    assert not [text for text in everything if "watchlist" in text or "alarm" in text]


@pytest.mark.parametrize("language", TEXTS.languages)
def test_the_voice_says_the_hint_where_there_is_one(language: str) -> None:
    assert spoken(view(KioskStep.LOOK_AT_CAMERA), TEXTS, language) == TEXTS.kiosk("look_at_camera", language)
    asked = view(KioskStep.LOOK_AT_CAMERA, hint="remove_mask")
    assert spoken(asked, TEXTS, language) == TEXTS.hint("remove_mask", language)


@pytest.mark.parametrize("language", TEXTS.languages)
def test_the_privacy_line_has_the_spans_of_the_settings_in_words(language: str) -> None:
    retention = Retention(biometric_min=0, document_h=12, private_h=30, held_h=240)
    line = privacy_line(TEXTS, language, retention, is_temperature_checked=False)
    assert span(30 * 60, language) in line
    assert span(240 * 60, language) in line
    assert TEXTS.kiosk("privacy_face_now", language) in line
    assert TEXTS.kiosk("privacy_temperature", language) not in line
    assert "{" not in line
    later = privacy_line(
        TEXTS, language, Retention(biometric_min=90, document_h=12, private_h=2), is_temperature_checked=True
    )
    assert span(90, language) in later
    assert span(12 * 60, language) in later
    assert TEXTS.kiosk("privacy_face_now", language) not in later
    assert TEXTS.kiosk("privacy_temperature", language) in later


@pytest.mark.parametrize(
    ("minutes", "words"),
    [(0, "0 hours"), (1, "1 minute"), (59, "59 minutes"), (61, "2 hours"), (1440, "24 hours"), (2881, "3 days")],
)
def test_a_span_is_never_told_shorter_than_it_is(minutes: int, words: str) -> None:
    assert span(minutes, "en") == words


def test_spans_follow_the_grammar_of_the_language() -> None:
    assert [span(days * 1440, "ru") for days in (2, 7, 21)] == ["2 дня", "7 дней", "21 день"]
    assert span(2880, "ar") == "يومان"


def test_the_document_gives_the_language_until_one_is_chosen() -> None:
    at_rest, arab = view(KioskStep.PLACE_DOCUMENT), view(KioskStep.WALK_IN, issuer="SAU")
    assert language_for(at_rest, TEXTS, Wishes(), unspoken=NOBODY) == "zh"
    assert language_for(arab, TEXTS, Wishes(), unspoken=NOBODY) == "ar"
    assert language_for(arab, TEXTS, Wishes(language="fr"), unspoken=NOBODY) == "fr"
    assert language_for(arab, TEXTS, Wishes(), unspoken=frozenset({"ar"})) == "en"


def test_the_small_line_is_another_language_that_the_browser_can_write() -> None:
    assert second_language("ar", unspoken=NOBODY) == "en"
    assert second_language("en", unspoken=NOBODY) == "zh"
    assert second_language("en", unspoken=frozenset({"zh"})) == "fr"


def test_the_next_traveller_starts_anew() -> None:
    guest = Guest()
    guest.wish(1_000, language="fr", is_low=True)
    assert not guest.is_gone(None, 2_000)
    assert not guest.is_gone("case-1", 3_000)
    assert guest.wishes == Wishes(language="fr", is_low=True)
    assert guest.is_gone("case-2", 4_000)
    assert guest.wishes == Wishes()
    assert not guest.is_gone("case-2", 5_000)
    assert guest.is_gone(None, 6_000)


def test_who_touches_nothing_for_a_minute_has_walked_away_but_never_in_a_crossing() -> None:
    guest = Guest()
    guest.wish(1_000, is_spoken=True)
    guest.touch(30_000)
    assert not guest.is_gone(None, 29_999 + IDLE_LIMIT_MS)
    assert not guest.is_gone("case-1", 31_000 + IDLE_LIMIT_MS)
    assert guest.wishes.is_spoken
    idle = Guest()
    idle.wish(1_000, is_spoken=True)
    assert idle.is_gone(None, 1_000 + IDLE_LIMIT_MS)
    assert not idle.is_gone(None, 2_000 + IDLE_LIMIT_MS)
