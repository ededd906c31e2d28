"""Who is signed in, who asked for help, and where a sign-in may lead."""

import pytest

from gate.console.help_desk import HelpDesk
from gate.console.page_index import safe_target
from gate.console.sessions import Officer, Sessions
from gate.core.clock import ManualClock


def officer(clock: ManualClock, *roles: str) -> Officer:
    return Officer(user="li", name="Li", roles=frozenset(roles), token="t", expires_ms=clock.utc_ms() + 1000)


def test_a_session_ends_with_its_token() -> None:
    clock = ManualClock()
    sessions = Sessions(clock)
    li = officer(clock, "customs")
    sessions.enter("browser", li)
    assert sessions.officer("browser") == li
    assert sessions.officer("another browser") is None
    clock.advance_ms(1000)
    assert sessions.officer("browser") is None


def test_leaving_forgets_the_token() -> None:
    clock = ManualClock()
    sessions = Sessions(clock)
    sessions.enter("browser", officer(clock))
    left = sessions.leave("browser")
    assert left is not None
    assert sessions.officer("browser") is None
    assert sessions.leave("browser") is None


@pytest.mark.parametrize(
    ("roles", "may"), [(("customs",), False), (("border",), True), (("supervisor",), True), ((), False)]
)
def test_only_border_and_supervisors_command_lanes(roles: tuple[str, ...], may: bool) -> None:
    assert officer(ManualClock(), *roles).may_command_lanes is may


@pytest.mark.parametrize("path", ["//evil.test", "https://evil.test", "/\\evil.test", "", "role/customs", "/a\nb"])
def test_a_sign_in_never_leads_elsewhere(path: str) -> None:
    assert safe_target(path) is None


def test_a_sign_in_leads_back_to_a_path_of_ours() -> None:
    assert safe_target("/role/customs") == "/role/customs"


def test_a_call_for_help_stays_until_somebody_goes() -> None:
    clock = ManualClock()
    desk = HelpDesk(clock)
    changes: list[int] = []
    desk.changed.subscribe(lambda: changes.append(len(desk.calls)))
    desk.ask("lane-2")
    clock.advance_ms(5)
    desk.ask("lane-1")
    desk.ask("lane-2")
    assert [call.lane for call in desk.calls] == ["lane-2", "lane-1"]
    desk.take("lane-2")
    desk.take("lane-2")
    assert [call.lane for call in desk.calls] == ["lane-1"]
    assert changes == [1, 2, 1]
