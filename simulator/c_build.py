"""Builds the reference board (`drivers/lane_io/firmware`) for this computer, once for each state of its sources.

A board is firmware, not a dependency: nothing that runs a gate needs this, only tests, simulation and `gate bench serial`.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import tempfile
from pathlib import Path

import drivers.lane_io
from drivers.errors import DeviceError
from models.store import default_cache_dir

SOURCES = Path(drivers.lane_io.__file__).parent / "firmware"
LIBRARY, PROCESS, FUZZER = "libtgboard.so", "board_host", "fuzz"


def built(name: str) -> Path:
    """The path of LIBRARY, PROCESS or FUZZER, compiled if need be.

    Raises `DeviceError` when there is no compiler, or the sources do not compile without a warning.
    """
    folder = default_cache_dir() / "firmware" / _digest()
    target = folder / name
    if target.exists():
        return target
    missing = [tool for tool in ("make", "gcc") if shutil.which(tool) is None]
    if missing:
        raise DeviceError(
            f"The reference board cannot be built without {' and '.join(missing)}: install the packages gcc, libc6-dev and make."
        )
    folder.mkdir(parents=True, exist_ok=True)
    # In a folder of its own, so that two who build at once do not run each other's half-written file.
    with tempfile.TemporaryDirectory(dir=folder) as work:
        made = Path(work) / name
        done = subprocess.run(
            ["make", "-s", "-C", str(SOURCES), f"BUILD={work}", str(made)], capture_output=True, text=True, check=False
        )
        if done.returncode != 0:
            raise DeviceError(f"The reference board does not compile: {done.stderr.strip()[-2000:]}")
        made.replace(target)
    return target


def _digest() -> str:
    files = sorted(path for path in SOURCES.rglob("*") if path.suffix in {".c", ".h"} or path.name == "Makefile")
    return hashlib.sha256(b"\0".join(path.read_bytes() for path in files)).hexdigest()[:16]
