"""The measuring of many screens counts what it says it counts."""

import json

import pytest

from gate.console.i18n import words_of
from gate.errors import GateError
from simulator import bench_screens
from simulator.bench_screens import marks_in, percentile
from simulator.screen_crowd import CrowdScreen, Seen, _literal, _unescaped


def test_the_ninety_ninth_is_not_better_than_what_was_measured() -> None:
    assert percentile([5.0], 0.99) == 5.0
    assert percentile([float(value) for value in range(1, 101)], 0.99) == 99.0
    assert percentile([float(value) for value in range(1, 51)], 0.99) == 50.0


def test_marks_are_found_in_elements_and_in_rows_of_lanes() -> None:
    assert marks_in("{'12': {'text': 'scan: mk000042'}}") == ["mk000042"]
    crossings = words_of("en").count("lanes.crossings", 17)
    lane = {"id": "lane-001", "online": True, "words": "ready", "crossings": crossings, "problem": ""}
    assert marks_in(f'return runMethod(4, "take", [{json.dumps({"lanes": [lane]})}])') == ["lane-001#17"]
    assert marks_in("nothing of the kind") == []


def screens(*seen: tuple[str, Seen]) -> list[CrowdScreen]:
    return [CrowdScreen(path=path, user="x", seen=marks) for path, marks in seen]


def count(customs: Seen, quarantine: Seen, wall: Seen, sent: Seen) -> bench_screens.Screens:
    crowd = screens(("/role/customs", customs), ("/role/quarantine", quarantine), ("/lanes", wall))
    browsers: dict[str, Seen] = {"customs": customs, "quarantine": quarantine}
    cores = {"hub": 0.5, "console": 0.4}
    return bench_screens._count(sent, crowd, browsers, cores, during_ms=(0, 1_000))


def test_an_event_is_there_when_the_later_screen_has_it() -> None:
    sent = {"mk000001": 100.0, "mk000002": 200.0, "lane-001#1": 100.0, "mk000009": 5_000.0}
    measured = count(
        {"mk000001": 110.0, "mk000002": 290.0}, {"mk000001": 150.0, "mk000002": 220.0}, {"lane-001#1": 130.0}, sent
    )
    assert (measured.events, measured.missed) == (2, 0)
    assert (measured.p50_ms, measured.worst_ms) == (70.0, 90.0)
    assert measured.wall_p50_ms == 30.0
    assert measured.screens == 6


def test_a_newer_event_shows_an_older_one_and_none_is_missed() -> None:
    sent = {"mk000001": 100.0, "mk000002": 200.0, "lane-001#1": 100.0}
    wall = {"lane-001#1": 130.0}
    both = {"mk000002": 260.0}
    assert count(both, both, wall, sent).worst_ms == 160.0
    assert count(both, {"mk000001": 110.0}, wall, sent).missed == 1


def test_silence_is_no_result() -> None:
    with pytest.raises(GateError, match="nothing of what the lanes said"):
        count({}, {}, {}, {"mk000001": 1.0})


def test_a_page_is_read_as_a_browser_reads_it() -> None:
    assert (
        _literal("{'client_id': 'a', 'next_message_id': 0, 'implicit_handshake': true}")["implicit_handshake"] is True
    )
    assert _literal('{"a": false}') == {"a": False}
    assert _unescaped("&lt;b&gt; &amp;lt; &#36;{x} &#96;") == "<b> &lt; ${x} `"
    with pytest.raises(GateError):
        _literal("[1]")
