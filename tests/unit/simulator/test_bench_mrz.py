"""The documents of ``gate bench vision``: what counts as exact, and how a general recogniser's rows become a zone."""

import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from gate.errors import GateError
from simulator import bench_mrz
from simulator.bench_mrz import Answer, Missing, Sample, measure, mrz_of_rows, samples

TD3 = ("P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<", "L898902C36UTO7408122F1204159ZE184226B<<<<<10")
TD1 = ("I<UTOD231458907<<<<<<<<<<<<<<<", "7408122F1204159UTO<<<<<<<<<<<6", "ERIKSSON<<ANNA<MARIA<<<<<<<<<<")
PAGE = np.zeros((8, 8, 3), np.uint8)


@pytest.mark.parametrize("lines", [TD3, TD1])
def test_a_zone_is_found_below_other_rows(lines: tuple[str, ...]) -> None:
    assert mrz_of_rows(("UTOPIA", "Surname / Nom", *lines)) == lines


def test_lookalikes_are_settled_by_the_positions() -> None:
    misread = (TD3[0].replace("UTO", "UT0"), TD3[1].replace("7408122", "74O8I22"))
    assert mrz_of_rows(misread) == TD3


def test_a_row_that_is_a_little_short_is_filled_up() -> None:
    assert mrz_of_rows((TD3[0][:-2], TD3[1])) == TD3


@pytest.mark.parametrize("rows", [(), ("UTOPIA",), (TD3[1],), (TD3[0], TD3[1][:30])])
def test_what_is_no_zone_is_none(rows: tuple[str, ...]) -> None:
    assert mrz_of_rows(rows) is None


def test_outcomes_are_counted_against_the_truth() -> None:
    wrong = (TD3[0].replace("ANNA", "ANNO"), TD3[1])
    pages = [Sample(image_bgr=PAGE, lines=TD3)] * 3
    found = measure(
        pages,
        {
            "ours": lambda _: Answer(lines=TD3, is_accepted=True),
            "silent": lambda _: Answer(lines=None, is_accepted=False),
            "careless": lambda _: Answer(lines=wrong, is_accepted=True),
            "careful": lambda _: Answer(lines=wrong, is_accepted=False),
        },
    )
    counts = {
        name: (item["exact"], item["refused"], item["wrong_accepted"], item["misread_flagged"])
        for name, item in found.items()
    }
    assert counts == {"ours": (3, 0, 0, 0), "silent": (0, 3, 0, 0), "careless": (0, 0, 3, 0), "careful": (0, 0, 0, 3)}
    assert all(item["ms_p50"] >= 0 for item in found.values())


def test_a_peer_that_is_not_installed_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "passporteye", None)
    monkeypatch.setattr(bench_mrz.importlib.util, "find_spec", lambda _name: None)
    eye, trained_data = bench_mrz.passporteye()
    assert isinstance(eye, Missing)
    assert "passporteye" in eye.reason
    assert trained_data is None
    assert isinstance(bench_mrz.rapidocr(), Missing)


def test_without_labelled_pictures_documents_are_rendered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TONGGUAN_DATA", raising=False)
    source, pages = samples(2)
    assert source == "rendered"
    assert len(pages) == 2
    assert all(page.image_bgr.ndim == 3 and len(page.lines) in (2, 3) for page in pages)


def test_labelled_pictures_are_taken_where_they_are(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    folder = tmp_path / "mrz" / "pages-dev"
    (folder / "images").mkdir(parents=True)
    (folder / "truth.csv").write_text(f"file,format,line1,line2,line3\na.png,TD3,{TD3[0]},{TD3[1]},\n")
    monkeypatch.setenv("TONGGUAN_DATA", str(tmp_path))
    with pytest.raises(GateError, match=r"a\.png is not a picture"):
        samples(2)
    cv2.imwrite(str(folder / "images" / "a.png"), PAGE)
    source, pages = samples(2)
    assert (source, [page.lines for page in pages]) == ("pages-dev", [TD3])
