"""The gate at a desk: the real command on folders of pictures; one's own page and face are cleared, somebody else's are not."""

import json
import os
import re
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import cv2
import numpy as np
import pytest

from config.loader import dump_site, load_site, sites_dir
from config.schema import Camera, Site
from simulator.costume import passport_of
from simulator.frames import MILD, document_frame, face_frame
from simulator.passports import crop_portrait, render_page
from simulator.photos import PhotoLibrary
from simulator.port import free_port
from simulator.scenario import load_scenario, scenarios_dir

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]
LIMIT_S = 90.0


def make_site(folder: Path, *, page_of: str, face_of: str) -> Site:
    """The desk as it is shipped, with two folders of pictures and ports and a state folder of its own."""
    people = PhotoLibrary()
    rng = np.random.default_rng(5)
    bearer, visitor = people.person(page_of), people.person(face_of)
    spec = load_scenario(scenarios_dir() / "ten.toml").travellers[0].document
    page = render_page(passport_of(spec), crop_portrait(bearer.portrait.load(), bearer.portrait.face_px))
    for name in ("document", "face"):
        (folder / name).mkdir()
    cv2.imwrite(str(folder / "document" / "page.png"), document_frame(page, rng=rng, damage=MILD))
    for number in range(3):
        cv2.imwrite(str(folder / "face" / f"{number}.png"), face_frame(visitor.live, approach=1.0, rng=rng))
    desk = load_site(sites_dir() / "desk.toml")
    lane = desk.lanes[0].model_copy(
        update={
            "face_camera": Camera(kind="folder", source=str(folder / "face"), frames_per_s=10),
            "document_camera": Camera(kind="folder", source=str(folder / "document"), frames_per_s=5),
        }
    )
    site = desk.model_copy(
        update={
            "state_dir": folder / "state",
            "broker": desk.broker.model_copy(update={"port": free_port()}),
            "hub": desk.hub.model_copy(update={"url": f"http://127.0.0.1:{free_port()}"}),
            "policy": desk.policy.model_copy(update={"inside_limit_ms": 12_000}),
            "lanes": (lane,),
        }
    )
    dump_site(site, folder / "site.toml")
    return site


class Terminal:
    """What the person at the terminal reads."""

    def __init__(self, folder: Path) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "gate", "run", "--site", str(folder / "site.toml"), "--lane", "desk-1"],
            stderr=subprocess.PIPE,
            text=True,
            env=os.environ | {"OMP_NUM_THREADS": "1"},
        )
        self.lines: list[str] = []
        self._news = threading.Condition()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            with self._news:
                self.lines.append(line.rstrip("\n"))
                self._news.notify_all()

    def waits_for(self, pattern: str) -> str:
        deadline_s = time.monotonic() + LIMIT_S
        with self._news:
            while not (found := [line for line in self.lines if re.search(pattern, line)]):
                assert self.process.poll() is None, self.lines
                assert self._news.wait(deadline_s - time.monotonic()), f"never read {pattern!r} in {self.lines}"
        return found[0]

    def end(self) -> int:
        self.process.send_signal(signal.SIGINT)
        code = self.process.wait(30)
        self._reader.join(5)
        return code

    def close(self) -> None:
        assert self.process.stderr is not None
        self._reader.join(5)
        self.process.stderr.close()


@contextmanager
def terminal(folder: Path) -> Iterator[Terminal]:
    running = Terminal(folder)
    try:
        yield running
    finally:
        if running.process.poll() is None:
            running.process.terminate()  # politely, so that its hub and broker end too
            running.process.wait(30)
        running.close()


def wait_for_end(site: Site) -> None:
    deadline_s = time.monotonic() + LIMIT_S
    while not ended(site):
        assert time.monotonic() < deadline_s, "the hub never heard of the end"
        time.sleep(0.1)


def ended(site: Site) -> list[dict[str, object]]:
    """How the crossings ended, as the hub knows it."""
    db = sqlite3.connect(f"file:{site.state_dir / 'hub.db'}?mode=ro", uri=True)
    try:
        rows = db.execute("SELECT body FROM events WHERE type = 'tongguan.crossing.ended' ORDER BY sequence").fetchall()
    finally:
        db.close()
    return [json.loads(body)["data"] for (body,) in rows]


def test_ones_own_page_and_face_are_cleared_and_the_terminal_tells_so(tmp_path: Path) -> None:
    site = make_site(tmp_path, page_of="macron", face_of="macron")
    with terminal(tmp_path) as person:
        assert site.hub.url in person.waits_for("screens:")
        for words in ("ready: waits for a document", "reads the document", "the entry opens", "somebody is inside"):
            person.waits_for(words)
        person.waits_for("released: the exit opens")
        person.waits_for(r"cleared; looks whether the lane is empty$")
        wait_for_end(site)
        code = person.end()
    assert code == 0
    assert [(item["outcome"], item["reasons"]) for item in ended(site)] == [("cleared", [])]
    told = [line for line in person.lines if "desk-1" in line and "screens" not in line]
    assert all(re.fullmatch(r"\d\d:\d\d:\d\d  desk-1  .+", line) for line in told), told
    assert not [line for line in person.lines if "Traceback" in line or "{" in line]


def test_somebody_elses_face_is_not(tmp_path: Path) -> None:
    site = make_site(tmp_path, page_of="macron", face_of="obama")
    with terminal(tmp_path) as person:
        person.waits_for(r"waits for an officer \(face\.match\)")
        person.waits_for("the way back is open")  # nobody answers at a desk: the limit opens the way back
        person.waits_for("sent back; looks whether the lane is empty")
        wait_for_end(site)
        assert person.end() == 0
    assert [item["outcome"] for item in ended(site)] == ["sent_back"]
    assert not [line for line in person.lines if "released" in line]
