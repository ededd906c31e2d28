"""Composition: a lane, a hub with its screens and a broker out of a site's settings and a set of drivers.

Nothing below this module knows how the parts find each other, and nothing here knows whether a device is real.
"""

import asyncio
import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import structlog

from config.schema import Lane, Site
from gate import __version__
from gate.core.clock import Clock, SystemClock
from gate.core.events import Event
from gate.core.evidence import Finding
from gate.core.guard import Guard
from gate.core.state import LaneState
from gate.devices import LaneDevices, open_devices, open_xray
from gate.errors import GateError
from gate.lane.casework import Casework
from gate.lane.equipment import Equipment
from gate.lane.eyes import Eyes, open_eyes
from gate.lane.hub_link import HubLink
from gate.lane.hub_lookups import HubLookups
from gate.lane.lookups import Lookups
from gate.lane.prefetch import Prefetched
from gate.lane.runtime import LaneRuntime
from gate.lane.start import Start
from gate.lane.store import LaneStore, OutboxRow
from gate.lane.uplink import Uplink
from gate.lane.vision import Vision
from gate.lane.watchlist import LOOKUP as WATCHLIST
from gate.lane.watchlist import FaceWatch, WatchKeeper
from gate.settings import (
    chip_watch,
    clearance_policy,
    document_lamps,
    face_observers,
    fittings,
    lane_policy,
    liveness,
    thermometry,
    travel_codes,
    travel_policy,
)
from gate.wire import messages as wire
from gate.wire.identity import as_identity, hub_identity
from gate.wire.keyring import Keyring
from gate.wire.messages import Act, Command
from gate.wire.signing import CommandVerifier, Refused, SigningKey, VerifiedCommand, Verifier, sign_command
from models.store import ModelStore

if TYPE_CHECKING:
    from fastapi import FastAPI

_log = structlog.get_logger(__name__)

VISION_MARGIN_MS = 1_500
"""The comparison gives up so long before the machine's own timer would, so that a referral carries what was measured."""


