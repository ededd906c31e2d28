"""A port for measuring its screens: broker and hub as processes, lanes of which only the words exist. Everything on loopback."""

from __future__ import annotations

import contextlib
import hashlib
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, Self

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from config.loader import dump_site, load_site, sites_dir
from config.schema import Lane, Site
from gate.core.clock import SystemClock
from gate.core.evidence import Attachment, Evidence, Finding
from gate.embedded import start_embedded_broker
from gate.errors import GateError
from gate.hub.blobs import BlobStore
from gate.hub.evidence.keys import EvidenceKeys
from gate.hub.schema import BLOBS
from gate.hub.service import database_url
from gate.hub.store import Store, insert_new
from gate.wire.keyring import Keyring
from gate.wire.messages import CloudEvent, EventType, LaneState, event_source, new_event_id, utc
from gate.wire.mqtt import end
from gate.wire.topics import Channel, lane_topic
from simulator.ending import sigterm_unwinds
from simulator.officers import Login, create_logins
from simulator.port import START_TIMEOUT_S, STOP_TIMEOUT_S, free_port

PNG = "image/png"


class BenchPort:
    """Starts the port on entry and ends it on exit. ``site`` and ``logins`` say what it is.

    ``lanes``: how many. ``has_own_console``: the screens in a process of their own, as a larger port has them, at ``url``.
    """

    def __init__(self, *, lanes: int = 1, has_own_console: bool = False) -> None:
        self._lane_count = lanes
        self._has_own_console = has_own_console
        self.url = ""
        self._pids: dict[str, int] = {}
        self._stack = contextlib.ExitStack()
        self._clock = SystemClock()
        self._sequences: dict[str, int] = {}
        self.logins: dict[str, Login] = {}
        self.site: Site
        self._mqtt: mqtt.Client
        self._store: Store
        self._blobs: BlobStore

    def __enter__(self) -> Self:
        try:
            self._open()
        except BaseException:
            self._stack.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def _open(self) -> None:
        self._stack.enter_context(sigterm_unwinds())
        folder = Path(self._stack.enter_context(tempfile.TemporaryDirectory(prefix="tongguan-")))
        template = load_site(sites_dir() / "demo.toml")
        self.site = template.model_copy(
            update={
                "state_dir": folder / "state",
                "lanes": _many(template.lanes[0], self._lane_count),
                "broker": template.broker.model_copy(update={"port": free_port()}),
                "hub": template.hub.model_copy(update={"url": f"http://127.0.0.1:{free_port()}"}),
            }
        )
        self.site.state_dir.mkdir(parents=True)
        site_file = folder / "site.toml"
        dump_site(self.site, site_file)
        Keyring(self.site.keys_dir).create_missing(lane.id for lane in self.site.lanes)
        self.logins = {login.user: login for login in create_logins(self.site)}
        self._stack.callback(start_embedded_broker(self.site).stop)
        self._start_hub(site_file)
        self._store = Store(database_url(self.site))
        self._stack.callback(self._store.close)
        self._blobs = BlobStore(Path(self.site.state_dir) / "evidence", EvidenceKeys(self.site.keys_dir))
        self._mqtt = mqtt.Client(CallbackAPIVersion.VERSION2, client_id="bench-lanes")
        self._mqtt.connect(self.site.broker.host, self.site.broker.port)
        self._mqtt.loop_start()
        self._stack.callback(end, self._mqtt)

    def _start_hub(self, site_file: Path) -> None:
        self.url = self.site.hub.url
        screens = ["--no-screens"] if self._has_own_console else []
        self._start("hub", ["--site", str(site_file), *screens], f"{self.url}/readyz")
        if self._has_own_console:
            address = f"127.0.0.1:{free_port()}"
            self.url = f"http://{address}"
            self._start("console", ["--site", str(site_file), "--listen", address], f"{self.url}/login")

    def _start(self, name: str, arguments: list[str], sign_of_life: str) -> None:
        import httpx

        command = [sys.executable, "-m", "gate", name, *arguments]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self._stack.callback(_stop, process)
        self._pids[name] = process.pid
        deadline = time.monotonic() + START_TIMEOUT_S
        while True:
            with contextlib.suppress(httpx.HTTPError):
                if httpx.get(sign_of_life, timeout=5, trust_env=False).is_success:
                    return
            if process.poll() is not None:
                raise GateError(f"the {name} ended with code {process.returncode}: run 'gate {name}' alone to see why")
            if time.monotonic() > deadline:
                raise GateError(
                    f"the {name} was not ready within {START_TIMEOUT_S:.0f} s: run 'gate {name}' alone to see why"
                )
            time.sleep(0.05)

    def cpu_s(self, name: str) -> float:
        """Processor time that the ``hub`` or the ``console`` has used so far, in seconds; 0.0 for one that is not there."""
        import os

        try:
            fields = Path(f"/proc/{self._pids[name]}/stat").read_text().rpartition(")")[2].split()
        except (KeyError, OSError):
            return 0.0
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def keep_picture(self, kind: str, content: bytes, case_id: str) -> Attachment:
        """Put a PNG where the hub keeps scans, as its own intake does (:mod:`gate.hub.scans.intake`)."""
        sha256 = hashlib.sha256(content).hexdigest()
        self._blobs.put(sha256, content)
        row = {
            "sha256": sha256,
            "size": len(content),
            "media_type": PNG,
            "lane": self.site.lanes[0].id,
            "case_id": case_id,
            "stored_ms": self._clock.utc_ms(),
        }
        with self._store.write() as connection:
            insert_new(connection, BLOBS, [row])
        return Attachment(kind=kind, sha256=sha256, media_type=PNG)

    def refer(self, case_id: str, *findings: Finding, attachments: tuple[Attachment, ...]) -> None:
        """Let the lane say that a traveller is inside and must be looked at, with these pictures."""
        lane = self.site.lanes[0].id
        evidence = Evidence(port=self.site.port.id, lane=lane, case_id=case_id)
        self.say(lane, EventType.CROSSING_STARTED, {"case_id": case_id})
        evidence = evidence.extended(findings=findings, attachments=attachments, occupancy_id=f"stay-{case_id}")
        said = {"case_id": case_id, "digest": evidence.digest()}
        recorded = {**said, "revision": evidence.revision, "evidence": evidence.to_json()}
        self.say(lane, EventType.EVIDENCE_RECORDED, recorded)
        reasons = [finding.code for finding in findings]
        roles = sorted({finding.role for finding in findings})
        self.say(lane, EventType.CROSSING_DECIDED, {**said, "decision": "refer", "reasons": reasons, "roles": roles})

    def say_state(self, lane: str, state: LaneState) -> None:
        """A lane's retained word on what it does."""
        topic = lane_topic(self.site.port.id, lane, Channel.STATE)
        self._mqtt.publish(topic, state.model_dump_json(), qos=0, retain=True)

    def say(self, lane: str, event_type: EventType, data: dict[str, Any], *, at_ms: int | None = None) -> None:
        """A lane's event, as it comes out of its outbox; of now, or of an earlier moment."""
        self._sequences[lane] = self._sequences.get(lane, 0) + 1
        event = CloudEvent(
            id=new_event_id(),
            source=event_source(self.site.port.id, lane),
            type=event_type,
            time=utc(self._clock.utc_ms() if at_ms is None else at_ms),
            sequence=self._sequences[lane],
            data=data,
        )
        self._mqtt.publish(lane_topic(self.site.port.id, lane, Channel.EVENT), event.model_dump_json(), qos=1)


def _many(lane: Lane, count: int) -> tuple[Lane, ...]:
    """So many lanes like this one, each with an id and a board of its own."""
    if count == 1:
        return (lane,)
    return tuple(
        lane.model_copy(
            update={
                "id": f"lane-{number:03d}",
                "title": f"Lane {number}",
                "board": lane.board.model_copy(update={"port": f"/dev/none-{number}"}),
                **dict.fromkeys(("thermometer", "turnstile", "chip_reader", "document_light", "contacts")),
            }
        )
        for number in range(1, count + 1)
    )


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(STOP_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
