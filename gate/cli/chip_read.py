"""``gate chip read``: read a passport's chip at a reader, prove what can be proven, and keep its files if asked."""

from __future__ import annotations

import hashlib
import json
import secrets
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gate.errors import GateError

if TYPE_CHECKING:
    from drivers.chip.access_key import AccessKey
    from drivers.chip.channel import ApduChannel
    from drivers.chip.results import ChipProgress, ChipRead, ChipUnread
    from gate.lane.chip_inspection import ChipInspection

ANSWER_IS_NO = 1


def read(
    mrz: Annotated[
        list[str] | None,
        typer.Option("--mrz", help="A line of the printed zone; once for each line.", show_default=False),
    ] = None,
    can: Annotated[
        str | None, typer.Option("--can", help="The card access number instead of the zone.", show_default=False)
    ] = None,
    reader: Annotated[
        str | None,
        typer.Option("--reader", help="Part of the PC/SC reader's name; the first reader without.", show_default=False),
    ] = None,
    vpcd: Annotated[
        str | None,
        typer.Option("--vpcd", metavar="HOST:PORT", help="A virtual chip that listens there.", show_default=False),
    ] = None,
    replay: Annotated[
        Path | None, typer.Option("--replay", help="A recorded conversation instead of a reader.", show_default=False)
    ] = None,
    record: Annotated[
        Path | None,
        typer.Option("--record", help="Write the conversation there. It is personal data.", show_default=False),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", help="A folder for the chip's files. They are personal data.", show_default=False),
    ] = None,
    csca: Annotated[
        list[Path] | None,
        typer.Option("--csca", help="As for gate chip verify.", show_default=False),
    ] = None,
    wait_s: Annotated[float, typer.Option("--wait", min=0.1, max=600, help="Seconds to wait for a chip.")] = 10.0,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on standard output.")] = False,
) -> None:
    """Read a chip and verify it; exit 1 if it was not read, or is not shown to be genuine."""
    from datetime import UTC, datetime

    from drivers.chip.reader import ReadLimits, read_chip
    from drivers.chip.results import ChipRead
    from drivers.chip.trace import RecordedTrace, RecordingChannel
    from gate.cli.chip import trust_store
    from gate.lane.chip_inspection import inspect_chip

    key = _key(mrz, can)
    now = datetime.now(UTC)
    store = trust_store(csca, now)
    channel = _channel(reader, vpcd, replay)
    recorder = RecordingChannel(channel) if record is not None else None
    random = channel.random if isinstance(channel, RecordedTrace) else secrets.token_bytes
    limits = ReadLimits(connect_ms=round(wait_s * 1000), total_ms=round(wait_s * 1000) + 30_000)
    try:
        if recorder is not None:
            channel, random = recorder, recorder.random
        result = read_chip(channel, key, limits=limits, on_progress=_show_progress, random=random)
    finally:
        channel.close()
    if recorder is not None and record is not None:
        _write(record, lambda: recorder.save(record))
    if out is not None and isinstance(result, ChipRead):
        _keep(result, out)
    inspection = inspect_chip(result, store, now, printed_mrz=tuple(mrz) if mrz else None)
    report = _report(result, inspection)
    typer.echo(json.dumps(report, ensure_ascii=False) if as_json else _in_words(report))
    raise typer.Exit(0 if inspection.is_genuine else ANSWER_IS_NO)


def _key(lines: list[str] | None, can: str | None) -> AccessKey:
    from drivers.chip.access_key import CanKey
    from gate.checks.mrz import MrzRefusal, parse
    from gate.lane.chip_inspection import access_key

    if can is not None:
        if not can.isascii() or not can.isdigit():
            raise GateError("the card access number after --can has digits only; it is printed on the page")
        return CanKey(number=can)
    if not lines:
        raise GateError(
            "the chip opens with the printed zone: give each line with --mrz, or the access number with --can"
        )
    zone = parse(lines)
    if isinstance(zone, MrzRefusal):
        raise GateError(
            f"the lines after --mrz are no machine-readable zone ({zone.detail}); give every line as printed"
        )
    key = access_key(zone)
    if key is None or not zone.check_digits_ok:
        raise GateError("a check digit of the zone after --mrz is wrong, so it opens no chip; compare it with the page")
    return key


