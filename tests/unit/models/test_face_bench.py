"""``gate bench vision``: the promised keys, and peers that do the same work."""

import json

import pytest

from models.store import ModelStore
from simulator import bench_mrz
from simulator.bench_mrz import Missing
from simulator.bench_vision import in_words, run_bench_vision, summary


def test_the_report_has_its_keys_and_both_found_the_same_face(
    store: ModelStore, people: list[object], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert store.verify()
    assert people
    absent = Missing(reason="not here")
    monkeypatch.setattr(bench_mrz, "passporteye", lambda: (absent, None))
    monkeypatch.setattr(bench_mrz, "rapidocr", lambda: absent)
    monkeypatch.delenv("TONGGUAN_DATA", raising=False)
    assert run_bench_vision(frames=4, pages=2, is_json=True) == 0
    captured = capsys.readouterr()
    report = json.loads(captured.out)
    assert report["frames"] == 4
    assert report["ours_ms_p50"] > 0
    assert report["overhead_ratio"] > 1
    assert {"ms_p50", "ratio"} <= report["peers"]["opencv"].keys()
    assert report["agreement_cosine"] > 0.8
    assert "opencv" in in_words(report)
    assert (report["mrz"]["source"], report["mrz"]["pages"]) == ("rendered", 2)
    assert report["mrz"]["ours"]["wrong_accepted"] == 0
    assert report["mrz"]["peers"] == {"passporteye": None, "rapidocr": None}
    assert "rapidocr was not measured: not here" in captured.err


def test_a_ratio_is_taken_frame_by_frame() -> None:
    report = summary({"ours": [10.0, 20.0, 10.0], "peer": [20.0, 40.0, 90.0]}, [1.1, 1.2, 1.3])
    assert report["ours_ms_p50"] == 10.0
    assert report["overhead_ratio"] == 1.2
    assert report["peers"] == {"peer": {"ms_p50": 40.0, "ratio": 2.0}}
