"""``gate bench crossing``: what the machine adds to a crossing, beside the bare model time of the same frames in the same run."""

import json
import statistics
import sys
from collections.abc import Sequence

from rich.console import Console

from gate.errors import GateError
from simulator.costume import Wardrobe
from simulator.crowd import Crowd, Result
from simulator.photos import PhotoLibrary
from simulator.port import SimulatedPort
from simulator.scenario import Scenario, load_scenario, scenarios_dir

FRAMES_PER_S = 30.0


def run_bench_crossing(*, crossings: int, is_json: bool) -> int:
    """Send honest travellers through one lane of a real port (broker, hub, lane as processes). The exit code."""
    scenario = load_scenario(scenarios_dir() / "ten.toml")
    honest = Scenario(title="honest", seed=scenario.seed, traveller=(scenario.travellers[0],))
    photos = PhotoLibrary()
    wardrobe = Wardrobe(photos, seed=scenario.seed)
    wardrobe.costume(honest.travellers[0])
    console = Console(stderr=True, quiet=is_json and not sys.stderr.isatty())
    with (
        console.status("starting broker, hub and lane …") as status,
        SimulatedPort(seed=1, frames_per_s=FRAMES_PER_S, lane_count=1) as port,
    ):
        port.wait_until_ready()
        done: list[Result] = []

        def show(result: Result) -> None:
            done.append(result)
            status.update(f"crossing {len(done)} of {crossings}")

        # The first traveller warms caches and connections up and does not count.
        results = Crowd(port, honest, wardrobe, on_result=show).run(crossings + 1)[1:]
    figures = measure(results)
    if is_json:
        print(json.dumps(figures))
    else:
        for name, value in figures.items():
            print(f"{name:28} {value}")
    return 0


def measure(results: Sequence[Result]) -> dict[str, float | int]:
    """The keys of MEASURES: medians over the crossings that cleared; GateError when none did."""
    whole = [
        (item.document_to_entry_ms, item.face_to_exit_ms, item.inference_ms)
        for item in results
        if item.document_to_entry_ms and item.face_to_exit_ms and item.inference_ms
    ]
    if not whole:
        raise GateError(
            "no crossing was cleared, so there is nothing to measure: run 'gate demo --headless' to see why"
        )
    return {
        "document_to_entry_ms_p50": round(statistics.median(entry for entry, _, _ in whole), 1),
        "face_to_exit_ms_p50": round(statistics.median(leave for _, leave, _ in whole), 1),
        "inference_ms_p50": round(statistics.median(inference for _, _, inference in whole), 1),
        "overhead_ratio": round(statistics.median((entry + leave) / inference for entry, leave, inference in whole), 3),
        "release_ms_p50": round(statistics.median(item.release_ms for item in results if item.release_ms), 1),
        "crossings": len(whole),
    }
