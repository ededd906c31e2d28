"""kill -9 of hub, worker, broker, database, lane and NATS nodes at random: nothing lost or doubled, and the projection of a clean run."""

import random

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
@pytest.mark.timeout(240)
@pytest.mark.parametrize(("kind", "rounds"), [(SMALL, 7), (PORT, 7), (CLUSTER, 6)], ids=["small", "port", "cluster"])
def test_nothing_is_lost_or_doubled_whatever_is_killed(kind: tuple[str, str, int], rounds: int) -> None:
    play(kind, rounds, crossings=40, seed=rounds)


@pytest.mark.long
@pytest.mark.parametrize("kind", [SMALL, PORT, CLUSTER], ids=["small", "port", "cluster"])
@pytest.mark.parametrize("seed", range(3))
def test_nothing_is_lost_or_doubled_in_a_long_night(kind: tuple[str, str, int], seed: int) -> None:
    play(kind, rounds=23, crossings=300, seed=seed)
