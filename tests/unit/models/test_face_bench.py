"""``gate bench vision``: the promised keys, and peers that do the same work."""

import json

import pytest

from models.store import ModelStore
from simulator.bench_vision import in_words, run_bench_vision, summary


def test_the_report_has_its_keys_and_both_found_the_same_face(
    store: ModelStore, people: list[object], capsys: pytest.CaptureFixture[str]
) -> None:
    assert store.verify()
    assert people
    assert run_bench_vision(frames=4, is_json=True) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["frames"] == 4
    assert report["ours_ms_p50"] > 0
    assert report["overhead_ratio"] > 1
    assert {"ms_p50", "ratio"} <= report["peers"]["opencv"].keys()
    assert report["agreement_cosine"] > 0.8
    assert "opencv" in in_words(report)


def test_a_ratio_is_taken_frame_by_frame() -> None:
    report = summary({"ours": [10.0, 20.0, 10.0], "peer": [20.0, 40.0, 90.0]}, [1.1, 1.2, 1.3])
    assert report["ours_ms_p50"] == 10.0
    assert report["overhead_ratio"] == 1.2
    assert report["peers"] == {"peer": {"ms_p50": 40.0, "ratio": 2.0}}