class LaneProgram:
    """One lane, put together. :meth:`run` until cancelled; :attr:`runtime` and :attr:`uplink` can be looked at while it runs."""

    def __init__(
        self,
        site: Site,
        lane: Lane,
        *,
        devices: LaneDevices,
        eyes: Eyes,
        clock: Clock | None = None,
        on_change: Callable[[LaneState], None] = lambda _state: None,
    ) -> None:
        self._site = site
        self._devices = devices
        clock = clock or SystemClock()
        self._clock = clock
        self._address = f"{site.port.id}/{lane.id}"
        keys = Keyring(site.keys_dir)
        self._key = keys.lane(lane.id)
        hub_keys = Verifier.trusting(*keys.hub_publics())
        self.store = LaneStore(site.state_dir / f"lane-{lane.id}.sqlite", port=site.port.id, lane=lane.id, clock=clock)
        self._start = Start(self.store, software_version=__version__, model_hashes=eyes.model_hashes)
        self._hub = HubLink(url=site.hub.url, address=self._address, key=self._key, clock=clock)
        self._prefetched = Prefetched(
            self._hub,
            site.policy.lookups if site.window.prefetch_hours else (),
            every_s=site.window.prefetch_every_s,
            max_age_s=site.window.prefetch_max_age_s,
            clock=clock,
        )
        self._watchlist = WatchKeeper(
            self._hub,
            folder=site.state_dir / f"lane-{lane.id}-watchlist",
            keys=hub_keys,
            port=site.port.id,
            clock=clock,
            every_s=site.watchlist.poll_s,
        )
        self._eyes = eyes
        self.casework = Casework(
            port=site.port.id,
            lane=lane.id,
            policy=clearance_policy(site, eyes),
            store=self.store,
            clock=clock,
            send=self._send,
            pictures_waiting=self._pictures_waiting,
            post=self._post,
            witnesses=self._witnesses,
            travel=travel_policy(site),
        )
        self._on_change = on_change
        self._chip = chip_watch(site, lane, devices, clock)
        self.runtime = self._make_runtime(lane)
        self.equipment = Equipment(
            fittings(lane, devices),
            runtime=self.runtime,
            casework=self.casework,
            store=self.store,
            clock=clock,
            lane=lane.id,
            scans=self._hub.scans_of if site.xray else None,
            is_scan_referring=site.policy.scans == "refer",
        )
        self._commands = self._make_verifier(hub_keys)
        self.uplink = self._make_uplink(lane, hub_keys)

    def _make_runtime(self, lane: Lane) -> LaneRuntime:
        site, devices = self._site, self._devices
        return LaneRuntime(
            policy=lane_policy(site, lane),
            clock=self._clock,
            store=self.store,
            board=devices.board,
            guard=self._make_guard(lane, self._clock),
            vision=self._make_vision(lane),
            casework=self.casework,
            look_up=Lookups(
                site.policy.lookups,
                [HubLookups(self._hub, site.policy.lookups), self._prefetched, self._watchlist],
                deadline_ms=site.policy.lookup_deadline_ms,
            ),
            faces=FaceWatch(self._watchlist, site.watchlist.face_threshold) if site.watchlist.face_threshold else None,
            celsius=thermometry(site, devices),
            self_release=self._self_release if site.policy.mode == "gate" else lambda _casework: None,
            publish=self._publish,
            on_change=self._changed,
        )

    def _make_vision(self, lane: Lane) -> Vision:
        site, devices, eyes = self._site, self._devices, self._eyes
        return Vision(
            face_camera=devices.face_camera,
            face_camera_2=devices.face_camera_2,
            document_camera=devices.document_camera,
            eyes=eyes,
            clock=self._clock,
            face_timeout_ms=max(500, site.policy.face_timeout_ms - VISION_MARGIN_MS),
            liveness=liveness(site, lane, eyes),
            codes=travel_codes(site, self._clock),
            lamps=document_lamps(lane, devices),
            chip=self._chip,
            observers=face_observers(devices, lane.kiosk_mirror_port, tell=self._told),
        )

    def _make_uplink(self, lane: Lane, hub_keys: Verifier) -> Uplink:
        site = self._site
        return Uplink(
            broker=as_identity(site.broker, lane.id),
            port=site.port.id,
            lane=lane.id,
            boot_id=self._start.boot_id,
            software_version=__version__,
            store=self.store,
            hub=self._hub,
            commands=self._commands,
            receipts=hub_keys,
            on_command=self.runtime.consider,
            on_refused=self.runtime.refused,
            on_store_failed=self.runtime.store_failed,
            clock=self._clock,
        )

    def _make_guard(self, lane: Lane, clock: Clock) -> Guard:
        return Guard(
            lane=self._address,
            boot_id=self._start.boot_id,
            clock=clock,
            sensor_max_age_ns=self._site.policy.sensor_max_age_ms * 1_000_000,
            is_spent=self.store.is_spent,
            spend=self._spend,
            has_entry=lane.has_entry,
        )

    def _make_verifier(self, hub_keys: Verifier) -> CommandVerifier:
        return CommandVerifier(
            hub_keys,
            address=self._address,
            clock=self._clock,
            last_seq=lambda: self.store.last_command_seq,
            remember=self.store.remember_command,
        )

    async def run(self) -> None:
        """Start everything and run the lane until cancelled; ends everything in the reverse order."""
        fetching: list[asyncio.Task[None]] = []
        try:
            if self._devices.thermometer is not None:
                self._devices.thermometer.start()
            self.runtime.record_start(lambda: self._start.write(self.casework))
            await self.uplink.start(self.runtime.ended)
            await self._hub.warm_up()
            await self.equipment.start()
            fetching.append(asyncio.create_task(self._prefetched.run()))
            if WATCHLIST in self._site.policy.lookups:
                fetching.append(asyncio.create_task(self._watchlist.run()))
            for task in fetching:
                task.add_done_callback(self.runtime.ended)
            await self.runtime.run()
        finally:
            for task in fetching:
                task.cancel()
            await asyncio.gather(*fetching, return_exceptions=True)
            await self.equipment.stop()
            await self.uplink.stop()
            await self._hub.close()
            if self._devices.thermometer is not None:
                self._devices.thermometer.stop()
            if self._chip is not None:
                self._chip.close()
            self.store.close()

    # Casework and runtime are made before what they send to: these hand on to whatever stands there by then.

    def _post(self, event: Event) -> None:
        self.runtime.put(event)

    def _witnesses(self, since_ns: int, person_count: int | None) -> tuple[Finding, ...]:
        return self.equipment.findings(since_ns, person_count)

    def _told(self, device: str, reason: str | None) -> None:
        self.equipment.tell(device, reason)

    def _changed(self, state: LaneState) -> None:
        self.equipment.entered(state)
        self._on_change(state)

    def _spend(self, release_id: str) -> None:
        """On disk first, then the turnstile behind the exit, which lets one through for each release that was spent."""
        self.casework.spend(release_id)
        self.equipment.released(release_id)

    def _publish(self, state: wire.LaneState) -> None:
        self.uplink.publish_state(state)

    def _send(self, rows: list[OutboxRow]) -> None:
        self.uplink.send(rows)

    def _pictures_waiting(self) -> None:
        self.uplink.pictures_waiting()

    def _self_release(self, casework: Casework) -> VerifiedCommand | None:
        """Mode ``gate``: the lane's own decision, signed and verified like any other release, good for this stay once."""
        here = casework.crossing
        if here is None or here.evidence.occupancy_id is None:
            return None
        return sign_own_release(
            self._key,
            address=self._address,
            clock=self._clock,
            case_id=here.case_id,
            occupancy_id=here.evidence.occupancy_id,
            evidence_digest=here.evidence.digest(),
        )


