"""Whatever comes in whatever order: the board in C and the board in Python give the same bytes and drive the same outputs."""

from __future__ import annotations

import pytest
from c_kit import needs_compiler
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from two_boards import KINDS, AtOnce, Happening, Noise, Pass, Say, Sense, play

from drivers.lane_io import protocol as wire
from simulator.board_io import BoardConfig, DoorInputs

pytestmark = needs_compiler
HOST_KINDS = [kind for kind in wire.MESSAGES.values() if kind.TYPE < 0x80]
BOARD_KINDS = [wire.OpenExit, wire.MoveEntry, wire.AckFault, wire.SelfTest, wire.EndEvacuation, wire.EventAck]
SENSES = [
    *(
        "hazards",
        "beams",
        "person",
        "nobody",
        "entry",
        "exit",
        "stuck",
        "contact",
        "supply",
        "temperature",
        "memory",
        "well",
    )
]
MOSTLY = st.sampled_from([True, True, True, False])
SAYS = st.builds(
    Say,
    kind=st.sampled_from(HOST_KINDS + BOARD_KINDS),
    is_session_right=MOSTLY,
    is_token_right=MOSTLY,
    number=st.sampled_from([1, 1, 1, 0, 5, 0xFFFF, 0x8001]),
    value=st.integers(0, 0xFFFF),
)
HAPPENINGS = st.one_of(
    SAYS,
    st.builds(AtOnce, says=st.lists(SAYS, min_size=2, max_size=4).map(tuple)),
    st.builds(Noise, data=st.binary(max_size=90)),
    st.builds(Sense, what=st.sampled_from(SENSES), value=st.integers(0, 0xFFFF)),
    st.builds(Sense, what=st.just("hazards"), value=st.integers(0, 4)),
    st.builds(
        Sense, what=st.sampled_from(["entry", "exit"]), value=st.sampled_from([0, 20, 22, 50, 51, 55, 999, 1000])
    ),
    st.builds(
        Pass,
        dt_ms=st.sampled_from([10, 10, 1, 7, 33]),
        scans=st.sampled_from([1, 3, 12, 60, 190]),
        is_beating=MOSTLY,
        is_taking=MOSTLY,
    ),
)
CONFIGS = st.builds(
    lambda beams, entry, exit_kind, pitch, settle, watchdog: BoardConfig(
        watchdog_ms=watchdog,
        entry_kind=entry,
        exit_kind=exit_kind,
        beam_count=beams,
        first_inside_beam=1 + beams // 20,
        last_inside_beam=beams - 2 - beams // 20,
        beam_pitch_mm=pitch,
        curtain_settle_ms=settle,
    ),
    st.sampled_from([28, 4, 33, 64]),
    st.sampled_from(list(KINDS)),
    st.sampled_from([KINDS.SLIDING, KINDS.TRIPOD]),
    st.sampled_from([100, 50, 255, 7]),
    st.sampled_from([20, 0, 35]),
    st.sampled_from([400, 1000]),
)
DOORS = st.builds(DoorInputs, position_permille=st.sampled_from([0, 0, 0, 20, 400, 1000]), is_locked=MOSTLY)
LONG = settings(deadline=None, suppress_health_check=list(HealthCheck))


@settings(LONG, max_examples=120)
@given(CONFIGS, DOORS, DOORS, st.lists(HAPPENINGS, max_size=40))
def test_same_inputs_same_bytes(
    config: BoardConfig, entry: DoorInputs, exit_: DoorInputs, happenings: list[Happening]
) -> None:
    play(config, entry, exit_, happenings)


@pytest.mark.long
@pytest.mark.timeout(3600)
@settings(LONG, max_examples=5000, derandomize=False)
@given(CONFIGS, DOORS, DOORS, st.lists(HAPPENINGS, min_size=10, max_size=120))
def test_same_inputs_same_bytes_for_a_long_time(
    config: BoardConfig, entry: DoorInputs, exit_: DoorInputs, happenings: list[Happening]
) -> None:
    play(config, entry, exit_, happenings)
