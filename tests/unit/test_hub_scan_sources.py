"""The hub as it is put together takes scans from the machines of its site, and one that cannot be used keeps nobody waiting."""

import asyncio
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from config.loader import parse_site
from gate.app import build_hub
from gate.wire.keyring import Keyring
from simulator.xray_machine import Bag, XrayMachine


async def until(condition: Callable[[], bool], what: str) -> None:
    deadline_s = time.monotonic() + 20.0
    while not condition():
        assert time.monotonic() < deadline_s, what
        await asyncio.sleep(0.02)


async def test_a_hub_takes_scans_of_its_site(tmp_path: Path) -> None:
    camera = {"kind": "folder", "source": "."}
    folder = tmp_path / "scans"
    site = parse_site(
        {
            "port": {"id": "p", "title": "P"},
            "state_dir": str(tmp_path / "state"),
            "policy": {"mode": "gate"},
            "broker": {"port": 1},
            "lane": [{"id": "a", "board": {"port": "/dev/x"}, "face_camera": camera, "document_camera": camera}],
            "xray": [
                {"id": "bad", "kind": "http", "port": 1, "token_file": str(tmp_path / "none")},
                {"id": "good", "kind": "folder", "folder": str(folder), "lane": "a"},
            ],
        },
        origin="the test",
    )
    Keyring(site.keys_dir).create_missing(["a"])
    app = build_hub(site, with_screens=False)
    async with app.router.lifespan_context(app):
        await until((folder / "done").is_dir, "the folder is watched")
        XrayMachine(folder, lane=None).scan(Bag(seed=1), datetime.now(UTC))
        await until(lambda: len(list((folder / "done").iterdir())) == 3, "the scan was taken and moved away")
    kept = [path for path in (tmp_path / "state" / "evidence").rglob("*") if path.is_file()]
    assert len(kept) == 3, "one to look at and two energies"
