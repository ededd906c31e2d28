"""What `gate doctor` looks at beside board and cameras: contacts, turnstile, readers, codes, chips, inspection machines."""

import asyncio
import os
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from importlib.metadata import version

from config.equipment import Contacts, Xray
from config.schema import Lane, Site
from drivers.errors import DeviceError
from drivers.osdp import AccessReader, ReaderColour, ReaderEvent, ReaderLost, ReaderResult, ReaderSound
from drivers.relay import TurnstileEvent, TurnstileFault, TurnstileReady
from drivers.sensors import MatReading, RadiationReading, StopState
from gate.cli import checkup
from gate.cli.checkup import Finding, Verdict, failed, ok, warning
from gate.cli.checkup_chip import check_chips
from gate.devices import LaneContacts, open_contacts, open_readers, open_turnstile
from gate.errors import GateError

LIGHT_S = 0.7
_CABLE = "see its cable, its address and whether the lane is running already"


async def check_equipment(site: Site, lane: Lane) -> AsyncIterator[Finding]:
    """Everything that the settings name; what they do not name is not spoken of."""
    if lane.contacts is not None:
        for finding in await check_contacts(lane.contacts):
            yield finding
    if lane.turnstile is not None:
        yield await check_turnstile(lane)
    for finding in await check_readers(lane):
        yield finding
    if site.policy.boarding_pass != "off" or site.policy.health_code != "off":
        yield await asyncio.to_thread(check_codes, site)
    async for finding in check_chips(site, lane):
        yield finding
    for machine in site.xray:
        if machine.lane in (None, lane.id):
            yield await asyncio.to_thread(check_xray, machine)


async def check_contacts(settings: Contacts) -> list[Finding]:
    """Reads the module's contacts. Nobody needs to walk: what stands idle is known."""
    contacts, stops = open_contacts(settings), list[StopState]()
    where = f"{settings.port}, unit {settings.unit}"
    started: list[Callable[[], Awaitable[None]]] = []
    try:
        if contacts.portal is not None:
            await contacts.portal.start()
            started.append(contacts.portal.stop)
        if contacts.mat is not None:
            await contacts.mat.start()
            started.append(contacts.mat.stop)
        if contacts.emergency_stop is not None:
            await contacts.emergency_stop.start(stops.append)
            started.append(contacts.emergency_stop.stop)
        return await _read_contacts(contacts, stops, where)
    except DeviceError as error:
        return [failed("contacts", str(error), _CABLE)]
    finally:
        for stop in reversed(started):
            await stop()


async def _read_contacts(contacts: LaneContacts, stops: list[StopState], where: str) -> list[Finding]:
    def is_heard() -> bool:
        portal_ok = contacts.portal is None or contacts.portal.read(time.monotonic_ns()) is not None
        mat_ok = contacts.mat is None or contacts.mat.read() is not None
        return portal_ok and mat_ok and (contacts.emergency_stop is None or bool(stops))

    await checkup.wait_until(is_heard)
    await asyncio.sleep(0.2)  # an alarm that stands is in the images of the next moment, too
    found = []
    if contacts.portal is not None:
        found.append(_judge_portal(contacts.portal.read(time.monotonic_ns() - 200_000_000), where))
    if contacts.mat is not None:
        found.append(_judge_mat(contacts.mat.read(), where))
    if contacts.emergency_stop is not None:
        found.append(_judge_stop(stops, where))
    return found


def _judge_portal(reading: RadiationReading | None, where: str) -> Finding:
    if reading is None:
        remedy = (
            "see the portal's fault lamp, its contacts and the module's cable; until then every crossing is referred"
        )
        return failed("radiation portal", f"out of order or no answer at {where}", remedy)
    if reading.alarms:
        names = ", ".join(sorted(alarm.value for alarm in reading.alarms))
        return warning(
            "radiation portal", f"alarm now: {names}", "take the source away, or see whether a wire is broken"
        )
    return ok("radiation portal", "watching, no alarm")


def _judge_mat(reading: MatReading | None, where: str) -> Finding:
    if reading is None:
        remedy = "see the mat's cable, its cell and low and high in the settings; until then every crossing is referred"
        return failed("floor mat", f"no answer or out of range at {where}", remedy)
    seen = "occupied" if reading.is_occupied else "empty"
    if reading.mass_kg is not None:
        seen += f", {reading.mass_kg:.1f} kg"
    if reading.is_occupied:
        return warning("floor mat", seen, "clear the lane; if nothing stands on it, set zero or see the mat")
    return ok("floor mat", seen)


def _judge_stop(stops: list[StopState], where: str) -> Finding:
    last = stops[-1] if stops else None
    if last is None or last.is_pressed is None:
        reason = last.reason if last is not None else "no answer"
        return failed("further stop", f"{reason} at {where}", _CABLE)
    if last.is_pressed:
        return failed("further stop", "pressed, or its wire is broken", "release it, then acknowledge at the console")
    return ok("further stop", "not pressed")


async def check_turnstile(lane: Lane) -> Finding:
    """Asks the module and looks at the passage contact. The relay is not pulsed: somebody would get through."""
    events: list[TurnstileEvent] = []
    settings = lane.turnstile
    turnstile = open_turnstile(lane)
    if turnstile is None or settings is None:
        return Finding(what="turnstile", verdict=Verdict.NOT_CONFIGURED, seen="this lane has none")
    try:
        await turnstile.start(events.append)
    except DeviceError as error:
        return failed("turnstile", str(error), _CABLE)
    try:
        await checkup.wait_until(lambda: bool(events))
    finally:
        await turnstile.stop()
    fault = next((event for event in events if isinstance(event, TurnstileFault)), None)
    if fault is None and any(isinstance(event, TurnstileReady) for event in events):
        return ok("turnstile", "answers, passage contact at rest (its relay was not tried: that lets somebody through)")
    reason = fault.reason if fault is not None else "no answer, or the passage contact does not rest"
    return failed("turnstile", f"{reason} at {settings.port}, unit {settings.unit}", _CABLE)


