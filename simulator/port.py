"""A whole port on one machine: broker, hub and lanes as processes of their own, all devices as twins, everything on loopback."""

import contextlib
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import IO, Literal, Self

from config.chip import ChipReader
from config.loader import dump_site, load_site, sites_dir
from config.schema import Site
from gate.checks.emrtd.store import TrustStore
from gate.checks.emrtd.store_file import save_store
from gate.embedded import BrokerHandle, is_listening, start_embedded_broker
from gate.errors import GateError
from gate.wire.keyring import Keyring
from simulator.cameras import MjpegServer
from simulator.lane_twin import LaneTwin
from simulator.observer import Observer
from simulator.officers import Login, OfficerDesk, create_logins

START_TIMEOUT_S = 60.0
STOP_TIMEOUT_S = 10.0


def free_port(wanted: int = 0) -> int:
    """``wanted`` if it can be had on loopback, else any free port."""
    for port in (wanted, 0):
        with contextlib.suppress(OSError), socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("127.0.0.1", port))
            return int(probe.getsockname()[1])
    raise GateError("no port is free on 127.0.0.1: end some other program")


class SimulatedPort:
    """Starts everything on entry and ends everything on exit; in between its processes can be killed and started again."""

    def __init__(
        self,
        *,
        site_file: Path | None = None,
        seed: int = 1,
        frames_per_s: float = 15.0,
        lane_count: int | None = None,
        keeps_usual_ports: bool = False,
        log: IO[bytes] | None = None,
        overrides: dict[str, object] | None = None,
        trusted: TrustStore | None = None,
        doors: Literal[1, 2] = 2,
    ) -> None:
        """``log`` takes what the processes write; None drops it. ``overrides`` replace fields of the policy; ``doors``: of each lane.

        ``trusted``: whose chips the lanes know; with it every lane has a reader of chips.
        """
        self._temporary = tempfile.TemporaryDirectory(prefix="tongguan-")
        self.folder = Path(self._temporary.name)
        self._log = log
        self._seed = seed
        self._frames_per_s = frames_per_s
        template = load_site(site_file or sites_dir() / "demo.toml")
        hub_port = free_port(8080 if keeps_usual_ports else 0)
        policy = template.policy.model_copy(update=overrides or {})
        self.site: Site = template.model_copy(
            update={
                "state_dir": self.folder / "state",
                "policy": policy,
                "lanes": tuple(lane.model_copy(update={"doors": doors}) for lane in template.lanes[:lane_count]),
                "broker": template.broker.model_copy(update={"port": free_port()}),
                "hub": template.hub.model_copy(update={"url": f"http://127.0.0.1:{hub_port}"}),
            }
        )
        if trusted is not None:
            save_store(trusted, self.folder / "csca.json")
            readers = tuple(
                lane.model_copy(update={"chip_reader": ChipReader(kind="vpcd")}) for lane in self.site.lanes
            )
            rules = template.chip.model_copy(update={"trust_store": self.folder / "csca.json"})
            self.site = self.site.model_copy(update={"lanes": readers, "chip": rules})
        self.twins: dict[str, LaneTwin] = {}
        self.logins: tuple[Login, ...] = ()
        self._stack = contextlib.ExitStack()
        self._broker: BrokerHandle | None = None
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        self.observer: Observer
        self.officers: OfficerDesk

    @property
    def site_file(self) -> Path:
        return self.folder / "site.toml"

    def __enter__(self) -> Self:
        self._stack.callback(self._temporary.cleanup)
        try:
            self._open()
        except BaseException:
            self._stack.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def _open(self) -> None:
        server = MjpegServer(fps=self._frames_per_s)
        self._stack.callback(server.close)
        lanes = []
        for number, lane in enumerate(self.site.lanes):
            twin = self._stack.enter_context(
                LaneTwin(lane.id, server=server, folder=self.folder, seed=self._seed + number, has_entry=lane.has_entry)
            )
            self.twins[lane.id] = twin
            lanes.append(twin.settings(lane))
        self.site = self.site.model_copy(update={"lanes": tuple(lanes)})
        self.site.state_dir.mkdir(parents=True)
        dump_site(self.site, self.site_file)
        Keyring(self.site.keys_dir).create_missing(lane.id for lane in self.site.lanes)
        self.logins = create_logins(self.site)
        self._stack.callback(self._stop_all)
        self.start_broker()
        self.start_hub()
        for lane in self.site.lanes:
            self.start_lane(lane.id)
        self.observer = Observer(self.site)
        self._stack.callback(self.observer.close)
        self.officers = OfficerDesk(self.site, self.logins)
        self._stack.callback(self.officers.close)

    def wait_until_ready(self, timeout_s: float = START_TIMEOUT_S) -> None:
        """Every lane is ready for a traveller. GateError when one is not in time, or a process ended."""
        deadline = time.monotonic() + timeout_s
        for lane in self.twins:
            while not self.observer.wait_for_state(lane, "ready", 0.5):
                self._check_processes()
                if time.monotonic() > deadline:
                    state = self.observer.state(lane)
                    raise GateError(
                        f"{lane} was not ready within {timeout_s:.0f} s (it is {state.state if state else 'silent'})"
                    )

    def _check_processes(self) -> None:
        for name, process in self._processes.items():
            if process.poll() is not None:
                raise GateError(f"the process of {name} ended with code {process.returncode}: run it alone to see why")

    # -- processes -------------------------------------------------------------------------------------------------

    def start_broker(self) -> None:
        self._broker = start_embedded_broker(self.site)

    def kill_broker(self) -> None:
        """SIGKILL, as a power cut would; the embedded broker keeps no state anyway."""
        if self._broker is not None:
            process = getattr(self._broker, "_process", None)  # the library offers a polite end only
            if isinstance(process, subprocess.Popen):
                process.kill()
                process.wait()
            self._broker.stop()
            self._broker = None

    def start_hub(self) -> None:
        """Start the hub and wait until it answers."""
        process = self._start("hub", ["hub", "--site", str(self.site_file)])
        port = int(self.site.hub.url.rsplit(":", 1)[1])
        deadline = time.monotonic() + START_TIMEOUT_S
        while not is_listening("127.0.0.1", port):
            if process.poll() is not None:
                raise GateError(f"the hub ended with code {process.returncode}: run 'gate hub' alone to see why")
            if time.monotonic() > deadline:
                raise GateError(f"the hub did not answer within {START_TIMEOUT_S:.0f} s")
            time.sleep(0.05)

    def start_lane(self, lane: str) -> None:
        self._start(lane, ["run", "--site", str(self.site_file), "--lane", lane, "--json"])

    def kill(self, name: str) -> None:
        """SIGKILL the process of ``hub`` or of a lane, and wait until it is gone."""
        process = self._processes.pop(name)
        process.kill()
        process.wait()

    def _start(self, name: str, arguments: list[str]) -> subprocess.Popen[bytes]:
        output = self._log if self._log is not None else subprocess.DEVNULL
        process = subprocess.Popen([sys.executable, "-m", "gate", *arguments], stdout=output, stderr=output)
        self._processes[name] = process
        return process

    def _stop_all(self) -> None:
        for process in self._processes.values():
            process.terminate()
        deadline = time.monotonic() + STOP_TIMEOUT_S
        for process in self._processes.values():
            try:
                process.wait(max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self._processes.clear()
        if self._broker is not None:
            self._broker.stop()
            self._broker = None
