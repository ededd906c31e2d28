"""``gate doctor``: does everything that a lane needs work, and what to do where it does not."""

import json
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from gate.cli.run import SiteOption

if TYPE_CHECKING:
    from config.schema import Lane, Site
    from gate.cli.checkup import Finding

PAUSE_S = 2.0
_MARKS = {"ok": "✓", "warning": "!", "failed": "✗", "not_configured": "-"}
_STYLES = {"ok": "green", "warning": "yellow", "failed": "bold red", "not_configured": "dim"}


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("doctor")(doctor)


def doctor(
    site: SiteOption,
    lane: Annotated[
        str | None, typer.Option("--lane", help="Which lane; needed where there are several.", show_default=False)
    ] = None,
    is_looping: Annotated[bool, typer.Option("--loop", help="Again and again, while you mend things.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a round on standard output.")] = False,
) -> None:
    """Try every device of a lane; exit 1 when one does not work. Opens no door. Stop the lane first: a port has one user."""
    import asyncio

    from config.loader import load_site

    settings = load_site(site)
    chosen = _choose(settings, lane)
    try:
        while True:
            is_well = asyncio.run(_round(settings, chosen, as_json=as_json))
            if not is_looping:
                raise typer.Exit(0 if is_well else 1)
            asyncio.run(asyncio.sleep(PAUSE_S))
    except KeyboardInterrupt:
        raise typer.Exit(0) from None


def _choose(site: "Site", lane_id: str | None) -> "Lane":
    from gate.errors import GateError

    if lane_id is None and len(site.lanes) == 1:
        return site.lanes[0]
    lane = site.lane(lane_id) if lane_id is not None else None
    if lane is None:
        known = ", ".join(item.id for item in site.lanes)
        what = "choose a lane" if lane_id is None else f"there is no lane {lane_id!r} at {site.port.id}"
        raise GateError(f"{what}: give one of {known} with --lane")
    return lane


async def _round(site: "Site", lane: "Lane", *, as_json: bool) -> bool:
    from gate.cli.checkup import Verdict, examine

    findings: list[Finding] = []
    async for finding in examine(site, lane):
        findings.append(finding)
        if not as_json:
            _show(finding)
    is_well = all(finding.verdict is not Verdict.FAILED for finding in findings)
    if as_json:
        rows = [
            {"what": item.what, "verdict": item.verdict.value, "seen": item.seen, "remedy": item.remedy or None}
            for item in findings
        ]
        print(json.dumps({"lane": lane.id, "ok": is_well, "findings": rows}, ensure_ascii=False), flush=True)
    else:
        print(_summary(lane.id, findings), file=sys.stderr)
    return is_well


def _show(finding: "Finding") -> None:
    from rich.console import Console
    from rich.text import Text

    verdict = finding.verdict.value
    line = Text.assemble((f"{_MARKS[verdict]} ", _STYLES[verdict]), f"{finding.what:16} {finding.seen}")
    console = Console(highlight=False, soft_wrap=True)
    console.print(line)
    if finding.remedy:
        console.print(Text(f"  {'':16} → {finding.remedy}", style="cyan"))


def _summary(lane_id: str, findings: "list[Finding]") -> str:
    counts = {name: sum(item.verdict.value == name for item in findings) for name in ("failed", "warning")}
    if not any(counts.values()):
        return f"lane {lane_id}: everything works"
    return f"lane {lane_id}: {counts['failed']} not working, {counts['warning']} to look at"
