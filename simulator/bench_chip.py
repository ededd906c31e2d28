"""``gate bench chip``: passive authentication with a warm trust store of real size, beside the openssl command; and a whole reading.

Each timed authentication is of EF.SOD, EF.COM, data group 1 and an 18 kB data group 2, from octets to checks. Nothing of a document is
kept from one to the next but its signer's public key, as in a lane that sees many documents of one signer; the store's revocation
lists are verified once. The documents go in turn over the algorithms.
"""

from __future__ import annotations

import gc
import json
import statistics
import subprocess
import tempfile
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from gate.checks.emrtd.certificate import Certificate, read_certificate
from gate.checks.emrtd.passive import ChipFiles, authenticate
from gate.checks.emrtd.pem import write_pem
from gate.checks.emrtd.results import CheckOutcome
from gate.checks.emrtd.revocation import RevocationList, read_revocation_list
from gate.checks.emrtd.store import TrustStore
from gate.errors import GateError
from simulator.chip.bench_read import measure_reading
from simulator.chip.files import make_com, make_dg1, make_dg2
from simulator.chip.keys import Algorithm
from simulator.chip.pki import Issuer, Signer
from simulator.chip.sod import make_sod

FACE_OCTETS = 18_000
_LINES = ("P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<", "L898902C36UTO7408122F2904157ZE184226B<<<<<18")
_ALGORITHMS = (
    Algorithm(key="brainpoolP256r1"),
    Algorithm(key="P-256"),
    Algorithm(key="P-384", digest="sha384"),
    Algorithm(key="rsa-2048"),
)
_WARM_UP = 20


class BenchError(GateError):
    """The measurement could not be made; ``str()`` is one sentence."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PassiveFigures:
    """Milliseconds an authentication; ``by_algorithm`` is the median of each."""

    p50_ms: float
    p99_ms: float
    csca_count: int
    by_algorithm: dict[str, float]
    openssl_ms_p50: float | None


def run_bench_chip(*, documents: int, cscas: int, reads: int, is_json: bool) -> int:
    """Measure and print; returns the exit code. BenchError when a document does not pass."""
    passive = measure_passive(documents=documents, cscas=cscas)
    figures: dict[str, object] = {
        "passive_authentication_ms_p50": round(passive.p50_ms, 4),
        "passive_authentication_ms_p99": round(passive.p99_ms, 4),
        "csca_count": passive.csca_count,
        "by_algorithm_ms": {name: round(value, 4) for name, value in passive.by_algorithm.items()},
        "openssl_ms_p50": None if passive.openssl_ms_p50 is None else round(passive.openssl_ms_p50, 2),
    }
    if reads:
        figures |= measure_reading(reads).to_json()
    if is_json:
        print(json.dumps(figures))
    else:
        for name, value in figures.items():
            print(f"{name:32} {value}")
    return 0


def measure_passive(*, documents: int, cscas: int) -> PassiveFigures:
    """Authenticate ``documents`` documents against a store of ``cscas`` certificates."""
    now = datetime.now(UTC)
    cases, store = _prepare(now, cscas)
    times: dict[str, list[float]] = {name: [] for name in cases}
    was_collecting = gc.isenabled()
    gc.disable()
    try:
        for turn in range(documents + _WARM_UP):
            name = list(cases)[turn % len(cases)]
            elapsed_ms = _timed(name, cases[name], store, now)
            if turn >= _WARM_UP:
                times[name].append(elapsed_ms)
    finally:
        if was_collecting:
            gc.enable()
    every = sorted(value for values in times.values() for value in values)
    return PassiveFigures(
        p50_ms=statistics.median(every),
        p99_ms=every[min(len(every) - 1, int(len(every) * 0.99))],
        csca_count=len(store.certificates),
        by_algorithm={name: statistics.median(values) for name, values in times.items() if values},
        openssl_ms_p50=_openssl_ms(store),
    )


def _timed(name: str, files: ChipFiles, store: TrustStore, now: datetime) -> float:
    started_ns = time.perf_counter_ns()
    result = authenticate(files, store, now)
    elapsed_ms = (time.perf_counter_ns() - started_ns) / 1e6
    if result.outcome is not CheckOutcome.PASS:
        raise BenchError(f"The document by {name} did not pass ({'; '.join(result.reasons)}); run the tests.")
    return elapsed_ms


def _prepare(now: datetime, cscas: int) -> tuple[dict[str, ChipFiles], TrustStore]:
    """A document by each algorithm, and a store whose other certificates are of other states."""
    groups = {1: make_dg1(_LINES), 2: make_dg2(b"\xff\xd8\xff" + bytes(range(250)) * (FACE_OCTETS // 250))}
    cases: dict[str, ChipFiles] = {}
    certificates: list[Certificate] = []
    lists: list[RevocationList] = []
    for algorithm in _ALGORITHMS:
        issuer = Issuer(now=now, algorithm=algorithm, common_name=f"CSCA {algorithm.key}")
        sod = make_sod(groups, issuer.document_signer(), digest=algorithm.digest)
        cases[algorithm.key] = ChipFiles(sod=sod, groups=groups, com=make_com(groups), printed_mrz=_LINES)
        certificates.append(read_certificate(issuer.certificate))
        lists.append(read_revocation_list(issuer.crl([100_000 + number for number in range(200)])))
    while len(certificates) < cscas:
        number = len(certificates)
        country = f"{chr(65 + number // 26 % 26)}{chr(65 + number % 26)}"
        other = Issuer(country, now=now, algorithm=Algorithm(key="P-256"), common_name=f"CSCA {number}")
        certificates.append(read_certificate(other.certificate))
    return cases, TrustStore(certificates=tuple(certificates), revocation_lists=tuple(lists))


def _openssl_ms(store: TrustStore, runs: int = 5) -> float | None:
    """The openssl command on one security object with a named curve, given all certificates in a file; None if it is not installed."""
    now = datetime.now(UTC)
    issuer = Issuer(now=now, algorithm=Algorithm(key="P-256", is_explicit=False), common_name="CSCA openssl")
    signer: Signer = issuer.document_signer()
    sod = make_sod({1: make_dg1(_LINES)}, signer)
    header = len(sod) - int.from_bytes(sod[2:4], "big")
    with tempfile.TemporaryDirectory() as folder:
        pem = b"".join(write_pem("CERTIFICATE", item.der) for item in store.certificates)
        Path(folder, "all.pem").write_bytes(pem + write_pem("CERTIFICATE", issuer.certificate))
        Path(folder, "sod.der").write_bytes(sod[header:])
        command = ["openssl", "cms", "-verify", "-inform", "DER", "-in", "sod.der", "-CAfile", "all.pem"]
        times = []
        for _ in range(runs):
            started_ns = time.perf_counter_ns()
            try:
                done = subprocess.run(
                    [*command, "-purpose", "any", "-out", "out"], cwd=folder, capture_output=True, check=False
                )
            except FileNotFoundError:
                return None
            times.append((time.perf_counter_ns() - started_ns) / 1e6)
            if done.returncode != 0:
                return None
    return statistics.median(times)
