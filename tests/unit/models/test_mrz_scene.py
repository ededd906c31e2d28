"""The second renderer: its pages are documents, its camera sees what it says, and a seed gives the same again."""

import csv
from pathlib import Path

import cv2
import numpy as np
import pytest

from gate.checks.mrz import Mrz, MrzFormat, parse
from models.training.mrz_scene import LEAST_PITCH_PX, render_scene
from models.training.mrz_scene_page import document_lines
from models.training.mrz_sets import RENDERERS, write_set


@pytest.mark.parametrize("format_", [MrzFormat.TD1, MrzFormat.TD2, MrzFormat.TD3])
def test_printed_documents_are_valid(format_: MrzFormat) -> None:
    for seed in range(60):
        mrz = parse(document_lines(np.random.default_rng([51, seed]), format_))
        assert isinstance(mrz, Mrz), mrz
        assert mrz.format is format_
        assert mrz.check_digits_ok


def test_rows_are_dark_where_the_camera_is_said_to_see_them() -> None:
    darker = 0
    for seed in range(6):
        scene = render_scene(np.random.default_rng([52, seed]))
        grey = cv2.cvtColor(scene.frame_bgr, cv2.COLOR_BGR2GRAY)
        first, last = scene.rows_px[0]
        pitch = float(np.linalg.norm(last - first)) / len(scene.lines[0])
        assert pitch > 0.85 * LEAST_PITCH_PX
        down = np.array([first[1] - last[1], last[0] - first[0]]) / np.linalg.norm(last - first)
        along = np.linspace(0.05, 0.95, 300)[:, None] * (last - first) + first
        # The lines are 2.5 pitches apart: half of that lies empty paper.
        shades = []
        for step in (-0.3, 0.0, 0.3, 1.25, -1.25):
            x, y = (along + down * pitch * step).T.astype(np.float32)
            shades.append(float(cv2.remap(grey, x[None], y[None], cv2.INTER_LINEAR).mean()))
        darker += max(shades[:3]) < min(shades[3:])
    assert darker >= 5


def test_a_set_is_the_same_again_and_drawn_in_parts(tmp_path: Path) -> None:
    for name in RENDERERS:
        write_set(tmp_path / name / "whole", name, seed=5, pages=range(2))
        write_set(tmp_path / name / "part", name, seed=5, pages=range(1, 2))
        whole, part = (tmp_path / name / folder / "00001.jpg" for folder in ("whole", "part"))
        assert whole.read_bytes() == part.read_bytes()
        with (tmp_path / name / "whole" / "truth.csv").open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        assert [row["file"] for row in rows] == ["00000.jpg", "00001.jpg"]
        assert all(parse([row[key] for key in ("line1", "line2", "line3") if row[key]]) for row in rows)
