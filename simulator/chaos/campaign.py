"""``gate sim chaos``: shift after shift of random crossings under random faults, and the four counts that must be zero."""

import gc
import json
import logging
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import structlog
from rich.console import Console
from rich.progress import Progress

from gate.errors import GateError
from simulator.board_model import BoardModel
from simulator.c_board import CBoardModel
from simulator.chaos.line import MakeBoard
from simulator.chaos.shift import Findings, play_shift

BOARDS: dict[str, MakeBoard] = {"c": CBoardModel, "python": BoardModel}
SHIFT = 40
"""Crossings in one shift: one lane with a store of its own."""


def run_chaos(*, crossings: int, seed: int, is_json: bool, replay: str | None = None, board: str = "c") -> int:
    """Play and report; 0 when every count is zero, 1 otherwise.

    ``board``: a key of :data:`BOARDS`. GateError for a replay that is none, DeviceError when the board in C cannot be built here.
    """
    with _hushed():
        return _run(crossings=crossings, seed=seed, is_json=is_json, replay=replay, board=board)


def _run(*, crossings: int, seed: int, is_json: bool, replay: str | None, board: str) -> int:
    make_board = BOARDS[board]
    if replay is not None:
        seed = _seed_of(replay)
        findings = {replay: play_shift(replay, crossings=SHIFT, trace=_trace, make_board=make_board)}
        return _report(findings, seed=seed, elapsed_s=None, cpu_s=None, is_json=is_json)
    began_s, began_cpu_s = time.perf_counter(), time.process_time()
    found: dict[str, Findings] = {}
    with Progress(console=Console(stderr=True), disable=not sys.stderr.isatty()) as progress:
        task = progress.add_task("crossings", total=crossings)
        for name, count in _shifts(seed, crossings):
            found[name] = play_shift(name, crossings=count, make_board=make_board)
            gc.collect()
            progress.advance(task, count)
            for line in _lines(found[name]):
                progress.console.print(f"[{name}] {line}", markup=False, highlight=False)
    elapsed_s, cpu_s = time.perf_counter() - began_s, time.process_time() - began_cpu_s
    return _report(found, seed=seed, elapsed_s=elapsed_s, cpu_s=cpu_s, is_json=is_json)


def _shifts(seed: int, crossings: int) -> Iterator[tuple[str, int]]:
    for number, first in enumerate(range(0, crossings, SHIFT)):
        yield f"{seed}/{number}", min(SHIFT, crossings - first)


def _seed_of(replay: str) -> int:
    seed, slash, number = replay.partition("/")
    if not (slash and seed.isdigit() and number.isdigit()):
        raise GateError(f"{replay!r} names no shift: give what the campaign printed, like --replay 7/12")
    return int(seed)


def _trace(line: str) -> None:
    print(line, file=sys.stderr)


@contextmanager
def _hushed() -> Iterator[None]:
    """The lane's log tells of every fault that we made; a campaign has its own words for them.

    What a shift leaves behind is collected after it, not every few crossings.
    """
    before = structlog.get_config()
    gc.disable()
    gc.freeze()  # what was there before need not be looked through after every shift
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    try:
        yield
    finally:
        gc.unfreeze()
        gc.enable()
        structlog.configure(**before)


def _lines(findings: Findings) -> list[str]:
    kinds = ("unauthorised", "trapped", "unrecovered", "lost", "doubled", "died")
    return [f"{kind}: {line}" for kind in kinds for line in getattr(findings, kind)]


def _report(
    found: dict[str, Findings], *, seed: int, elapsed_s: float | None, cpu_s: float | None, is_json: bool
) -> int:
    total = Findings()
    for findings in found.values():
        total.add(findings)
    unclean = [name for name, findings in found.items() if not findings.is_clean]
    figures: dict[str, object] = {
        "crossings": total.crossings,
        "seed": seed,
        "unauthorised_openings": len(total.unauthorised),
        "trapped": len(total.trapped),
        "unrecovered_lanes": len(total.unrecovered) + len(total.died),
        "events_lost": len(total.lost),
        "events_doubled": len(total.doubled),
        "crossings_per_s": None if elapsed_s is None else round(total.crossings / elapsed_s, 1),
        "crossings_per_cpu_s": None if cpu_s is None else round(total.crossings / cpu_s, 1),
        "faults_injected": sum(total.faults.values()),
        "exits_by_release": total.releases,
        "simulated_h": round(total.simulated_s / 3600, 2),
        "faults": dict(sorted(total.faults.items())),
        "outcomes": dict(sorted(total.outcomes.items())),
        "replay": unclean,
    }
    if is_json:
        print(json.dumps(figures))
    else:
        _show(figures, unclean)
    return 1 if unclean else 0


def _show(figures: dict[str, object], unclean: list[str]) -> None:
    console = Console()
    for name in list(figures)[:12]:
        console.print(f"{name:24} {figures[name]}")
    for name in unclean:
        console.print(f"play it again: gate sim chaos --replay {name}")
