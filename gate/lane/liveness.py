"""Whether a living person stands before the face camera, as one lane asks it: settings, signals, and how long it waits for a sign."""

from collections.abc import Callable
from dataclasses import dataclass, field

from gate.core.presentation import Presentation, PresentationFacts, SignalFacts
from models.face import Face
from models.pad.challenge import STEP_MS, LightPlan, draw_plan
from models.pad.frame import Image, PadSignal
from models.pad.fusion import PadFusion, PadResult, PadVerdict
from models.pad.light import LONGEST_LAG_MS, LightSignal
from models.pad.watch import PadWatch, motion_signals

SURE_JUDGEMENTS = 3
"""So many judgements after one another must say live: a sum that grows with every frame would else be stopped at its luckiest."""
LEAST_TRACK_NS = 600_000_000
"""And so long must the face have been followed."""
HINT_AFTER_NS = 700_000_000
LIGHT_STEPS = 6
_LIGHT_NS = (LIGHT_STEPS * STEP_MS + LONGEST_LAG_MS) * 1_000_000
TURN_HEAD = "turn_head"
"""The hint that asks for a sign of life; a word of the kiosk's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Liveness:
    """``is_asked``: signals are fed at all. ``wait_ms``: for a sign of life once the face matches, 0 where doubt does not refer.

    ``signals`` are fed with every frame, ``slow_signals`` (the face mesh's) only while a sign is waited for.
    ``has_light``: the kiosk's screen can be asked to light the face, which takes longer than anything else and so is asked for last.
    ``fusion``: None for the shipped calibration.
    """

    is_asked: bool = True
    wait_ms: int = 0
    signals: Callable[[], tuple[PadSignal, ...]] = motion_signals
    slow_signals: Callable[[], tuple[PadSignal, ...]] = field(default=lambda: ())
    has_light: bool = False
    fusion: PadFusion | None = None

    def begin(self) -> "LiveTrack | None":
        """What follows the people of one lane; None if nobody asks."""
        return LiveTrack(self) if self.is_asked else None


class LiveTrack:
    """The signals on whoever is being looked at. Used by one thread."""

    def __init__(self, settings: Liveness) -> None:
        self._light = LightSignal() if settings.has_light and settings.wait_ms > 0 else None
        lights = () if self._light is None else (self._light,)
        self._watch = PadWatch(
            (*settings.signals(), *lights), slow_signals=settings.slow_signals(), fusion=settings.fusion
        )
        self._wait_ns = settings.wait_ms * 1_000_000
        self._is_lit = False
        self._live_in_a_row = 0
        self._first_ns: int | None = None
        self._last_ns = 0

    def feed(self, image_bgr: Image, face: Face, captured_ns: int, *, is_waiting: bool) -> bool:
        """Take a frame; False if it shows another face than the one before, as far as can be told, and all began anew."""
        is_same = self._watch.feed(image_bgr, face, captured_ns, is_thorough=is_waiting)
        if not is_same or self._first_ns is None:
            self._first_ns, self._live_in_a_row = captured_ns, 0
        self._last_ns = captured_ns
        is_live = self._watch.judge().verdict is PadVerdict.LIVE
        self._live_in_a_row = self._live_in_a_row + 1 if is_live else 0
        return is_same

    def forget(self) -> None:
        """Somebody else comes."""
        self._watch.reset()
        self._live_in_a_row, self._first_ns = 0, None
        self._is_lit = False

    def is_settled(self, waited_ns: int) -> bool:
        """Whether a decision need not wait: surely live, or waited for long enough."""
        return self._is_surely_live() or waited_ns >= self._wait_ns + (_LIGHT_NS if self._is_lit else 0)

    def light(self, waited_ns: int, now_ns: int) -> LightPlan | None:
        """What the kiosk is to show now, once in a wait, when nothing else has shown life for a moment."""
        if self._light is None or self._is_lit or waited_ns < HINT_AFTER_NS or self._is_surely_live():
            return None
        plan = draw_plan(LIGHT_STEPS)
        self._light.show(plan, now_ns)
        self._is_lit = True
        return plan

    def hint(self, waited_ns: int) -> str | None:
        """What the person can do while no sign of life was seen; None at first, because most show one unasked."""
        return TURN_HEAD if waited_ns >= HINT_AFTER_NS and not self._is_surely_live() else None

    def facts(self) -> PresentationFacts:
        """What the evidence of a decision says. Live only if it was for long enough: a lucky moment is doubt."""
        result = self._watch.judge()
        if result.verdict is PadVerdict.LIVE and not self._is_surely_live():
            return _facts(result, Presentation.UNSURE)
        return _facts(result, Presentation(result.verdict.value))

    def _is_surely_live(self) -> bool:
        is_long = self._first_ns is not None and self._last_ns - self._first_ns >= LEAST_TRACK_NS
        return is_long and self._live_in_a_row >= SURE_JUDGEMENTS


def _facts(result: PadResult, presentation: Presentation) -> PresentationFacts:
    return PresentationFacts(
        presentation=presentation,
        llr=result.llr,
        threshold=result.threshold,
        signals=tuple(
            SignalFacts(
                name=item.name,
                score=item.score,
                threshold=item.threshold,
                llr=item.llr,
                model_hash=item.model_hash,
            )
            for item in result.measures
        ),
    )
