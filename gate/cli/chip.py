"""``gate chip``: reading is in `chip_read`; here, passive authentication of files that were read from a chip."""

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gate.cli import chip_read

if TYPE_CHECKING:
    from datetime import datetime

    from gate.checks.emrtd.results import PassiveAuthentication
    from gate.checks.emrtd.store import TrustStore


def register(app: typer.Typer) -> None:
    """Add the group to the tree."""
    group = typer.Typer(no_args_is_help=True, help="Electronic passports: read a chip, verify what it holds.")
    group.callback()(_chip)
    group.command("read")(chip_read.read)
    group.command("verify")(verify)
    app.add_typer(group, name="chip")


def _chip() -> None:
    """Electronic passports: read a chip, verify what it holds."""


def verify(
    sod: Annotated[Path, typer.Option("--sod", help="EF.SOD as it was read.")],
    groups: Annotated[
        list[str] | None,
        typer.Option(
            "--dg", metavar="N=FILE", help="A data group as it was read: 1=DG1.bin. Once for each.", show_default=False
        ),
    ] = None,
    com: Annotated[Path | None, typer.Option("--com", help="EF.COM as it was read.", show_default=False)] = None,
    csca: Annotated[
        list[Path] | None,
        typer.Option(
            "--csca",
            help="A trust store, or certificates, master lists, revocation lists, LDIF or deviations, or a folder of these. Once for each; "
            "without it, the store that gate csca import keeps.",
            show_default=False,
        ),
    ] = None,
    mrz: Annotated[
        list[str] | None,
        typer.Option(
            "--mrz", help="A line of the printed zone, to compare with data group 1. Once for each.", show_default=False
        ),
    ] = None,
    at: Annotated[
        str | None,
        typer.Option("--at", metavar="YYYY-MM-DD", help="As of this day instead of now.", show_default=False),
    ] = None,
    refuse_weak: Annotated[bool, typer.Option("--refuse-weak", help="SHA-1, SHA-224 and short keys fail.")] = False,
    need_crl: Annotated[
        bool, typer.Option("--need-crl", help="Nothing passes without a current revocation list.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on standard output.")] = False,
) -> None:
    """Whether these files are what the issuing state signed; exit 1 if that is not shown. Each check says why."""
    import time
    from datetime import UTC, datetime

    from gate.checks.emrtd.passive import ChipFiles, PassivePolicy, authenticate
    from gate.checks.emrtd.results import CheckOutcome
    from gate.checks.emrtd.sources import read_path

    now = _moment(at) if at else datetime.now(UTC)
    files = ChipFiles(
        sod=read_path(sod),
        groups={number: read_path(path) for number, path in map(_group, groups or ())},
        com=read_path(com) if com else None,
        printed_mrz=tuple(mrz) if mrz else None,
    )
    store = trust_store(csca, now)
    started_ns = time.perf_counter_ns()
    policy = PassivePolicy(needs_revocation=need_crl, refuses_weak=refuse_weak)
    result = authenticate(files, store, now, policy)
    elapsed_ms = (time.perf_counter_ns() - started_ns) / 1e6
    _show(result, store, elapsed_ms, is_json=as_json)
    raise typer.Exit(0 if result.outcome is CheckOutcome.PASS else 1)


def trust_store(paths: list[Path] | None, now: "datetime") -> "TrustStore":
    """The store that these paths make, or the one that ``gate csca import`` keeps; an empty one, said so, if there is none.

    What the import has to say goes to standard error. Raises ChipFault.
    """
    from gate.checks.emrtd.sources import gather
    from gate.checks.emrtd.store import TrustStore
    from gate.checks.emrtd.store_file import default_store_path, load_store

    if paths:
        report = gather(paths, now)
        for note in report.notes:
            print(f"note: {note}", file=sys.stderr)
        for refusal in report.refused:
            print(f"not taken: {refusal.title} in {refusal.source}: {refusal.reason}", file=sys.stderr)
        return report.store
    path = default_store_path()
    if path.exists():
        return load_store(path)
    print("no trust store: give --csca, or import certificates with gate csca import", file=sys.stderr)
    return TrustStore()


def _group(text: str) -> tuple[int, Path]:
    from gate.errors import GateError

    number, equals, path = text.partition("=")
    if not equals or not number.isascii() or not number.isdigit() or not 1 <= int(number) <= 16:
        raise GateError(
            f"--dg {text} is not a data group's number (1 to 16), an equals sign and a file; write --dg 1=DG1.bin"
        )
    return int(number), Path(path)


def _moment(day: str) -> "datetime":
    from datetime import UTC, datetime

    from gate.errors import GateError

    try:
        return datetime.strptime(day, "%Y-%m-%d").replace(hour=12, tzinfo=UTC)
    except ValueError:
        raise GateError(f"--at {day} is no day; write it as 2026-11-23") from None


def _show(result: "PassiveAuthentication", store: "TrustStore", elapsed_ms: float, *, is_json: bool) -> None:
    if is_json:
        document = {
            "passive_authentication": result.outcome.value,
            "checks": [check.to_json() for check in result.checks],
            "country": result.country or None,
            "authentic_groups": sorted(result.authentic_groups),
            "listed_groups": sorted(result.listed_groups),
            "csca_count": len(store.certificates),
            "elapsed_ms": round(elapsed_ms, 3),
        }
        typer.echo(json.dumps(document, ensure_ascii=False))
        return
    for check in result.checks:
        typer.echo(f"{check.outcome.value:13} {check.name.value:19} {check.reason}")
    typer.echo(f"passive authentication: {result.outcome.value}")
