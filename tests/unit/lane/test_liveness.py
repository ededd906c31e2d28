"""How a lane waits for signs of life: long enough, not on a lucky moment, and never longer than the site says."""

from dataclasses import dataclass

import numpy as np
import pytest

from gate.core.presentation import Presentation
from gate.lane.liveness import HINT_AFTER_NS, TURN_HEAD, Liveness, LiveTrack
from models.face import Face
from models.pad.frame import PadFrame

IMAGE = np.zeros((120, 160, 3), np.uint8)
FACE = Face(
    box_px=np.array([50, 30, 40, 50], np.float32),
    landmarks_px=np.array([[60, 45], [80, 45], [70, 55], [63, 68], [77, 68]], np.float32),
    score=0.9,
)
FRAME_NS = 66_000_000


@dataclass
class Scripted:
    """Says what it is told, under the name of a signal that is calibrated."""

    score: float | None = None
    name: str = "planarity"
    fed: int = 0

    def feed(self, frame: PadFrame) -> None:
        self.fed += 1

    def reset(self) -> None:
        self.score = None


def track(signal: Scripted, *slow: Scripted, wait_ms: int = 2_500) -> LiveTrack:
    settings = Liveness(wait_ms=wait_ms, signals=lambda: (signal,), slow_signals=lambda: slow)
    found = settings.begin()
    assert found is not None
    return found


def feed(life: LiveTrack, signal: Scripted, scores: list[float | None], *, start_ns: int = 0) -> int:
    at_ns = start_ns
    for score in scores:
        signal.score = score
        life.feed(IMAGE, FACE, at_ns, is_waiting=False)
        signal.score = score
        at_ns += FRAME_NS
    return at_ns


def test_a_face_that_lives_for_long_enough_settles_it() -> None:
    signal = Scripted()
    life = track(signal)
    feed(life, signal, [0.9] * 5)
    assert not life.is_settled(0)  # a third of a second is no evidence of anything
    assert life.facts().presentation is Presentation.UNSURE
    feed(life, signal, [0.9] * 8, start_ns=5 * FRAME_NS)
    assert life.is_settled(0)
    assert life.facts().presentation is Presentation.LIVE


def test_a_lucky_moment_is_doubt() -> None:
    signal = Scripted()
    life = track(signal)
    feed(life, signal, [None] * 12 + [0.9])
    assert life.facts().presentation is Presentation.UNSURE
    assert not life.is_settled(0)


def test_a_picture_is_an_attack_and_waits_in_case_it_was_not() -> None:
    signal = Scripted()
    life = track(signal)
    feed(life, signal, [0.02] * 15)
    assert life.facts().presentation is Presentation.ATTACK
    assert not life.is_settled(2_499_000_000)
    assert life.is_settled(2_500_000_000)


def test_doubt_that_does_not_refer_is_not_waited_for() -> None:
    signal = Scripted()
    life = track(signal, wait_ms=0)
    feed(life, signal, [None])
    assert life.is_settled(0)


def test_the_person_is_asked_to_move_only_after_a_moment() -> None:
    signal = Scripted()
    life = track(signal)
    feed(life, signal, [None] * 3)
    assert life.hint(HINT_AFTER_NS - 1) is None
    assert life.hint(HINT_AFTER_NS) == TURN_HEAD
    feed(life, signal, [0.9] * 15, start_ns=3 * FRAME_NS)
    assert life.hint(HINT_AFTER_NS) is None


@pytest.mark.parametrize("is_waiting", [False, True])
def test_slow_signals_are_fed_only_while_a_sign_is_waited_for(is_waiting: bool) -> None:
    signal, slow = Scripted(), Scripted(name="expression")
    life = track(signal, slow)
    life.feed(IMAGE, FACE, 0, is_waiting=is_waiting)
    assert (signal.fed, slow.fed) == (1, int(is_waiting))


def test_who_was_live_before_a_break_is_not_afterwards() -> None:
    signal = Scripted()
    life = track(signal)
    end_ns = feed(life, signal, [0.9] * 15)
    assert life.is_settled(0)
    assert not life.feed(IMAGE, FACE, end_ns + 2_000_000_000, is_waiting=False)
    assert not life.is_settled(0)
    assert life.facts().presentation is Presentation.UNSURE


def test_nobody_asks() -> None:
    assert Liveness(is_asked=False).begin() is None


def test_the_kiosk_is_asked_for_light_once_and_waited_for() -> None:
    signal = Scripted()
    settings = Liveness(wait_ms=2_500, signals=lambda: (signal,), has_light=True)
    life = settings.begin()
    assert life is not None
    end_ns = feed(life, signal, [None] * 3)
    assert life.light(HINT_AFTER_NS - 1, end_ns) is None
    plan = life.light(HINT_AFTER_NS, end_ns)
    assert plan is not None
    assert life.light(HINT_AFTER_NS, end_ns) is None
    assert not life.is_settled(2_500_000_000)
    assert life.is_settled(2_500_000_000 + plan.duration_ms * 1_000_000 + 1_000_000_000)


@pytest.mark.parametrize(("has_light", "wait_ms"), [(False, 2_500), (True, 0)])
def test_no_light_where_there_is_none_or_nothing_is_waited_for(has_light: bool, wait_ms: int) -> None:
    life = Liveness(wait_ms=wait_ms, signals=lambda: (Scripted(),), has_light=has_light).begin()
    assert life is not None
    assert life.light(HINT_AFTER_NS, 0) is None


def test_who_is_surely_live_is_not_lit() -> None:
    signal = Scripted()
    life = Liveness(wait_ms=2_500, signals=lambda: (signal,), has_light=True).begin()
    assert life is not None
    end_ns = feed(life, signal, [0.9] * 15)
    assert life.light(HINT_AFTER_NS, end_ns) is None
