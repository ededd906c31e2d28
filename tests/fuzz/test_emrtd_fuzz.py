"""Whatever octets come off a chip or out of a fetched file: what is read, or a fault that says why, and never anything else."""

import subprocess
import sys
import tracemalloc
from pathlib import Path

import pytest
from emrtd_targets import TARGETS, run, seeds
from hypothesis import given, settings
from hypothesis import strategies as st

_SEEDS = seeds()
_EDITS = st.lists(
    st.tuples(
        st.sampled_from(["turn", "cut", "insert", "repeat"]), st.integers(0, 6000), st.binary(min_size=1, max_size=6)
    ),
    max_size=5,
)


def edited(octets: bytes, edits: list[tuple[str, int, bytes]]) -> bytes:
    for kind, place, new in edits:
        at = place % (len(octets) + 1)
        if kind == "turn":
            octets = octets[:at] + new[:1] + octets[at + 1 :]
        elif kind == "cut":
            octets = octets[:at] + octets[at + len(new) :]
        elif kind == "insert":
            octets = octets[:at] + new + octets[at:]
        else:
            octets = octets[:at] + octets[at : at + 40] * 2 + octets[at + 40 :]
    return octets


@pytest.mark.parametrize("name", TARGETS)
@settings(max_examples=60)
@given(data=st.data())
def test_edited_octets(name: str, data: st.DataObject) -> None:
    seed = data.draw(st.sampled_from(_SEEDS[name]))
    run(name, edited(seed, data.draw(_EDITS)))


@pytest.mark.parametrize("name", TARGETS)
@settings(max_examples=25)
@given(octets=st.binary(max_size=300))
def test_any_octets(name: str, octets: bytes) -> None:
    run(name, octets)


def test_the_seeds_are_good() -> None:
    for name, octets in _SEEDS.items():
        for seed in octets:
            TARGETS[name](seed)


@pytest.mark.parametrize(
    "unit",
    [
        b"\x30\x80",
        b"\x30\x84\xff\xff\xff\xff",
        b"\x04\x00",
        b"\x7f\x61\x00",
        b"\xff" * 4,
        b"0" * 8,
        b"\n:",
        b"-----BEGIN A-----\n",
    ],
)
def test_memory_stays_within_a_few_times_the_octets(unit: bytes) -> None:
    octets = unit * (60_000 // len(unit))
    tracemalloc.start()
    try:
        for name in TARGETS:
            run(name, octets)
        assert tracemalloc.get_traced_memory()[1] < 40 * len(octets)
    finally:
        tracemalloc.stop()


@pytest.mark.long
@pytest.mark.timeout(3600)
def test_two_million_runs_of_the_fuzzer() -> None:
    script = Path(__file__).with_name("fuzz_emrtd.py")
    done = subprocess.run(
        [sys.executable, str(script), "-runs=2000000", "-seed=9303"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-4000:]
    assert "Done 2000000 runs" in done.stderr
