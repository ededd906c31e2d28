"""``gate demo``: a port to look at, and the proof in CI that travellers end as they should."""

import json
import sys
import threading
from collections.abc import Callable
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console
from rich.live import Live
from rich.table import Table

from config.schema import Site
from simulator.chip.issuing import IssuingState
from simulator.costume import Wardrobe
from simulator.crowd import Crowd, Result
from simulator.photos import PhotoLibrary
from simulator.port import SimulatedPort
from simulator.scenario import TravellerSpec, load_scenario, usual_travellers

ENDLESS = 1_000_000
_COLOURS = {
    "ready": "green",
    "referred": "yellow",
    "alarm": "red",
    "fault": "red",
    "evacuating": "red",
    "cleared": "green",
}


class Board:
    """The live table: a row a lane, then the last results."""

    def __init__(self, port: SimulatedPort) -> None:
        self._port = port
        self._guests: dict[str, str] = {}
        self._results: list[Result] = []
        self._lock = threading.Lock()

    def started(self, lane: str, spec: TravellerSpec) -> None:
        with self._lock:
            self._guests[lane] = spec.title

    def ended(self, result: Result) -> None:
        with self._lock:
            self._guests[result.lane] = ""
            self._results.append(result)

    def __rich__(self) -> Table:
        table = Table(title=f"{self._port.site.port.title}", expand=True)
        for column in ("lane", "state", "entry", "exit", "people", "traveller", "last outcome"):
            table.add_column(column)
        with self._lock:
            for lane in self._port.twins:
                state = self._port.observer.state(lane)
                last = next((item for item in reversed(self._results) if item.lane == lane), None)
                if state is None:
                    table.add_row(lane, "starting", "", "", "", "", "")
                    continue
                colour = _COLOURS.get(state.state, "cyan")
                people = "?" if state.person_count is None else str(state.person_count)
                table.add_row(
                    lane,
                    f"[{colour}]{state.state}",
                    state.entry,
                    state.exit,
                    people,
                    self._guests.get(lane, ""),
                    _outcome(last),
                )
        return table


def _outcome(result: Result | None) -> str:
    if result is None:
        return ""
    reasons = f" ({', '.join(result.reasons)})" if result.reasons else ""
    return f"{result.outcome}{reasons}"


def run_demo(
    *,
    travellers: int | None,
    is_headless: bool,
    is_json: bool,
    scenario_file: Path | None,
    has_officers: bool,
    log_file: Path | None,
) -> int:
    """Run it; the exit code. GateError when it cannot run."""
    scenario = usual_travellers() if scenario_file is None else load_scenario(scenario_file)
    state = IssuingState(datetime.now(UTC)) if scenario.has_chips else None
    wardrobe = Wardrobe(PhotoLibrary(), seed=scenario.seed, state=state)
    console = Console(stderr=is_json)
    with ExitStack() as stack:
        log = stack.enter_context(log_file.open("wb")) if log_file else None
        if not is_json:
            console.print("Dressing the travellers, starting broker, hub and lanes …")
        # Before anything runs: rendering would take the time that boards and cameras need to seem alive.
        for spec in scenario.travellers[:travellers]:
            wardrobe.costume(spec)
        port = stack.enter_context(
            SimulatedPort(
                seed=scenario.seed,
                doors=scenario.doors,
                keeps_usual_ports=not is_headless,
                log=log,
                trusted=None if state is None else state.trusted,
            )
        )
        port.wait_until_ready()
        board = Board(port)
        reporter = _Reporter(console, board, is_live=not is_headless and console.is_terminal, is_quiet=is_json)
        crowd = Crowd(
            port, scenario, wardrobe, on_start=reporter.started, on_result=reporter.ended, has_officers=has_officers
        )
        if not is_headless:
            _show_addresses(console, port.site, port)
        count = travellers if travellers is not None else len(scenario.travellers) if is_headless else ENDLESS
        try:
            results = reporter.run(lambda: crowd.run(count))
        except KeyboardInterrupt:
            crowd.stop()
            if is_headless:
                raise
            return 0
    return _report(results, count, console, is_json=is_json)


class _Reporter:
    """Tells a person what happens: a live table on a terminal, a line for each result elsewhere, nothing with --json."""

    def __init__(self, console: Console, board: Board, *, is_live: bool, is_quiet: bool) -> None:
        self._console = console
        self._board = board
        self._is_live = is_live
        self._is_quiet = is_quiet

    def started(self, lane: str, spec: TravellerSpec) -> None:
        self._board.started(lane, spec)

    def ended(self, result: Result) -> None:
        self._board.ended(result)
        if not self._is_live and not self._is_quiet:
            mark = "as expected" if result.is_as_expected else f"EXPECTED {result.spec.expected.outcome.value}"
            self._console.print(
                f"{result.lane}  {result.spec.title}: {_outcome(result)}, {result.crossing_s:.1f} s, {mark}",
                highlight=False,
            )

    def run(self, work: "Callable[[], list[Result]]") -> list[Result]:
        if not self._is_live:
            return work()
        with Live(self._board, console=self._console, refresh_per_second=4, screen=False):
            return work()


def _show_addresses(console: Console, site: Site, port: SimulatedPort) -> None:
    base = site.hub.url
    console.print(f"\n[bold]Screens[/bold]  {base}/")
    for lane in site.lanes:
        console.print(f"  kiosk of {lane.title:<10} {base}/kiosk/{lane.id}")
    for role in site.roles:
        login = next(item for item in port.logins if item.user == role.id)
        console.print(
            f"  {role.title:<19} {base}/role/{role.id}   user [bold]{login.user}[/bold] password [bold]{login.password}[/bold]"
        )
    console.print(f"  all lanes           {base}/lanes   (log in as border)")
    console.print("Ctrl-C ends it. Passwords are made anew for each run.\n")


def _report(results: list[Result], count: int, console: Console, *, is_json: bool) -> int:
    as_expected = sum(result.is_as_expected for result in results)
    if is_json:
        outcomes = [result.to_json() for result in results]
        json.dump(
            {"travellers": count, "as_expected": as_expected, "outcomes": outcomes}, sys.stdout, ensure_ascii=False
        )
        sys.stdout.write("\n")
    else:
        table = Table("traveller", "expected", "outcome", "reasons", "seconds", "")
        for result in results:
            mark = "[green]as expected" if result.is_as_expected else "[red]DIFFERENT"
            expected = result.spec.expected.outcome.value
            seconds = f"{result.crossing_s:.1f}"
            table.add_row(result.spec.title, expected, str(result.outcome), ", ".join(result.reasons), seconds, mark)
        console.print(table)
        console.print(f"{as_expected} of {count} as expected")
    return 0 if as_expected == count else 1
