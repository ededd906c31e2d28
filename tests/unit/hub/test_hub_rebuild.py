"""``gate hub rebuild`` and what an operator is told about workers."""

import json
from pathlib import Path

import pytest
import typer
from hub_kit import LANES, FakeLane, finding, make_hub, make_site
from sqlalchemy import update
from typer.testing import CliRunner

from config.errors import ConfigError
from config.loader import dump_site
from gate.cli import hub as hub_commands
from gate.core.clock import SystemClock
from gate.hub.errors import HubError
from gate.hub.schema import CASES
from gate.hub.worker import IngestWorker
from gate.wire.keyring import Keyring
from gate.wire.signing import SigningKey

APP = typer.Typer()
hub_commands.register(APP)


def rebuild(site_file: Path) -> tuple[int, dict[str, float]]:
    result = CliRunner().invoke(APP, ["hub", "rebuild", "--site", str(site_file), "--json"])
    return result.exit_code, json.loads(result.stdout)


def test_a_changed_projection_is_found_and_made_again(tmp_path: Path) -> None:
    site = make_site(tmp_path / "state")
    Keyring(site.keys_dir).create_missing(LANES)
    dump_site(site, tmp_path / "site.toml")
    hub = make_hub(site, SystemClock())
    hub.store.migrate()
    lane = FakeLane(SystemClock())
    hub.take_in([lane.start("c1"), lane.record(finding(is_fine=True)), lane.end(), lane.start("c2")])
    code, figures = rebuild(tmp_path / "site.toml")
    assert (code, figures["cases"], figures["lanes"], figures["changed"]) == (0, 2, 1, 0)
    with hub.store.write() as connection:
        connection.execute(update(CASES).where(CASES.c.case_id == "c1").values(outcome="refused"))
    code, figures = rebuild(tmp_path / "site.toml")
    assert (code, figures["changed"]) == (1, 1)
    assert rebuild(tmp_path / "site.toml")[0] == 0
    hub.stop()


def test_workers_need_a_database_that_they_can_share(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="set database_url to PostgreSQL"):
        make_site(tmp_path, hub={"ingest_workers": 2})
    with pytest.raises(HubError, match="no ingest worker 1"):
        IngestWorker(make_site(tmp_path), SigningKey.generate(), SystemClock(), number=1)