def sign_own_release(
    key: SigningKey, *, address: str, clock: Clock, case_id: str, occupancy_id: str, evidence_digest: str
) -> VerifiedCommand | None:
    """A release by the lane itself. It goes the whole way of a signed command, through a verifier that trusts this key only."""
    now_s = clock.utc_ms() / 1000
    command = Command(
        iss=address,
        aud=address,
        jti=secrets.token_hex(16),
        seq=1,
        iat=now_s,
        exp=now_s + 5,
        act=Act.RELEASE,
        by="rule",
        case_id=case_id,
        occupancy_id=occupancy_id,
        evidence_digest=evidence_digest,
    )
    own = CommandVerifier(
        Verifier.trusting(key.public()), address=address, clock=clock, last_seq=0, remember=lambda _seq: None
    )
    verified = own.verify(sign_command(key, command))
    return None if isinstance(verified, Refused) else verified


def build_lane(
    site: Site, lane_id: str, *, on_change: Callable[[LaneState], None] = lambda _state: None
) -> LaneProgram:
    """The lane ``lane_id`` of ``site`` with the devices that its settings name. GateError, DeviceError or ModelError otherwise."""
    lane = site.lane(lane_id)
    if lane is None:
        known = ", ".join(item.id for item in site.lanes)
        raise GateError(f"there is no lane {lane_id!r} at {site.port.id}: choose one of {known} with --lane")
    devices = open_devices(lane)
    eyes = open_eyes(
        ModelStore(),
        match_threshold=site.policy.face_threshold,
        reads_visual_zone=site.policy.visual_zone != "off",
    )
    return LaneProgram(site, lane, devices=devices, eyes=eyes, on_change=on_change)


def build_hub(site: Site, *, with_screens: bool = True) -> "FastAPI":
    """The hub's HTTP application, which runs the hub from its start-up to its shutdown, with the screens at ``/``."""
    from gate.hub.api import create_api
    from gate.hub.scans.intake import ScanIntake
    from gate.hub.service import Hub

    clock = SystemClock()
    site = site.model_copy(update={"broker": as_identity(site.broker, hub_identity(site.port.id))})
    keys = Keyring(site.keys_dir)
    hub = Hub(site, keys.hub(), {lane.id: keys.lane_publics(lane.id) for lane in site.lanes}, clock)
    intake = ScanIntake(hub, {machine.id: open_xray(machine) for machine in site.xray})
    app = create_api(hub)
    if with_screens:
        from gate.console.app import mount_console

        mount_console(app, site, hub_url=site.hub.url, clock=clock)
    inner = app.router.lifespan_context

    @asynccontextmanager
    async def lifespan(application: "FastAPI") -> AsyncIterator[Any]:
        hub.start()
        try:
            intake.start()
            async with inner(application) as state:
                yield state
        finally:
            intake.stop()
            hub.stop()

    app.router.lifespan_context = lifespan
    return app


def build_console(site: Site) -> "FastAPI":
    """The screens alone, for a process beside the hub: a port may have as many as its officers need."""
    from gate.console.app import create_console

    site = site.model_copy(update={"broker": as_identity(site.broker, hub_identity(site.port.id))})
    return create_console(site, hub_url=site.hub.url, clock=SystemClock())
