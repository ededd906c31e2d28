"""The listener on a real socket, with and without TLS, fed by the machine's twin; and a taker that cannot keep what it is told."""

from __future__ import annotations

import ipaddress
import ssl
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from drivers.errors import DeviceError
from drivers.xray import NotTaken, XrayImage, XrayReport
from drivers.xray.folder import WatchedFolder
from drivers.xray.listener import HttpListener
from simulator.xray_machine import Bag, XrayFault, XrayMachine, send_scan

BOUND_S = 10.0
NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
TOKEN = "0123456789abcdef0123456789abcdef"


def until(condition: Callable[[], bool], what: str) -> None:
    deadline_s = time.monotonic() + BOUND_S
    while not condition():
        assert time.monotonic() < deadline_s, f"not within {BOUND_S} s: {what}"
        time.sleep(0.005)


def certificate(folder: Path) -> tuple[Path, Path]:
    """Of this test's own making, for 127.0.0.1."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "x-ray listener")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    chain, secret = folder / "listener.pem", folder / "listener.key"
    chain.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    secret.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return chain, secret


class Rig:
    def __init__(self, folder: Path, *, is_tls: bool = False) -> None:
        token = folder / "token"
        token.write_text(TOKEN)
        token.chmod(0o600)
        chain, key = certificate(folder) if is_tls else (None, None)
        self.reports: list[XrayReport] = []
        self.listener = HttpListener(
            host="127.0.0.1", port=0, token_file=token, lane="lane-9", certificate_file=chain, key_file=key
        )
        self.listener.start(self.reports.append)
        host, port = self.listener.address
        self.url = f"{'https' if is_tls else 'http'}://{host}:{port}"
        self.trust = ssl.create_default_context(cafile=str(chain)) if is_tls else ssl.create_default_context()

    def send(self, machine: XrayMachine, bag: Bag, *, token: str = TOKEN) -> int:
        return send_scan(self.url, machine.scan(bag, NOON), token=token, trust=self.trust)


@pytest.fixture(params=[False, True], ids=["plain", "tls"])
def rig(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Rig]:
    rig = Rig(tmp_path, is_tls=request.param)
    yield rig
    rig.listener.stop()


def test_two_energies_with_a_tag_come_as_one_scan(rig: Rig, tmp_path: Path) -> None:
    assert rig.send(XrayMachine(tmp_path), Bag(seed=1, tag="0014123456")) == 201
    (found,) = rig.reports
    assert isinstance(found, XrayImage)
    assert (len(found.views), found.views[0].is_dual_energy, found.bag_tag) == (1, True, "0014123456")
    assert (found.lane, found.taken_at) == ("lane-1", NOON)


def test_a_machine_that_says_no_lane_stands_in_the_one_of_the_settings(rig: Rig, tmp_path: Path) -> None:
    machine = XrayMachine(tmp_path, lane=None, is_dual_energy=False)
    machine.inject(XrayFault.NO_SIDE_CAR)
    assert rig.send(machine, Bag(seed=2)) == 201
    assert isinstance(found := rig.reports[0], XrayImage)
    assert found.lane == "lane-9"


def test_strangers_and_rubbish(rig: Rig, tmp_path: Path) -> None:
    machine = XrayMachine(tmp_path)
    assert rig.send(machine, Bag(seed=1), token="x" * 32) == 401
    assert rig.reports == []
    machine.inject(XrayFault.HALF_WRITTEN)
    assert rig.send(machine, Bag(seed=1)) == 422
    assert not any(isinstance(report, XrayImage) for report in rig.reports)


def test_a_port_that_is_taken_and_a_certificate_that_is_missing(tmp_path: Path) -> None:
    rig = Rig(tmp_path)
    try:
        other = HttpListener(host="127.0.0.1", port=rig.listener.address[1], token_file=tmp_path / "token")
        with pytest.raises(DeviceError, match="stop what uses that port"):
            other.start(lambda _report: None)
    finally:
        rig.listener.stop()
    lost = HttpListener(
        host="127.0.0.1", port=0, token_file=tmp_path / "token", certificate_file="/none.pem", key_file="/none.key"
    )
    with pytest.raises(DeviceError, match=r"cannot read /none\.pem"):
        lost.start(lambda _report: None)
    chain, _ = certificate(tmp_path)
    (tmp_path / "bad.key").write_text("no key")
    bad = HttpListener(
        host="127.0.0.1",
        port=0,
        token_file=tmp_path / "token",
        certificate_file=chain,
        key_file=tmp_path / "bad.key",
    )
    with pytest.raises(DeviceError, match="set a certificate in PEM and its key"):
        bad.start(lambda _report: None)
    with pytest.raises(httpx.ConnectError):
        httpx.get(rig.url, trust_env=False)


def test_a_folder_keeps_what_was_not_taken(tmp_path: Path) -> None:
    taken: list[XrayReport] = []
    refusals = 3

    def take(report: XrayReport) -> None:
        nonlocal refusals
        if refusals:
            refusals -= 1
            raise NotTaken("the disk is full")
        taken.append(report)

    folder = WatchedFolder(tmp_path, poll_ms=10, settle_ms=50)
    folder.start(take)
    try:
        written = XrayMachine(tmp_path).scan(Bag(seed=1), NOON)
        until(lambda: bool(taken), "it is offered again")
        until(lambda: len(list((tmp_path / "done").iterdir())) == len(written), "then moved away")
    finally:
        folder.stop()
    assert len(taken) == 1
