"""The commands that the simulator adds to ``gate``. Light to import: the work is imported inside."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer


class BoardKind(StrEnum):
    """The reference board's firmware in C, or its twin in Python."""

    C = "c"
    PYTHON = "python"


class StoreKind(StrEnum):
    """The databases of a hub."""

    SQLITE = "sqlite"
    POSTGRES = "postgres"


def register(app: typer.Typer) -> None:
    """Add ``gate demo`` and ``gate bench``."""
    app.command("demo")(demo)
    bench = typer.Typer(no_args_is_help=True, help="Measure, beside a named peer in the same run.")
    bench.callback()(_bench)
    bench.command("crossing")(bench_crossing)
    bench.command("vision")(bench_vision)
    bench.command("serial")(bench_serial)
    bench.command("chip")(bench_chip)
    bench.command("ingest")(bench_ingest)
    bench.command("console")(bench_console)
    bench.command("watchlist")(bench_watchlist)
    app.add_typer(bench, name="bench")
    sim = typer.Typer(no_args_is_help=True, help="Simulate lanes and ports in their own time.")
    sim.callback()(_sim)
    sim.command("chaos")(sim_chaos)
    sim.command("people")(sim_people)
    app.add_typer(sim, name="sim")


def _bench() -> None:
    """Measure, beside a named peer in the same run."""


def _sim() -> None:
    """Simulate lanes and ports in their own time."""


def sim_chaos(
    crossings: Annotated[int, typer.Option("--crossings", min=1, help="How many travellers try to cross.")] = 1000,
    seed: Annotated[int, typer.Option("--seed", min=0, help="The same seed plays the same campaign.")] = 1,
    replay: Annotated[
        str | None,
        typer.Option("--replay", help="Play one shift again, as SEED/NUMBER, and trace it.", show_default=False),
    ] = None,
    board: Annotated[BoardKind, typer.Option("--board", help="Whose firmware drives the doors.")] = BoardKind.C,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on standard output.")] = False,
) -> None:
    """Random crossings under random faults; exit 1 if anybody passed, was held, or any record was lost that should not."""
    from simulator.chaos.campaign import run_chaos

    raise typer.Exit(run_chaos(crossings=crossings, seed=seed, is_json=as_json, replay=replay, board=board.value))


def sim_people(
    walks: Annotated[int, typer.Option("--walks", min=1, max=100_000, help="How many of each kind.")] = 1000,
    seed: Annotated[int, typer.Option("--seed", min=0, help="The same seed gives the same table.")] = 1,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on standard output.")] = False,
) -> None:
    """Who is taken for one person by light curtain and camera: adults, trolleys, wheelchairs, children, tailgaters."""
    from simulator.parties import run_people

    raise typer.Exit(run_people(walks=walks, seed=seed, is_json=as_json))


def bench_crossing(
    crossings: Annotated[int, typer.Option("--crossings", min=1, max=1000, help="How many to measure.")] = 10,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on standard output.")] = False,
) -> None:
    """Time from document placed to door 1's command, and from face seen to the exit's, beside the bare model time."""
    from simulator.bench_crossing import run_bench_crossing

    raise typer.Exit(run_bench_crossing(crossings=crossings, is_json=as_json))


def bench_vision(
    frames: Annotated[int, typer.Option("--frames", min=1, max=100_000, help="How many to measure.")] = 80,
    pages: Annotated[int, typer.Option("--pages", min=0, max=10_000, help="How many documents to read.")] = 12,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on standard output.")] = False,
) -> None:
    """Detection and template of a 640x480 frame, and whole documents, on one thread, beside the peers that are installed."""
    from simulator.bench_vision import run_bench_vision

    raise typer.Exit(run_bench_vision(frames=frames, pages=pages, is_json=as_json))


def bench_serial(
    commands: Annotated[int, typer.Option("--commands", min=1, max=100_000, help="How many to measure.")] = 2000,
    bus: Annotated[
        bool, typer.Option("--bus/--no-bus", help="Also measure a bus with one of eight devices dead.")
    ] = True,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on standard output.")] = False,
) -> None:
    """A command to the lane board's answer over a serial line, beside a bare echo; and a bus with a dead device."""
    from simulator.bench_serial import run_bench_serial

    raise typer.Exit(run_bench_serial(commands=commands, has_bus=bus, is_json=as_json))


