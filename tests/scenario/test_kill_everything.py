"""kill -9 of hub, worker, broker, database, lane and NATS nodes at random: nothing lost or doubled, and the projection of a clean run."""

import random
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from simulator.kill_rig import kill_port

# Store, broker, workers: what a small port, a port and a port on a cluster run.
SMALL, PORT, CLUSTER = ("sqlite", "mosquitto", 1), ("postgres", "mosquitto", 2), ("postgres", "nats", 1)


def play(kind: tuple[str, str, int], rounds: int, crossings: int, seed: int) -> None:
    store, broker, workers = kind
    with kill_port(store=store, broker=broker, workers=workers, crossings=crossings) as port:
        verdict = port.play(rounds, random.Random(seed))
        assert verdict.is_clean, verdict
        assert verdict.events == port.wanted
        assert verdict.struck >= rounds // 2, f"most kills came when all was over: {verdict}"


@pytest.mark.slow
@pytest.mark.timeout(420)
@pytest.mark.parametrize(("kind", "rounds"), [(SMALL, 7), (PORT, 7), (CLUSTER, 6)], ids=["small", "port", "cluster"])
def test_nothing_is_lost_or_doubled_whatever_is_killed(kind: tuple[str, str, int], rounds: int) -> None:
    play(kind, rounds, crossings=120, seed=rounds)


@pytest.mark.long
@pytest.mark.parametrize("kind", [SMALL, PORT, CLUSTER], ids=["small", "port", "cluster"])
@pytest.mark.parametrize("seed", range(3))
def test_nothing_is_lost_or_doubled_in_a_long_night(kind: tuple[str, str, int], seed: int) -> None:
    play(kind, rounds=23, crossings=600, seed=seed)


ENDED = """
import signal
from simulator.kill_rig import kill_port
with kill_port(store="sqlite", broker="mosquitto", lanes=1, crossings=1) as port:
    print(port.site.state_dir, *(program._process.pid for program in port.mortal.values()), flush=True)
    signal.pause()
"""


@pytest.mark.slow
@pytest.mark.timeout(120)
def test_a_rig_that_is_told_to_end_leaves_nothing_running_and_no_files() -> None:
    rig = subprocess.Popen([sys.executable, "-c", ENDED], stdout=subprocess.PIPE, text=True)
    assert rig.stdout is not None
    with rig.stdout:
        folder, *pids = rig.stdout.readline().split()
        assert len(pids) == 3
        assert all(Path("/proc", pid).exists() for pid in pids)
        rig.send_signal(signal.SIGTERM)
        assert rig.wait(60) == 128 + signal.SIGTERM
    assert not [pid for pid in pids if Path("/proc", pid).exists()]
    assert not Path(folder).parent.exists()
