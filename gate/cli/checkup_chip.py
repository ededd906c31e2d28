"""What `gate doctor` looks at about chips: the reader under the glass, and whom the site trusts."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime

from config.schema import Lane, Site
from drivers.chip.errors import ChipFailed
from drivers.errors import DeviceError
from gate.checks.emrtd.faults import ChipFault
from gate.checks.emrtd.store_file import load_store
from gate.cli.checkup import Finding, failed, ok, warning
from gate.devices import open_chip_reader

CONNECT_MS = 300


async def check_chips(site: Site, lane: Lane) -> AsyncIterator[Finding]:
    """The reader and the trust store, where the lane has a reader."""
    if lane.chip_reader is None:
        return
    yield await asyncio.to_thread(check_chip_reader, lane)
    yield await asyncio.to_thread(check_trust_store, site, datetime.now(UTC))


def check_chip_reader(lane: Lane) -> Finding:
    """Asks the reader for whatever lies on it; an empty one is as good as one with a passport."""
    try:
        reader = open_chip_reader(lane)
        if reader is None:
            raise DeviceError("This lane has no chip reader; set lane.chip_reader.")
        try:
            atr = reader.connect(CONNECT_MS)
        finally:
            reader.close()
    except DeviceError as error:
        return failed("chip reader", str(error), "see its cable, pcscd, and whether the lane is running already")
    except ChipFailed as problem:
        return ok("chip reader", f"answers; {problem.detail}")
    return ok("chip reader", f"answers; a chip lies on it ({atr.hex().upper()})")


def check_trust_store(site: Site, now: datetime) -> Finding:
    """Whether issuers are known, and whether their revocation lists are of today."""
    path = site.chip.trust_store
    if path is None:
        return warning("trust store", "no file is named: no issuer is known", "set chip.trust_store; gate csca import")
    try:
        store = load_store(path)
    except ChipFault as error:
        return failed("trust store", str(error), "gate csca import")
    seen = f"{len(store.certificates)} CSCA certificates of {len(store.countries)} states"
    if not store.certificates:
        return warning(
            "trust store", seen, "gate csca import a master list: without one no chip is shown to be genuine"
        )
    old = sum(not item.is_current_at(now) for item in store.revocation_lists)
    if old or not store.revocation_lists:
        lists = f"{old} of {len(store.revocation_lists)} revocation lists out of date" if old else "no revocation list"
        return warning("trust store", f"{seen}, {lists}", "gate csca import the lists of the day")
    return ok("trust store", f"{seen}, {len(store.revocation_lists)} revocation lists")
