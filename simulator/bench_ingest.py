"""``gate bench ingest``: events a second from a real mosquitto to committed rows, beside a paho subscriber that only counts.

Both find the same messages waiting in a session of their own at the same broker, and are timed from the moment they set out to connect:
the bare one until it has counted all, the hub until all are in the database with their cases and lanes made. QoS 1 for both.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion
from sqlalchemy import create_engine, func, select

from config.loader import dump_site, parse_site
from config.schema import Site
from gate.errors import GateError
from gate.hub.audit.log import AuditKind
from gate.hub.schema import AUDIT, CASES, COMMANDS, DUE_CASES, EVENTS, LANES
from gate.hub.service import database_url
from gate.hub.store import Store
from gate.wire.keyring import Keyring
from gate.wire.mqtt import end
from gate.wire.topics import Channel, all_lanes, lane_topic
from simulator.ending import sigterm_unwinds
from simulator.lane_talk import MESSAGES_PER_CROSSING, talk
from simulator.rigs import Mosquitto, Postgres, wait_until

PORT = "bench"
LANES_COUNT = 200
_WITHIN_S = 300.0
_BARE = "bare"
_BARE_PROGRAM = """
import sys, time, threading
import paho.mqtt.client as mqtt
port, topic, wanted = int(sys.argv[1]), sys.argv[2], int(sys.argv[3])
client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, client_id="bare", clean_session=False)
state = {"count": 0}
done = threading.Event()
def count(*_):
    state["count"] += 1
    if state["count"] == wanted:
        state["ended"] = time.monotonic_ns()
        done.set()
client.on_connect = lambda c, *_: c.subscribe(topic, 1)
client.on_message = count
began, computed = time.monotonic_ns(), time.process_time_ns()
client.connect("127.0.0.1", port)
client.loop_start()
done.wait()
print(state["ended"] - began, time.process_time_ns() - computed, flush=True)
client.disconnect()
client.loop_stop()
"""


def run_bench_ingest(*, store: str, workers: int, events: int, is_json: bool) -> int:
    """Measure and print; returns the exit code. GateError when a program is missing or the hub stands still."""
    sharing: Literal["broker", "lanes"] = "lanes" if workers > 1 else "broker"  # as deploy/port has it
    crossings = max(1, events // MESSAGES_PER_CROSSING)
    figures = measure(store=store, workers=workers, crossings=crossings, sharing=sharing)
    if is_json:
        print(json.dumps(figures))
    else:
        for name, value in figures.items():
            print(f"{name:18} {value}")
    return 0


def measure(
    *, store: str, workers: int, crossings: int, sharing: Literal["broker", "lanes"] = "broker"
) -> dict[str, float | int | str]:
    """The keys of the command."""
    with ExitStack() as stack:
        stack.enter_context(sigterm_unwinds())
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="tongguan-bench-")))
        broker = stack.enter_context(Mosquitto(folder / "broker"))
        database = stack.enter_context(Postgres()).create("hub") if store == "postgres" else None
        site = make_site(folder, broker_port=broker.port, database=database, workers=workers, sharing=sharing)
        dump_site(site, folder / "site.toml")
        Store(database_url(site)).migrate()
        _subscribe_ahead(site, folder / "site.toml", workers)
        lanes = [lane.id for lane in site.lanes]
        messages = [
            (lane_topic(PORT, lane, Channel.EVENT), payload)
            for lane, _, payload in talk(PORT, lanes, crossings, int(time.time() * 1000))
        ]
        _publish(broker.port, messages)
        bare = _time_bare(broker.port, len(messages))
        ours = _time_hub(site, folder / "site.toml", workers, len(messages))
        cases, releases, commits = _outcome(site, len(messages), crossings)
    return {
        "store": store,
        "workers": workers,
        "sharing": sharing,
        "commits": commits,
        "events": len(messages),
        "cases": cases,
        "releases": releases,
        "bytes_per_event": round(sum(len(payload) for _, payload in messages) / len(messages)),
        "events_per_s": round(len(messages) / ours.elapsed_s, 1),
        "bare_events_per_s": round(len(messages) / bare.elapsed_s, 1),
        "ratio": round(bare.elapsed_s / ours.elapsed_s, 3),
        "cpu_us_per_event": round(ours.processor_s / len(messages) * 1e6, 1),
        "bare_cpu_us_per_event": round(bare.processor_s / len(messages) * 1e6, 1),
    }


def make_site(
    folder: Path,
    *,
    broker_port: int,
    database: str | None,
    workers: int,
    lanes: int = LANES_COUNT,
    sharing: Literal["broker", "lanes"] = "broker",
) -> Site:
    """A port with keys and nothing but a hub. More than one worker are processes of their own."""
    data = {
        "port": {"id": PORT, "title": "Bench"},
        "state_dir": str(folder / "state"),
        "broker": {"port": broker_port},
        "hub": {"ingest_workers": workers if workers > 1 else 0, "ingest_sharing": sharing}
        | ({"database_url": database} if database else {}),
        "role": [
            {"id": "customs", "title": "Customs", "title_zh": "海关", "colour": "#3aa0ff"},
            {"id": "quarantine", "title": "Quarantine", "title_zh": "检疫", "colour": "#37c98b"},
        ],
        "lane": [
            {
                "id": f"lane-{number}",
                "board": {"port": f"/dev/none-{number}"},
                "face_camera": {"kind": "folder", "source": "none"},
                "document_camera": {"kind": "folder", "source": "none"},
            }
            for number in range(1, lanes + 1)
        ],
    }
    site = parse_site(data, origin="bench")
    Keyring(site.keys_dir).create_missing(lane.id for lane in site.lanes)
    return site


def _subscribe_ahead(site: Site, site_file: Path, workers: int) -> None:
    """Have the broker keep everything for those that will come: the bare one, and the hub or its workers."""
    client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id=_BARE, clean_session=False)
    granted: list[object] = []
    client.on_connect = lambda paho, *_: paho.subscribe(all_lanes(PORT, Channel.EVENT), 1)
    client.on_subscribe = lambda *_: granted.append(True)
    client.connect("127.0.0.1", site.broker.port)
    client.loop_start()
    wait_until(lambda: bool(granted), "the subscription")
    end(client)
    with hub_processes(site_file, workers, waits=True):
        pass


def _publish(broker_port: int, messages: Sequence[tuple[str, bytes]]) -> None:
    client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id="lanes")
    client.max_inflight_messages_set(1000)
    client.connect("127.0.0.1", broker_port)
    client.loop_start()
    sent = [client.publish(topic, payload, qos=1) for topic, payload in messages]
    for info in sent:
        info.wait_for_publish(_WITHIN_S)
    end(client)


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """How long it took, and the processor's time of those that took it: neither the broker's nor the database's."""

    elapsed_s: float
    processor_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """Since when (monotonic) the first that takes events sets out to connect, and what each process had computed by then."""

    began_ns: int
    computed_s: dict[int, float]  # by process id

    def processor_s(self) -> float:
        """The processor's time since."""
        return sum(_processor_s(pid) - before for pid, before in self.computed_s.items())


