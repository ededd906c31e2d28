"""A port whose programs are killed at random while a lane speaks: what must hold afterwards, and that it does.

The lane is a process too: it keeps its events in the outbox of a real :class:`~gate.lane.store.LaneStore`, sends what is not receipted, and
believes the hub's signed receipts only.
"""

from __future__ import annotations

import random
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import create_engine, func, select
from sqlalchemy.engine import Engine

from config.loader import dump_site
from config.schema import Site
from gate.hub.rebuilding import rebuild_projections
from gate.hub.schema import CASES, COMMANDS, DUE_CASES, EVENTS, LANES
from gate.hub.service import database_url
from simulator.bench_ingest import make_site
from simulator.ending import sigterm_unwinds
from simulator.lane_talk import MESSAGES_PER_CROSSING
from simulator.rigs import Mosquitto, NatsNode, Postgres, Program, free_ports, wait_until

_SETTLED_S = 300.0
"""A node of a cluster that was killed catches up with the others first, which a busy computer takes minutes for."""


class PythonProgram(Program):
    """One of our own modules, as a process."""

    def __init__(self, folder: Path, module: str, *arguments: str) -> None:
        super().__init__(folder)
        self._line = [sys.executable, "-m", module, *arguments]

    def command(self) -> Sequence[str]:
        return self._line

    def is_up(self) -> bool:
        return self.is_running


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What is left when everything has been said: all zero from ``lost`` on, or it is a fault of ours."""

    rounds: int
    struck: int  # rounds in which somebody had still something to say
    events: int
    lost: int
    doubled: int
    releases_doubled: int
    projections_changed: int
    cases_missing: int

    @property
    def is_clean(self) -> bool:
        return not (
            self.lost or self.doubled or self.releases_doubled or self.projections_changed or self.cases_missing
        )


@dataclass(slots=True)
class KillPort:
    """The programs of a port. ``mortal`` are those that are killed, by name."""

    site: Site
    lanes: list[PythonProgram]
    mortal: dict[str, Program]
    crossings: int
    _engine: Engine = field(init=False)

    def __post_init__(self) -> None:
        self._engine = create_engine(database_url(self.site), pool_pre_ping=True)

    def play(self, rounds: int, rng: random.Random, *, pause_s: tuple[float, float] = (0.05, 0.5)) -> Verdict:
        """``rounds`` times: let it run a moment, kill one at random, start it again. Then wait until all is said, and look."""
        struck = 0
        for _ in range(rounds):
            time.sleep(rng.uniform(*pause_s))
            struck += not self._has_said_all()
            victim = self.mortal[rng.choice(sorted(self.mortal))]
            victim.kill()
            time.sleep(rng.uniform(0, 0.1))
            victim.start(waits=False)
        for program in self.mortal.values():
            program.wait_until_up()
        wait_until(self._is_all_said, "the last receipt", _SETTLED_S)
        return self._look(rounds, struck)

    @property
    def wanted(self) -> int:
        return len(self.lanes) * self.crossings * MESSAGES_PER_CROSSING

    def _is_all_said(self) -> bool:
        for lane in self.lanes:
            if not lane.is_running:
                lane.start()
        return self._has_said_all()

    def _has_said_all(self) -> bool:
        return all((lane.folder / "done").exists() for lane in self.lanes)

    def _look(self, rounds: int, struck: int) -> Verdict:
        wait_until(lambda: self._count(select(func.count()).select_from(DUE_CASES)) == 0, "the last projection")
        stored = self._count(select(func.count()).select_from(EVENTS))
        per_lane = select(EVENTS.c.lane, EVENTS.c.sequence).distinct().subquery()
        distinct = self._count(select(func.count()).select_from(per_lane))
        counted = self._count(select(func.coalesce(func.sum(LANES.c.event_count), 0)))
        doubled = select(COMMANDS.c.case_id).group_by(COMMANDS.c.case_id).having(func.count() > 1).subquery()
        closed = self._count(select(func.count()).where(CASES.c.status == "closed"))
        releases_doubled = self._count(select(func.count()).select_from(doubled))
        for name, program in self.mortal.items():
            if name.startswith(("hub", "worker")):
                program.stop()
        rebuilt = rebuild_projections(self.site, lambda _done, _of: None)
        self._engine.dispose()
        return Verdict(
            rounds=rounds,
            struck=struck,
            events=stored,
            lost=self.wanted - distinct,
            doubled=(stored - distinct) + abs(counted - stored),
            releases_doubled=releases_doubled,
            projections_changed=rebuilt.changed,
            cases_missing=len(self.lanes) * self.crossings - closed,
        )

    def _count(self, query: Any) -> int:
        with self._engine.connect() as connection:
            return int(connection.scalar(query) or 0)


@contextmanager
def kill_port(*, store: str, broker: str, workers: int = 1, lanes: int = 2, crossings: int = 40) -> Iterator[KillPort]:
    """A running port. ``store``: sqlite or postgres; ``broker``: mosquitto or nats (three nodes). GateError when it will not start."""
    with ExitStack() as stack:
        stack.enter_context(sigterm_unwinds())
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="tongguan-kill-")))
        brokers = _brokers(folder, broker)
        mortal: dict[str, Program] = {}
        for program in brokers:
            stack.callback(program.kill)
            program.start(waits=False)
        for program in brokers:
            program.wait_until_up()
        database = None
        if store == "postgres":
            postgres = stack.enter_context(Postgres())
            database = postgres.create("hub")
            mortal["database"] = postgres
        site = make_site(folder, broker_port=brokers[0].port, database=database, workers=workers, lanes=lanes)
        dump_site(site, folder / "site.toml")
        mortal |= {f"broker-{number}": program for number, program in enumerate(brokers)}
        names: list[tuple[str, ...]] = [
            ("hub",),
            *((f"worker-{n}", str(n)) for n in range(1, workers + 1) if workers > 1),
        ]
        for name, *number in names:
            process = PythonProgram(folder / name, "simulator.hub_process", str(folder / "site.toml"), *number)
            stack.callback(process.kill)
            process.start()
            mortal[name] = process
        talkers = []
        for lane in site.lanes:
            talker = PythonProgram(
                folder / lane.id,
                "simulator.lane_process",
                str(folder / "site.toml"),
                lane.id,
                str(crossings),
                str(folder / lane.id),
            )
            stack.callback(talker.kill)
            talker.start()
            talkers.append(talker)
            mortal[lane.id] = talker
        yield KillPort(site=site, lanes=talkers, mortal=mortal, crossings=crossings)


def _brokers(folder: Path, kind: str) -> Sequence[Mosquitto | NatsNode]:
    if kind == "mosquitto":
        return [Mosquitto(folder / "broker", settings=(*Mosquitto.SETTINGS, *Mosquitto.DURABLE))]
    ports = free_ports(9)
    routes = ports[3:6]
    return [
        NatsNode(
            folder / f"nats-{number}",
            name=f"n{number}",
            ports=(ports[number], routes[number], ports[6 + number]),
            routes=routes,
        )
        for number in range(3)
    ]