async def check_readers(lane: Lane) -> list[Finding]:
    """Brings each up in its secure channel, lights its lamp and sounds it once, so that who stands there sees which one it is."""
    readers = open_readers(lane)
    lost: dict[str, list[str]] = {name: [] for name in readers}
    found: list[Finding] = []
    started: list[AccessReader] = []
    failures: dict[str, Finding] = {}

    def listen(name: str) -> Callable[[ReaderEvent], None]:
        def take(event: ReaderEvent) -> None:
            if isinstance(event, ReaderLost):
                lost[name].append(event.reason)

        return take

    try:
        for name, reader in readers.items():
            try:
                await reader.start(listen(name))
                started.append(reader)
            except DeviceError as error:
                failures[name] = failed(f"reader {name}", str(error), "see its key file, its port and its address")
        await checkup.wait_until(lambda: all(reader.is_up for reader in started))
        for name, reader in readers.items():
            found.append(failures.get(name) or await _try_reader(name, reader, lost[name]))
    finally:
        for reader in started:
            await reader.stop()
    return found


async def _try_reader(name: str, reader: AccessReader, lost: list[str]) -> Finding:
    what = f"reader {name}"
    if not reader.is_up:
        reason = lost[-1] if lost else "no secure channel"
        return failed(what, reason, "see its cable, its address and whether its key is the one in key_file")
    lit = await reader.show(ReaderColour.BLUE, is_blinking=True)
    sounded = await reader.sound(ReaderSound.SHORT)
    await asyncio.sleep(LIGHT_S)
    await reader.show(ReaderColour.OFF)
    if lit is ReaderResult.DONE and sounded is ReaderResult.DONE:
        return ok(what, "secure channel stands; its lamp blinked blue and it sounded")
    seen = f"secure channel stands; lamp {lit.value}, buzzer {sounded.value}"
    return warning(what, seen, "this reader may have no lamp or no buzzer")


def check_codes(site: Site) -> Finding:
    """The decoder and the authorities' keys."""
    from gate.checks.travel_codes import load_authority_keys

    try:
        from drivers.codes.zxing import ZxingReader

        ZxingReader()
    except ImportError as error:
        return failed("codes", str(error), "install the package zxing-cpp")
    folder = site.policy.health_authority_keys_dir
    seen = f"zxing-cpp {version('zxing-cpp')}"
    if site.policy.health_code == "off" or folder is None:
        return ok("codes", seen)
    try:
        keys = load_authority_keys(folder)
    except GateError as error:
        return failed("codes", str(error), "get the health authorities' public keys")
    if not keys:
        return warning(
            "codes", f"{seen}, no authority's key in {folder}", "put their keys there: no declaration can pass"
        )
    return ok("codes", f"{seen}, {len(keys)} authorities' keys")


def check_xray(machine: Xray) -> Finding:
    """The folder's rights and what waits in it, or the listener's token, port and certificate."""
    what = f"X-ray {machine.id}"
    return _check_folder(what, machine) if machine.kind == "folder" else _check_listener(what, machine)


def _check_folder(what: str, machine: Xray) -> Finding:
    from drivers.xray.folder import REFUSED

    folder = machine.folder
    if folder is None or not folder.is_dir():
        return failed(what, f"the folder {folder} is not there", "make it, or mount the machine's share")
    if not os.access(folder, os.R_OK | os.W_OK | os.X_OK):
        return failed(
            what, f"the folder {folder} may not be written", "give the hub's user the right to move files in it"
        )
    with os.scandir(folder) as entries:
        waiting = [entry.stat().st_mtime for entry in entries if entry.is_file()]
    refused = len(list((folder / REFUSED).glob("*.txt"))) if (folder / REFUSED).is_dir() else 0
    oldest_s = datetime.now(UTC).timestamp() - min(waiting) if waiting else 0.0
    seen = f"{folder}: {len(waiting)} files wait, {refused} scans refused"
    if oldest_s > 120:
        return warning(
            what, f"{seen}, the oldest for {oldest_s / 60:.0f} minutes", "see whether the hub runs and its log"
        )
    if refused:
        return warning(what, seen, f"read the text beside each in {folder / REFUSED}")
    return ok(what, seen)


def _check_listener(what: str, machine: Xray) -> Finding:
    import socket

    from drivers.xray.listener import load_token

    if machine.token_file is None or machine.port is None:
        return failed(what, "no token_file or port", "set both")
    try:
        load_token(machine.token_file)
    except DeviceError as error:
        return failed(what, str(error), "gate doctor must run as the hub's user to see it")
    for file in (machine.certificate_file, machine.key_file):
        if file is not None and not os.access(file, os.R_OK):
            return failed(what, f"{file} cannot be read", "set the listener's TLS certificate and key")
    where = f"{machine.host}:{machine.port}"
    try:
        socket.create_connection((machine.host, machine.port), timeout=checkup.BOUND_S).close()
    except OSError:
        return warning(what, f"token good; nothing listens at {where}", "it listens once the hub runs ('gate hub')")
    return ok(what, f"token good; listens at {where}")