def _processor_s(pid: int) -> float:
    """User and system time of a process (proc(5), stat, fields 14 and 15)."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _time_bare(broker_port: int, wanted: int) -> Taken:
    line = [sys.executable, "-c", _BARE_PROGRAM, str(broker_port), all_lanes(PORT, Channel.EVENT), str(wanted)]
    done = subprocess.run(line, capture_output=True, timeout=_WITHIN_S, check=True)
    elapsed_ns, computed_ns = map(int, done.stdout.split())
    return Taken(elapsed_s=elapsed_ns / 1e9, processor_s=computed_ns / 1e9)


@contextmanager
def hub_processes(site_file: Path, workers: int, *, waits: bool = False) -> Iterator[Running]:
    """A hub, and its workers when they are more than one.

    ``waits``: until all are subscribed.
    """
    line = [sys.executable, "-m", "simulator.hub_process", str(site_file)]
    numbers = [[str(number)] for number in range(1, workers + 1)] if workers > 1 else []
    processes = [subprocess.Popen([*line, *number], stdout=subprocess.PIPE) for number in ([], *numbers)]
    try:
        began = [int(process.stdout.readline() or 0) for process in processes if process.stdout is not None]
        computed = {process.pid: _processor_s(process.pid) for process in processes}
        if 0 in began:
            raise GateError("the hub that is to be measured ended at once: see its message above")
        for process in processes if waits else ():
            if process.stdout is None or not process.stdout.readline():
                raise GateError("the hub that is to be measured could not subscribe: see its message above")
        # The first to begin counts: whoever takes events later only finds less left.
        yield Running(began_ns=min(began[1:] or began), computed_s=computed)
    finally:
        for process in processes:
            process.terminate()
        for process in processes:
            process.wait(30)
            if process.stdout is not None:
                process.stdout.close()


def _time_hub(site: Site, site_file: Path, workers: int, wanted: int) -> Taken:
    engine = create_engine(database_url(site))
    stored = select(func.coalesce(func.sum(LANES.c.event_count), 0))
    left = select(func.count()).select_from(DUE_CASES)

    def is_done() -> bool:
        with engine.connect() as connection:
            return (connection.scalar(stored) or 0) >= wanted and connection.scalar(left) == 0

    try:
        with hub_processes(site_file, workers) as running:
            wait_until(is_done, "the last commit", _WITHIN_S)
            elapsed_s = (time.monotonic_ns() - running.began_ns) / 1e9
            return Taken(elapsed_s=elapsed_s, processor_s=running.processor_s())
    finally:
        engine.dispose()


def _outcome(site: Site, events: int, crossings: int) -> tuple[int, int, int]:
    """(cases, releases, commits with events). GateError unless every event is stored once and every case was made to its end."""
    engine = create_engine(database_url(site))
    with engine.connect() as connection:
        stored = connection.scalar(select(func.count()).select_from(EVENTS))
        closed = connection.scalar(select(func.count()).where(CASES.c.status == "closed")) or 0
        releases = connection.scalar(select(func.count()).select_from(COMMANDS)) or 0
        commits = connection.scalar(select(func.count()).where(AUDIT.c.kind == AuditKind.EVENTS_STORED)) or 0
    engine.dispose()
    if (stored, closed) != (events, crossings):
        raise GateError(f"the hub stored {stored} of {events} events and closed {closed} of {crossings} cases: a bug")
    return closed, releases, commits
