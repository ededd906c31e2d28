"""``gate flow forecast|staff|backtest|flights|history``: how many travellers will come, and what that takes."""

import json
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

if TYPE_CHECKING:
    from config.schema import Site
    from gate.hub.flow import Outlook
    from gate.hub.store import Store

_Site = Annotated[Path, typer.Option("--site", help="The site file (TOML).", show_default=False)]
_Json = Annotated[bool, typer.Option("--json", help="One JSON object on standard output.")]
_Days = Annotated[int, typer.Option("--days", min=1, max=7, help="Days from today on.")]
_File = Annotated[Path, typer.Argument(help="CSV in UTF-8.", show_default=False)]
_QUARTER_MS = 900_000


def register(app: typer.Typer) -> None:
    """Add the group to the tree."""
    group = typer.Typer(no_args_is_help=True, help="Arrivals: forecast, lanes and officers they take, how good it is.")
    for command in (forecast, staff, backtest, flights, history):
        group.command(command.__name__)(command)
    app.add_typer(group, name="flow")


def forecast(site: _Site, days: _Days = 2, as_json: _Json = False) -> None:
    """Arrivals a quarter hour from today's midnight on, with the range in which eight of ten lie. Exit code 1: too little history."""
    settings, outlook = _look_ahead(site)
    said = outlook.prediction
    rows = [
        {
            "at_ms": outlook.start_ms + place * _QUARTER_MS,
            "arrivals": round(float(said.mean.flat[place]), 2),
            "low": float(said.low.flat[place]),
            "high": float(said.high.flat[place]),
        }
        for place in range(days * 96)
    ]
    if as_json:
        typer.echo(json.dumps({"made_ms": outlook.made_ms, "source": outlook.source, "quarters": rows}))
        return
    for row in rows:
        typer.echo(f"{_when(row['at_ms'], settings)}  {row['arrivals']:7.1f}  {row['low']:5.0f} to {row['high']:5.0f}")


def staff(
    site: _Site,
    days: _Days = 2,
    lanes: Annotated[
        int | None, typer.Option("--lanes", min=1, max=1000, help="As if the port had so many.", show_default=False)
    ] = None,
    as_json: _Json = False,
) -> None:
    """Lanes and officers a quarter hour so that 95 % wait less than promised. Exit code 1: the port has too few lanes for it."""
    from gate.checks.flow.staffing import plan_staffing

    settings, outlook = _look_ahead(site)
    plan = outlook.plan
    limit_s = settings.promise.waiting_limit_s
    if lanes is not None:
        plan = plan_staffing(outlook.prediction.scenarios(), outlook.times, limit_s=limit_s, lanes_available=lanes)
    plan = plan[: days * 96]
    rows = [
        {
            "at_ms": outlook.start_ms + place * _QUARTER_MS,
            "arrivals": round(item.arrivals, 2),
            "lanes": item.lanes,
            "officers": item.officers,
            "late": round(item.late, 4),
            "is_enough": item.is_enough,
        }
        for place, item in enumerate(plan)
    ]
    is_enough = all(item.is_enough for item in plan)
    if as_json:
        times = outlook.times
        head = {"waiting_limit_s": limit_s, "crossing_s": times.crossing_s, "officer_s": times.officer_s}
        rest = {"referral_ratio": times.referral_ratio, "is_enough": is_enough, "quarters": rows}
        typer.echo(json.dumps(head | rest))
    else:
        for row, item in zip(rows, plan, strict=True):
            short = "" if item.is_enough else f"  too few: {item.late:.0%} late"
            when = _when(outlook.start_ms + rows.index(row) * _QUARTER_MS, settings)
            typer.echo(f"{when}  {item.arrivals:7.1f}  {item.lanes:4} lanes  {item.officers:3} officers{short}")
    raise typer.Exit(0 if is_enough else 1)