def bench_console(
    rounds: Annotated[int, typer.Option("--rounds", min=1, max=100, help="How often to load and to mark.")] = 5,
    seconds: Annotated[
        int, typer.Option("--seconds", min=5, max=3600, help="How long 50 lanes speak to 40 screens.")
    ] = 20,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on standard output.")] = False,
) -> None:
    """From a lane's event to 40 screens; and the X-ray viewer in headless Chromium: first picture, panning, a mark on the other screen."""
    from simulator.bench_console import run_bench_console

    raise typer.Exit(run_bench_console(rounds=rounds, seconds=seconds, is_json=as_json))


def bench_watchlist(
    sizes: Annotated[
        list[int] | None, typer.Option("--faces", help="Faces in a gallery; may be given several times.", min=100)
    ] = None,
    names: Annotated[
        int, typer.Option(help="Names (and documents) on the list; 0 leaves them out.", min=0)
    ] = 1_000_000,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on standard output.")] = False,
) -> None:
    """Faces among 100,000 and 1,000,000 beside bare faiss and numpy; names spelt otherwise and documents among a million."""
    from simulator.bench_watchlist import run_bench_watchlist

    raise typer.Exit(run_bench_watchlist(sizes=sizes or [100_000, 1_000_000], names=names, is_json=as_json))


def bench_chip(
    documents: Annotated[int, typer.Option("--documents", min=1, max=100_000, help="How many to authenticate.")] = 400,
    cscas: Annotated[int, typer.Option("--cscas", min=4, max=10_000, help="How many certificates to trust.")] = 800,
    reads: Annotated[int, typer.Option("--reads", min=0, max=1000, help="How many chips to read; 0: none.")] = 20,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on standard output.")] = False,
) -> None:
    """Passive authentication beside the openssl command, and a whole reading of a virtual chip with where its time goes."""
    from simulator.bench_chip import run_bench_chip

    raise typer.Exit(run_bench_chip(documents=documents, cscas=cscas, reads=reads, is_json=as_json))


def bench_ingest(
    store: Annotated[StoreKind, typer.Option("--store", help="Where the rows go.")] = StoreKind.SQLITE,
    workers: Annotated[int, typer.Option("--workers", min=1, max=16, help="Processes that take events.")] = 1,
    events: Annotated[int, typer.Option("--events", min=10, max=1_000_000, help="How many to measure.")] = 20_000,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on standard output.")] = False,
) -> None:
    """Events a second from mosquitto to committed rows, beside a subscriber that only counts the same messages."""
    from gate.errors import GateError
    from simulator.bench_ingest import run_bench_ingest

    if workers > 1 and store is not StoreKind.POSTGRES:
        raise GateError("several workers need a database that they can share: add --store postgres")
    raise typer.Exit(run_bench_ingest(store=store.value, workers=workers, events=events, is_json=as_json))


def demo(
    travellers: Annotated[
        int | None, typer.Option("--travellers", min=1, help="End after so many.", show_default=False)
    ] = None,
    headless: Annotated[
        bool, typer.Option("--headless", help="End by itself; exit 1 unless all ends as expected.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on standard output.")] = False,
    scenario: Annotated[
        Path | None, typer.Option("--scenario", help="Another scenario (TOML).", show_default=False)
    ] = None,
    no_officers: Annotated[bool, typer.Option("--no-officers", help="Nobody answers referrals but you.")] = False,
    log: Annotated[Path | None, typer.Option("--log", help="Where the processes' logs go.", show_default=False)] = None,
) -> None:
    """A port to look at: broker, hub, screens and two lanes with simulated boards and travellers, all on loopback."""
    from simulator.demo import run_demo

    code = run_demo(
        travellers=travellers,
        is_headless=headless,
        is_json=as_json,
        scenario_file=scenario,
        has_officers=not no_officers,
        log_file=log,
    )
    raise typer.Exit(code)
