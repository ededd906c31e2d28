"""The reader's lamps over a pty to their twin, and what the driver says when they break."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.camera.light import LightFault, LightShown, LightStep
from drivers.camera.light_line import LightLine, parse_light_line
from drivers.camera.serial_light import SerialDocumentLight
from drivers.errors import DeviceError
from simulator.document_light import CURRENT_MA, LightTwinFault, PtyDocumentLight

PATIENCE_MS = 200
"""For an answer of the twin, which shares a computer with all other tests."""
PAGE = Path(__file__).parents[3] / "docs" / "protocols" / "document-light.md"


@pytest.fixture
def twin() -> Iterator[PtyDocumentLight]:
    with PtyDocumentLight(seed=5) as lamps:
        yield lamps


@pytest.fixture
def light(twin: PtyDocumentLight) -> Iterator[SerialDocumentLight]:
    driver = SerialDocumentLight(twin.port, reopen_ms=0, answer_timeout_ms=PATIENCE_MS)
    driver.start()
    yield driver
    driver.stop()


@pytest.mark.parametrize("step", list(LightStep))
def test_step_burns_when_it_is_said_to(twin: PtyDocumentLight, light: SerialDocumentLight, step: LightStep) -> None:
    shown = light.show(step)
    assert isinstance(shown, LightShown)
    assert (shown.step, shown.current_ma) == (step, CURRENT_MA[step])
    assert twin.shown == [step]


def test_leaving_asks_for_white(twin: PtyDocumentLight) -> None:
    light = SerialDocumentLight(twin.port)
    light.start()
    light.show(LightStep.ULTRAVIOLET)
    light.stop()
    assert twin.shown == [LightStep.ULTRAVIOLET, LightStep.WHITE]


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (LightTwinFault.SILENT, "no answer"),
        (LightTwinFault.LATE, "no answer"),
        (LightTwinFault.GARBLE, "no answer"),
        (LightTwinFault.DARK, "takes 0 mA"),
        (LightTwinFault.HOT, "refused: hot"),
    ],
)
def test_lamps_that_break_are_a_fault_and_then_burn_again(
    twin: PtyDocumentLight, light: SerialDocumentLight, fault: LightTwinFault, said: str
) -> None:
    twin.inject(fault, {LightTwinFault.GARBLE: 0.9, LightTwinFault.LATE: 4.0 * PATIENCE_MS}.get(fault))
    found = light.show(LightStep.ULTRAVIOLET)
    assert isinstance(found, LightFault)
    assert said in found.reason
    twin.heal()
    # What it answers late to the orders before comes first.
    assert any(isinstance(light.show(LightStep.INFRARED), LightShown) for _ in range(20))


def test_answer_to_an_earlier_order_is_not_taken_for_this_one(
    twin: PtyDocumentLight, light: SerialDocumentLight
) -> None:
    twin.inject(LightTwinFault.LATE, 2.5 * PATIENCE_MS)  # beyond both tries of the first order
    assert isinstance(light.show(LightStep.ULTRAVIOLET), LightFault)
    twin.heal()
    for step in (LightStep.INFRARED, LightStep.WHITE) * 5:
        shown = light.show(step)
        assert isinstance(shown, LightFault) or shown.step is step
    assert twin.step is LightStep.WHITE


def test_single_lost_answer_is_asked_for_again(twin: PtyDocumentLight, light: SerialDocumentLight) -> None:
    twin.inject(LightTwinFault.GARBLE, 0.05)
    outcomes = [light.show(LightStep.INFRARED) for _ in range(6)]
    assert any(isinstance(outcome, LightShown) for outcome in outcomes)
    assert len(twin.shown) > len(outcomes)


def test_lamps_that_are_unplugged_are_a_fault(twin: PtyDocumentLight, light: SerialDocumentLight) -> None:
    twin.inject(LightTwinFault.UNPLUG)
    for _ in range(2):
        found = light.show(LightStep.INFRARED)
        assert isinstance(found, LightFault)
        assert "is gone" in found.reason


def test_missing_port_is_one_clear_sentence() -> None:
    with pytest.raises(DeviceError, match="/dev/no-lamps does not exist; plug"):
        SerialDocumentLight("/dev/no-lamps").start()


@given(st.binary(max_size=100))
def test_any_bytes_are_a_line_or_none(data: bytes) -> None:
    line = parse_light_line(data)
    assert line is None or line.encode().rstrip(b"\r\n") == data.rstrip(b"\r")


@given(st.integers(1, 999), st.sampled_from(["SHOW", "OK", "NO"]), st.integers(0, 60), st.integers(1, 255))
def test_one_wrong_byte_is_noticed(number: int, verb: str, place: int, change: int) -> None:
    sent = bytearray(LightLine(number=number, verb=verb, words=("UV", "240")).encode()[:-2])
    sent[place % len(sent)] ^= change
    parsed = parse_light_line(bytes(sent))
    assert parsed is None or parsed == LightLine(number=number, verb=verb, words=("UV", "240"))


def test_examples_of_the_protocols_page_are_lines() -> None:
    examples = re.findall(r"`(\d+ [A-Z][^`]*\*..)`", PAGE.read_text(encoding="utf-8"))
    assert len(examples) >= 6
    assert all(parse_light_line(example.encode()) is not None for example in examples)