def _channel(reader: str | None, vpcd: str | None, replay: Path | None) -> ApduChannel:
    if replay is not None:
        from drivers.chip.trace import RecordedTrace

        return RecordedTrace.load(replay)
    if vpcd is not None:
        from drivers.chip.vpcd import VpcdChannel

        host, colon, port = vpcd.rpartition(":")
        if not colon or not port.isdigit():
            raise GateError(f"--vpcd {vpcd} is no address; write it as 127.0.0.1:35963")
        return VpcdChannel(host=host, port=int(port))
    from drivers.chip.pcsc import PcscChannel

    return PcscChannel(reader)


def _show_progress(progress: ChipProgress) -> None:
    """On a terminal only: a program that reads standard error wants problems there."""
    if sys.stderr.isatty():
        size = f" {progress.done_bytes} of {progress.total_bytes} bytes" if progress.total_bytes else ""
        print(f"\r\x1b[K{progress.stage}{size}", end="", file=sys.stderr, flush=True)


def _keep(result: ChipRead, folder: Path) -> None:
    """By the names that ``gate chip verify`` is given them: EF_SOD.bin, DG1.bin, ..."""

    def write() -> None:
        folder.mkdir(parents=True, exist_ok=True)
        for name, data in result.files.items():
            (folder / f"{name.replace('.', '_')}.bin").write_bytes(data)

    _write(folder, write)


def _write(path: Path, write: Any) -> None:
    try:
        write()
    except OSError as error:
        raise GateError(f"{path} cannot be written ({error.strerror}); give another place") from error


def _report(result: ChipRead | ChipUnread, inspection: ChipInspection) -> dict[str, Any]:
    from drivers.chip.results import ChipRead

    verdict, times = inspection.verdict, inspection.times
    report: dict[str, Any] = {
        "state": verdict.state.value,
        "is_genuine": inspection.is_genuine,
        "reason": verdict.reason,
        "attempts": inspection.attempts,
        "read_ms": round(times.total_ms, 2),
        "split_ms": {
            "crypto": round(times.crypto_ms, 2),
            "apdu": round(times.apdu_ms, 2),
            "parsing": round(times.parsing_ms, 2),
        },
        "commands": times.commands,
        "passive_authentication": verdict.passive.outcome.value if verdict.passive else "not_checked",
        "is_no_copy": verdict.is_no_copy.value,
        "checks": [check.to_json() for check in verdict.checks],
    }
    if not isinstance(result, ChipRead):
        return report | {"access": None, "files": {}, "unread": {}, "downgrade": None, "lines": None, "face": None}
    face, downgrade = inspection.face, result.downgrade
    return report | {
        "atr": result.atr.hex().upper(),
        "access": result.protocol,
        "files": {
            name: {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
            for name, data in result.files.items()
        },
        "unread": dict(result.unread),
        "downgrade": {"outcome": downgrade.outcome.value, "reason": downgrade.reason},
        "lines": list(inspection.mrz.lines) if inspection.mrz else None,
        "face": {"media_type": face.media_type, "bytes": len(face.data)} if face else None,
    }


def _in_words(report: dict[str, Any]) -> str:
    if report["access"] is None:
        return f"{report['state']}: {report['reason']}"
    checks = "\n".join(f"{one['outcome']:13} {one['name']:22} {one['reason']}" for one in report["checks"])
    files = ", ".join(f"{name} {file['bytes']}" for name, file in report["files"].items())
    unread = "".join(f"\nnot read: {name}: {why}" for name, why in report["unread"].items())
    lines = "\n".join(report["lines"] or ["the zone in the chip cannot be read"])
    down = report["downgrade"]
    return (
        f"opened by {report['access']} in {report['read_ms']:.0f} ms, {report['commands']} commands\n{lines}\n"
        f"files (bytes): {files}{unread}\n{checks}\n{down['outcome']:13} {'way_in':22} {down['reason']}\n"
        f"{'genuine' if report['is_genuine'] else 'NOT shown to be genuine'}"
    )
