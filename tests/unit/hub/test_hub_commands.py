"""``gate users`` and ``gate keys``: what an operator types."""

import json
import os
from pathlib import Path

import pytest
import typer
from hub_kit import LANES, PASSWORD, make_site
from typer.testing import CliRunner

from config.loader import dump_site
from gate.cli import keys, users
from gate.core.clock import SystemClock
from gate.errors import GateError
from gate.hub.accounts import Accounts, LoginRefused, Session
from gate.hub.errors import HubError
from gate.hub.service import database_url
from gate.hub.store import Store
from gate.wire.keyring import Keyring

APP = typer.Typer()
users.register(APP)
keys.register(APP)


@pytest.fixture
def site_file(tmp_path: Path) -> Path:
    path = tmp_path / "site.toml"
    dump_site(make_site(tmp_path / "state"), path)
    return path


def run(*arguments: str, given: str | None = None) -> tuple[int, str, BaseException | None]:
    result = CliRunner().invoke(APP, list(arguments), input=given)
    return result.exit_code, result.stdout, result.exception


def test_an_account_is_made_listed_and_ended(site_file: Path, tmp_path: Path) -> None:
    site = ["--site", str(site_file)]
    code, _, _ = run("users", "add", "ann", "--role", "customs", *site, "--password-stdin", given=PASSWORD + "\n")
    assert code == 0
    _, listed, _ = run("users", "list", *site, "--json")
    assert [json.loads(line) for line in listed.splitlines()] == [{"user": "ann", "name": "ann", "roles": ["customs"]}]
    loaded = make_site(tmp_path / "state")
    store = Store(database_url(loaded))
    accounts = Accounts(store, clock=SystemClock(), site=loaded)
    assert isinstance(accounts.login(user="ann", password=PASSWORD, address="x"), Session)
    assert run("users", "remove", "ann", *site)[0] == 0
    assert isinstance(accounts.login(user="ann", password=PASSWORD, address="x"), LoginRefused)
    store.close()
    assert run("users", "list", *site, "--json")[1] == ""


def test_the_password_is_asked_for_twice_and_never_an_argument(site_file: Path) -> None:
    site = ["--site", str(site_file)]
    answers = f"{PASSWORD}\n{PASSWORD}\n"
    code, out, _ = run("users", "add", "ben", "--role", "quarantine", *site, "--json", given=answers)
    assert code == 0
    assert json.loads(out)["user"] == "ben"
    assert run("users", "add", "bo", PASSWORD, "--role", "border", *site)[0] == 2


@pytest.mark.parametrize(
    ("user", "role", "password", "named"),
    [
        ("ann", "pilot", PASSWORD, "pilot"),
        ("Ann!", "customs", PASSWORD, "Ann!"),
        ("ann", "customs", "short", "5 characters"),
    ],
)
def test_an_account_that_cannot_be_made_is_explained(
    site_file: Path, user: str, role: str, password: str, named: str
) -> None:
    *_, error = run("users", "add", user, "--role", role, "--site", str(site_file), "--password-stdin", given=password)
    assert isinstance(error, HubError)
    assert named in str(error)


def test_an_account_is_never_overwritten(site_file: Path) -> None:
    add = ["users", "add", "ann", "--role", "customs", "--site", str(site_file), "--password-stdin"]
    assert run(*add, given=PASSWORD)[0] == 0
    assert isinstance(run(*add, given="another password")[2], HubError)


def test_keys_are_made_once_and_private(site_file: Path, tmp_path: Path) -> None:
    code, out, _ = run("keys", "init", "--site", str(site_file), "--json")
    assert code == 0
    assert [json.loads(line)["is_new"] for line in out.splitlines()] == [True] * 3
    site = make_site(tmp_path / "state")
    keys = Keyring(site.keys_dir)
    files = [keys.hub_file(), *(keys.lane_file(lane) for lane in LANES)]
    before = [path.read_bytes() for path in files]
    assert {os.stat(path).st_mode & 0o777 for path in files} == {0o600}
    assert len({keys.lane_public(lane).kid for lane in LANES} | {keys.hub_public().kid}) == 3
    files[0].with_suffix(".pub.pem").unlink()
    _, out, _ = run("keys", "init", "--site", str(site_file), "--json")
    assert [json.loads(line)["is_new"] for line in out.splitlines()] == [False] * 3
    assert [path.read_bytes() for path in files] == before
    assert files[0].with_suffix(".pub.pem").exists()
    assert len(list(site.keys_dir.iterdir())) == 6


def test_missing_keys_name_the_remedy(tmp_path: Path) -> None:
    keys = Keyring(make_site(tmp_path / "state").keys_dir)
    with pytest.raises(GateError, match="gate keys init"):
        keys.hub()
    keys.create_missing(LANES)
    keys.lane_file("lane-2").with_suffix(".pub.pem").unlink()
    with pytest.raises(GateError, match=r"lane-lane-2\.pub\.pem"):
        keys.lane_public("lane-2")


def test_a_database_that_cannot_be_used_is_explained(tmp_path: Path) -> None:
    broken = tmp_path / "hub.db"
    broken.write_bytes(b"this is no database" * 100)
    store = Store(f"sqlite:///{broken}")
    with pytest.raises(HubError, match=r"hub\.db cannot be opened"):
        store.migrate()
    store.close()
    with pytest.raises(HubError, match="cannot be used") as caught:
        Store("nonsense://user:secret@host/x")
    assert "secret" not in str(caught.value)
