"""What `gate doctor` looks at, one device after the other. It reads and asks; it moves no door and writes no record.

Every check is bounded in time and ends in a :class:`Finding`: what was seen, and what to do when it is not well.
"""

import asyncio
import shutil
import socket
import ssl
import tempfile
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from enum import StrEnum

from config.schema import Broker, Lane, Site
from gate.errors import GateError
from models.errors import ModelError

BOUND_S = 4.0
CLOCK_LIMIT_S = 2.0
"""Lanes forgive a hub's clock five seconds (gate.wire.signing); warn well before."""
MIN_FREE_BYTES = 500_000_000


class Verdict(StrEnum):
    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"
    NOT_CONFIGURED = "not_configured"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """``what`` was looked at, what was ``seen``, and the ``remedy`` when it is not well."""

    what: str
    verdict: Verdict
    seen: str
    remedy: str = ""


def ok(what: str, seen: str) -> Finding:
    return Finding(what=what, verdict=Verdict.OK, seen=seen)


def warning(what: str, seen: str, remedy: str) -> Finding:
    return Finding(what=what, verdict=Verdict.WARNING, seen=seen, remedy=remedy)


def failed(what: str, seen: str, remedy: str) -> Finding:
    return Finding(what=what, verdict=Verdict.FAILED, seen=seen, remedy=remedy)


async def examine(site: Site, lane: Lane) -> AsyncIterator[Finding]:
    """Everything that ``lane`` needs, in the order in which it would fail."""
    from gate.cli.checkup_board import check_board
    from gate.cli.checkup_equipment import check_equipment
    from gate.cli.checkup_sight import check_sight

    yield await asyncio.to_thread(check_keys, site, lane)
    yield await asyncio.to_thread(check_disk, site)
    yield await asyncio.to_thread(check_models)
    async for finding in check_board(lane):
        yield finding
    async for finding in check_sight(lane):
        yield finding
    async for finding in check_equipment(site, lane):
        yield finding
    yield await asyncio.to_thread(check_broker, site.broker)
    async for finding in check_hub(site):
        yield finding


# -- this machine ------------------------------------------------------------------------------------------------------


def check_keys(site: Site, lane: Lane) -> Finding:
    from gate.wire.keyring import Keyring

    keys = Keyring(site.keys_dir)
    try:
        own, hub = keys.lane(lane.id), keys.hub_public()
    except GateError as error:
        if site.hub.is_embedded and not keys.lane_file(lane.id).exists():
            return Finding(what="keys", verdict=Verdict.NOT_CONFIGURED, seen="made when the lane first starts")
        return failed("keys", str(error), "gate keys init --site ...")
    return ok("keys", f"lane {own.kid[:10]}…, hub {hub.kid[:10]}…")


def check_disk(site: Site) -> Finding:
    """Whether records can be written, and room is left for them."""
    folder = site.state_dir
    there = next((parent for parent in (folder, *folder.absolute().parents) if parent.exists()), folder)
    try:
        with tempfile.TemporaryFile(dir=there):
            free = shutil.disk_usage(there).free
    except OSError as error:
        return failed(
            "disk", f"{folder} cannot be written ({error.strerror})", "check state_dir, its owner and its disk"
        )
    seen = f"{free / 1e9:.1f} GB free at {folder}"
    return (
        ok("disk", seen)
        if free >= MIN_FREE_BYTES
        else warning("disk", seen, "free some space: a full disk stops the lane")
    )


def check_models() -> Finding:
    from models.store import ModelStore

    try:
        statuses = ModelStore().verify()
    except ModelError as error:
        return failed("models", str(error), "gate models prepare")
    return ok("models", f"{len(statuses)} have the sha256 of the manifest")


async def wait_until(condition: Callable[[], bool]) -> None:
    """Until it holds, or :data:`BOUND_S` are over."""
    end_s = time.monotonic() + BOUND_S
    while not condition() and time.monotonic() < end_s:  # noqa: ASYNC110  bounded, and reports come by callback
        await asyncio.sleep(0.02)


# -- the port --------------------------------------------------------------------------------------------------------------


def check_broker(broker: Broker) -> Finding:
    """Whether a TCP, and where configured TLS, connection can be made; the lane's own login is tried by its start."""
    where = f"{broker.host}:{broker.port}"
    if broker.is_embedded:
        return Finding(what="broker", verdict=Verdict.NOT_CONFIGURED, seen="embedded: it starts with the lane")
    try:
        with socket.create_connection((broker.host, broker.port), timeout=BOUND_S) as plain:
            if broker.ca_file is None:
                return ok("broker", f"answers at {where}")
            context = ssl.create_default_context(cafile=str(broker.ca_file))
            if broker.certificate_file is not None:
                context.load_cert_chain(broker.certificate_file, broker.key_file)
            with context.wrap_socket(plain, server_hostname=broker.host) as secured:
                return ok("broker", f"answers at {where} with {secured.version()}")
    except ssl.SSLError as error:
        return failed(
            "broker", f"{where}: {error.reason or error}", "see ca_file and whose certificate the broker shows"
        )
    except OSError as error:
        return failed(
            "broker", f"{where}: {error.strerror or error}", "see whether it runs, its address and the firewall"
        )


async def check_hub(site: Site) -> AsyncIterator[Finding]:
    """The hub's readiness, and its clock beside ours."""
    import httpx

    if site.hub.is_embedded:
        yield Finding(what="hub", verdict=Verdict.NOT_CONFIGURED, seen="embedded: it starts with the lane")
        return
    try:
        async with httpx.AsyncClient(timeout=BOUND_S, trust_env=False) as client:
            answer = await client.get(f"{site.hub.url}/readyz")
    except httpx.HTTPError as error:
        reason = str(error) or type(error).__name__
        yield failed(
            "hub", f"{site.hub.url}: {reason}", "see whether it runs ('gate hub'), its address and the firewall"
        )
        return
    if answer.is_success:
        yield ok("hub", f"ready at {site.hub.url}")
    else:
        yield failed(
            "hub", f"{site.hub.url} answers {answer.status_code}", "see the hub's log: store or broker is not there"
        )
    yield judge_clock(answer.headers.get("date"), datetime.now(UTC))


def judge_clock(stated: str | None, now: datetime) -> Finding:
    """``stated`` is an HTTP date (RFC 9110, 5.6.7; whole seconds)."""
    try:
        theirs = parsedate_to_datetime(stated) if stated else None
    except ValueError:
        theirs = None
    if theirs is None:
        return warning("clock", "the hub states no time", "compare the clocks by hand")
    ahead_s = (now - theirs).total_seconds() - 0.5
    seen = f"{abs(ahead_s):.1f} s {'ahead of' if ahead_s > 0 else 'behind'} the hub's"
    if abs(ahead_s) <= CLOCK_LIMIT_S:
        return ok("clock", seen)
    return failed("clock", seen, "let both keep time by NTP: a lane refuses commands of another hour")
