"""The single window on PostgreSQL: tables as declared, texts of all kinds, claims by two at once, parcels."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from hub_kit import make_hub, make_site
from sqlalchemy import func, select
from test_hub_on_postgresql import server, url  # noqa: F401  fixtures
from test_window import CUSTOMS, EXAMPLES, HEALTH

from gate.checks.paxlst import write_paxlst
from gate.core.clock import ManualClock
from gate.hub.schema import CASES, METADATA
from gate.hub.service import Hub
from gate.hub.window.forms import Kind
from gate.hub.window.intake import Submission, Taken
from gate.hub.window.schema import WINDOW_RECORDS
from gate.wire.messages import LookupRequest
from simulator.paxlst import PaxlstMaker

pytestmark = pytest.mark.slow


@pytest.fixture
def hub_on_postgresql(tmp_path: Path, url: str) -> Iterator[Hub]:  # noqa: F811  the fixture
    made = make_hub(make_site(tmp_path, hub={"database_url": url}), ManualClock())
    made.store.migrate()
    yield made
    made.stop()


def take(hub: Hub, kind: Kind, body: object) -> Taken:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    taken = hub.window.take(Submission(kind=kind, data=data, source="x", channel="rest"))
    assert isinstance(taken, Taken)
    return taken


def test_the_window_works_on_postgresql_as_on_sqlite(hub_on_postgresql: Hub) -> None:
    hub = hub_on_postgresql
    with hub.store.write() as connection:
        assert compare_metadata(MigrationContext.configure(connection), METADATA) == []
    odd = CUSTOMS | {"goods": [{"description": 'a "b" {c} \\u0000 王 😀'}]}
    assert take(hub, Kind.CUSTOMS, odd).accepted == 1
    assert take(hub, Kind.PASSENGERS, write_paxlst(PaxlstMaker(1).interchange(passengers=30))).accepted == 30
    assert take(hub, Kind.RESERVATION, EXAMPLES["reservation"]).accepted == 1
    assert [item.revision for item in take(hub, Kind.CUSTOMS, CUSTOMS).records] == [2]
    with hub.store.read() as connection:
        assert connection.scalar(select(func.count()).select_from(WINDOW_RECORDS)) == 32
    take(hub, Kind.PARCEL, EXAMPLES["parcel"])
    assert hub.see_to_parcels() == 1
    with hub.store.read() as connection:
        assert connection.scalar(select(CASES.c.case_id)) == "parcel-EE123456785CN"


def test_of_cases_that_ask_at_once_one_gets_the_declaration(hub_on_postgresql: Hub) -> None:
    hub = hub_on_postgresql
    take(hub, Kind.HEALTH, HEALTH)

    def ask(case_id: str) -> bool:
        request = LookupRequest(
            case_id=case_id, document_number="C01X", issuer="UTO", nationality="UTO", birth_date="1990-01-01"
        )
        (result,) = hub.window.look_up(request, ["health_declaration"]).results
        return result.is_hit

    with ThreadPoolExecutor(8) as pool:
        hits = list(pool.map(ask, [f"c{number}" for number in range(8)]))
    assert hits.count(False) == 1
