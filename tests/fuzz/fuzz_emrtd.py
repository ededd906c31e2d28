"""Fuzzing with atheris (libFuzzer): `python tests/fuzz/fuzz_emrtd.py -runs=2000000`. Further arguments are libFuzzer's.

The first octet chooses the target. Memory is bounded to 512 MB and a run to 5 s; either is a finding.
"""

import sys
import tempfile
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["gate.checks.emrtd", "gate.checks.mrz", "drivers.chip"]):
    from emrtd_targets import TARGETS, run, seeds

_NAMES = tuple(TARGETS)


def one_input(data: bytes) -> None:
    """What libFuzzer calls: a run of the target that the first octet names."""
    if data:
        run(_NAMES[data[0] % len(_NAMES)], data[1:])


def main() -> None:
    """Write the seeds and hand over to libFuzzer."""
    with tempfile.TemporaryDirectory() as folder:
        for place, name in enumerate(_NAMES):
            for number, seed in enumerate(seeds()[name]):
                Path(folder, f"{name}-{number}").write_bytes(bytes([place]) + seed)
        limits = ["-rss_limit_mb=512", "-timeout=5", "-max_len=6000"]
        atheris.Setup([sys.argv[0], *limits, *sys.argv[1:], folder], one_input)
        atheris.Fuzz()


if __name__ == "__main__":
    main()