def backtest(
    site: _Site,
    origins: Annotated[int, typer.Option("--origins", min=2, max=1000, help="From how many days in the past.")] = 52,
    as_json: _Json = False,
) -> None:
    """Forecast the past from what was known then, beside last week's numbers. Exit code 1: not a tenth better, or too little history."""
    from dataclasses import asdict
    from datetime import timedelta

    from gate.checks.flow.arrivals import MIN_DAYS, TooLittleHistory
    from gate.checks.flow.backtest import roll_origins, spread_origins
    from gate.checks.flow.series import DAY_MS, day_start_ms, local_day
    from gate.core.clock import SystemClock
    from gate.hub import flow_records

    settings, store = _opened(site)
    offset = settings.window.utc_offset_min
    try:
        with store.read() as connection:
            known = flow_records.history(connection, local_day(SystemClock().utc_ms(), offset))
            if known is None:
                _too_little()
            begin_ms = day_start_ms(known.first_day, offset) - DAY_MS
            timetable = flow_records.flights(connection, begin_ms, day_start_ms(known.end_day, offset) + DAY_MS)
    finally:
        store.close()
    first = known.first_day + timedelta(days=max(MIN_DAYS, len(known.counts) // 2))
    days = spread_origins(known, first=first, count=origins)
    if not days:
        _too_little()
    score = roll_origins(known, timetable, settings.window.holidays, offset, origins=days)
    if isinstance(score, TooLittleHistory):
        _too_little()
    if as_json:
        typer.echo(json.dumps(asdict(score), default=str))
    else:
        typer.echo(
            f"MASE {score.mase:.3f}, of last week's numbers {score.naive_mase:.3f}: {score.gain:.1%} better from "
            f"{score.origins} origins; {score.coverage:.0%} of quarters within their range"
        )
    raise typer.Exit(0 if score.gain >= 0.1 else 1)


def flights(site: _Site, file: _File) -> None:
    """Take a timetable: flight,scheduled,seats and where known estimated,cancelled. What was said of the same flight is replaced."""
    from gate.hub.flow_records import read_flights
    from gate.hub.flow_schema import FLOW_FLIGHTS
    from gate.hub.store import upsert_all

    settings, store = _opened(site)
    try:
        rows = read_flights(_text(file), settings.window.utc_offset_min)
        with store.write() as connection:
            upsert_all(connection, FLOW_FLIGHTS, rows)
    finally:
        store.close()
    print(f"{len(rows)} flights taken", file=sys.stderr)


def history(site: _Site, file: _File) -> None:
    """Take arrivals of the time before this hub: at,arrivals a quarter hour. Days that are in the file are replaced."""
    from gate.hub.flow_records import read_history, store_days

    settings, store = _opened(site)
    try:
        days = read_history(_text(file), settings.window.utc_offset_min)
        with store.write() as connection:
            count = store_days(connection, days, source="file")
    finally:
        store.close()
    print(f"{count} days taken", file=sys.stderr)


def _opened(site: Path) -> "tuple[Site, Store]":
    from config.loader import load_site
    from gate.hub.service import database_url
    from gate.hub.store import Store

    settings = load_site(site)
    store = Store(database_url(settings))
    store.migrate()
    return settings, store


def _look_ahead(site: Path) -> "tuple[Site, Outlook]":
    from gate.core.clock import SystemClock
    from gate.hub.flow import FlowDesk

    settings, store = _opened(site)
    try:
        outlook = FlowDesk(site=settings, store=store, clock=SystemClock()).refresh()
    finally:
        store.close()
    if outlook is None:
        _too_little()
    return settings, outlook


def _too_little() -> NoReturn:
    print(
        "gate: there is too little history for a forecast: it needs four weeks ('gate flow history FILE')",
        file=sys.stderr,
    )
    raise typer.Exit(1)


def _text(file: Path) -> str:
    from gate.errors import GateError

    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as problem:
        raise GateError(f"{file} cannot be read ({problem}): give a CSV file in UTF-8") from None


def _when(at_ms: float, settings: "Site") -> str:
    local_ms = at_ms + settings.window.utc_offset_min * 60_000
    return datetime.fromtimestamp(local_ms / 1000, tz=UTC).strftime("%Y-%m-%d %H:%M")
