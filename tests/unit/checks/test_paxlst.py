"""Passenger lists: what carriers send is read, what is wrong is named by segment, line and field, and the rest goes in."""

import json
import re
import warnings
from datetime import date
from pathlib import Path

import pytest
from pydifact.parser import Parser
from typer.testing import CliRunner

from gate.checks.paxlst import (
    Capacity,
    Interchange,
    Layout,
    ListKind,
    Marks,
    PaxlstRead,
    Place,
    read_paxlst,
    read_segments,
    write_paxlst,
)
from gate.cli import make_app
from simulator.paxlst import FAULTS, FLAVOURS, TODAY, Fault, Flavour, PaxlstMaker

# After the examples of the API guidelines: one flight, one passenger with a visa, one without an expiry date.
EXAMPLE = (
    b"UNA:+.?*'\n"
    b"UNB+UNOA:4+AIRLINE1+NIAC:ZZ+130628:0900+000000001++APIS'\n"
    b"UNG+PAXLST+AIRLINE1+NIAC:ZZ+130628:0900+000000001+UN+D:12B'\n"
    b"UNH+PAX001+PAXLST:D:12B:UN:IATA+CA982/130628/0900+01:F'\n"
    b"BGM+745'\n"
    b"RFF+TN:BART34567890:::1'\n"
    b"NAD+MS+++JACKSON'\n"
    b"COM+703-555-1212:TE+a@b.example:EM'\n"
    b"TDT+20+CA982+++CA'\n"
    b"LOC+125+JFK'\n"
    b"DTM+189:1306280900:201'\n"
    b"LOC+87+PEK'\n"
    b"DTM+232:1306291200:201'\n"
    b"NAD+FL+++O?'NEILL:JOHN:WAYNE+20 MAIN STREET+ANYCITY+VA+10053+USA'\n"
    b"ATT+2++M'\n"
    b"DTM+329:570121'\n"
    b"MEA+CT++:2'\n"
    b"GEI+4+173'\n"
    b"FTX+BAG+++UA987654'\n"
    b"LOC+22+PEK'\n"
    b"LOC+178+JFK'\n"
    b"LOC+179+PEK'\n"
    b"LOC+180+USA:::AMBER HILL'\n"
    b"LOC+174+CAN'\n"
    b"NAT+2+USA'\n"
    b"RFF+AVF:ZYXW9V'\n"
    b"RFF+SEA:23E'\n"
    b"DOC+V:110:111+VISA0001'\n"
    b"LOC+91+CHN'\n"
    b"DOC+P:110:111+MB140241'\n"
    b"DTM+36:351021'\n"
    b"LOC+91+USA'\n"
    b"NAD+DDU+++WANG'\n"
    b"ATT+2++F'\n"
    b"DTM+329:20120512:102'\n"
    b"NAT+2+DEU'\n"
    b"DOC+P+C01X00T47'\n"
    b"LOC+91+D'\n"
    b"CNT+42:2'\n"
    b"UNT+37+PAX001'\n"
    b"UNE+1+000000001'\n"
    b"UNZ+1+000000001'\n"
)


def read(data: bytes) -> PaxlstRead:
    return read_paxlst(data, today=TODAY)


def told(data: bytes) -> list[tuple[str, int, str]]:
    return [(error.segment, error.line, error.field) for error in read(data).errors]


def test_an_example_is_read_whole() -> None:
    found = read(EXAMPLE)
    assert found.errors == ()
    (item,) = found.lists
    assert (item.flight, item.carrier, item.kind, item.access_reference) == (
        "CA982",
        "CA",
        ListKind.PASSENGERS,
        "CA982/130628/0900",
    )
    assert [(call.place, call.port, call.departure, call.arrival) for call in item.calls] == [
        (Place.LAST_PORT, "JFK", "1306280900", ""),
        (Place.FIRST_PORT, "PEK", "", "1306291200"),
    ]
    assert item.contact is not None
    assert item.contact.channels == (("703-555-1212", "TE"), ("a@b.example", "EM"))
    first, second = item.passengers
    assert (first.surname, first.given_names, first.sex, first.birth_date) == (
        "O'NEILL",
        ("JOHN", "WAYNE"),
        "M",
        date(1957, 1, 21),
    )
    assert first.address == ("20 MAIN STREET", "ANYCITY", "VA", "10053", "USA")
    assert (first.bag_count, first.bag_tags, first.is_verified, first.seat) == (2, ("UA987654",), True, "23E")
    assert (first.clearance_port, first.embarkation_port, first.debarkation_port) == ("PEK", "JFK", "PEK")
    assert (first.birth_place, first.residence, first.booking_reference) == (("USA", "AMBER HILL"), "CAN", "ZYXW9V")
    passport = first.travel_document
    assert (passport.kind, passport.number, passport.issuer, passport.expiry_date) == (
        "P",
        "MB140241",
        "USA",
        date(2035, 10, 21),
    )
    assert [visa.number for visa in first.visas] == ["VISA0001"]
    assert (second.capacity, second.given_names, second.birth_date) == (
        Capacity.TRANSIT_PASSENGER,
        (),
        date(2012, 5, 12),
    )
    assert first.line == 14


@pytest.mark.parametrize(
    ("old", "new", "wanted"),
    [
        (b"UNT+37", b"UNT+36", ("UNT", 40, "segment_count")),
        (b"UNT+37+PAX001", b"UNT+37+PAX002", ("UNT", 40, "message_reference")),
        (b"UNE+1+", b"UNE+2+", ("UNE", 41, "message_count")),
        (b"UNE+1+000000001", b"UNE+1+000000002", ("UNE", 41, "group_reference")),
        (b"UNZ+1+", b"UNZ+3+", ("UNZ", 42, "control_count")),
        (b"UNZ+1+000000001", b"UNZ+1+1", ("UNZ", 42, "control_reference")),
        (b"CNT+42:2", b"CNT+42:3", ("CNT", 39, "control_total")),
        (b"CNT+42:2", b"CNT+42:", ("CNT", 39, "control_total")),
        (b"TDT+20+CA982", b"TDT+20+982!", ("TDT", 9, "flight")),
        (b"LOC+125+JFK", b"LOC+125+J", ("LOC", 10, "port")),
        (b"DTM+189:1306280900", b"DTM+189:1306289900", ("DTM", 11, "departure")),
        (b"BGM+745", b"BGM+1", ("BGM", 5, "list_kind")),
        (b"UNE+1+000000001'\n", b"", ("UNZ", 41, "segment")),
    ],
)
def test_what_is_wrong_around_the_travellers_is_named_and_they_are_kept(
    old: bytes, new: bytes, wanted: tuple[str, int, str]
) -> None:
    spoilt = EXAMPLE.replace(old, new)
    assert told(spoilt) == [wanted]
    assert len(read(spoilt).passengers) == 2


@pytest.mark.parametrize(
    ("old", "new", "wanted"),
    [
        (b"WANG", b"wang", ("NAD", 33, "element 4, component 1")),
        (b"WANG", b"W4NG", ("NAD", 33, "surname")),
        (b"WANG", b"", ("NAD", 33, "surname")),
        (b"NAD+DDU", b"NAD+QQ", ("NAD", 33, "capacity")),
        (b"ATT+2++F'\n", b"FTX+AAI'\n", ("ATT", 33, "sex")),
        (b"NAT+2+DEU'", b"FTX+AAI'", ("NAT", 33, "nationality")),
        (b"DTM+329:20120512:102'", b"DTM+329:20120512:203'", ("DTM", 35, "birth_date")),
        (b"DTM+329:20120512:102'", b"DTM+329:20990512:102'", ("DTM", 35, "birth_date")),
        (b"DTM+329:20120512:102'", b"DTM+329:120230'", ("DTM", 35, "birth_date")),
        (b"DOC+P+C01X00T47'\nLOC+91+D'", b"FTX+AAI'\nFTX+AAI'", ("DOC", 33, "document")),
        (b"DOC+P+C01X00T47", b"DOC+V+C01X00T47", ("DOC", 33, "travel_document")),
        (b"DOC+P+C01X00T47", b"DOC+P+C01/@00T47", ("DOC", 37, "element 2, component 1")),
        (b"LOC+91+D'", b"FTX+AAI'", ("LOC", 33, "issuing_state")),
        (b"LOC+91+D'", b"LOC+91+XXB'", ("LOC", 38, "issuing_state")),
        (b"LOC+91+D'", b"l0c+91+D'", ("l0c", 38, "tag")),
    ],
)
def test_a_traveller_who_is_wrong_is_named_once_and_the_other_goes_in(
    old: bytes, new: bytes, wanted: tuple[str, int, str]
) -> None:
    spoilt = EXAMPLE.replace(old, new)
    assert told(spoilt) == [wanted]
    assert [item.surname for item in read(spoilt).passengers] == ["O'NEILL"]


def test_every_fault_of_a_traveller_is_told() -> None:
    spoilt = EXAMPLE.replace(b"ATT+2++F'", b"ATT+2++Q'").replace(b"NAT+2+DEU", b"NAT+2+QQQ")
    errors = read(spoilt).errors
    assert [(error.segment, error.line, error.passenger) for error in errors] == [("ATT", 34, 2), ("NAT", 36, 2)]
    assert "'Q'" in errors[0].message


def spoil(data: bytes, faults: dict[int, Fault]) -> bytes:
    """The list with these travellers (from 1) spoilt."""
    head, *groups = re.split(rb"(?=NAD\+(?:FL|DDU|FM)\+)", data)
    today = f"{date(TODAY.year, TODAY.month, TODAY.day + 1):%Y%m%d}"
    for ordinal, fault in faults.items():
        before = groups[ordinal - 1]
        text, count = re.subn(fault.old, fault.new.replace("TODAY", f"{today}:102"), before.decode(), count=1)
        assert count == 1, (ordinal, fault, before)
        groups[ordinal - 1] = text.encode()
    return head + b"".join(groups)


def test_of_500_with_20_faulty_ones_480_go_in_and_20_errors_name_the_others() -> None:
    data = write_paxlst(PaxlstMaker(7).interchange(passengers=500), Layout(after_segment="\n"))
    faults = {25 * number: FAULTS[number % len(FAULTS)] for number in range(1, 21)}
    found = read(spoil(data, faults))
    assert len(found.passengers) == 480
    assert [(error.passenger, error.segment, error.field) for error in found.errors] == [
        (ordinal, fault.segment, fault.field) for ordinal, fault in faults.items()
    ]
    lines = data.splitlines()
    for error in found.errors:
        assert lines[error.line - 1].startswith(error.segment.encode())
        assert error.segment_number == error.line


@pytest.mark.parametrize("flavour", FLAVOURS)
@pytest.mark.parametrize("seed", range(6))
def test_what_is_generated_comes_back_byte_for_byte(flavour: Flavour, seed: int) -> None:
    made = PaxlstMaker(seed, flavour).interchange(lists=2, passengers=8)
    data = write_paxlst(made, flavour.layout)
    found = read(data)
    assert found.errors == ()
    assert write_paxlst(found.interchanges[0], flavour.layout) == data
    read_back = read_segments(data)
    assert read_back.layout == flavour.layout


@pytest.mark.parametrize("flavour", FLAVOURS)
def test_pydifact_cuts_the_same_segments(flavour: Flavour) -> None:
    data = write_paxlst(PaxlstMaker(3, flavour).interchange(passengers=5), flavour.layout)
    text = data.decode("latin-1")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it has no directory of service segments to check with
        theirs = [
            (item.tag, tuple((part,) if isinstance(part, str) else tuple(part) for part in item.elements))
            for item in Parser().parse(text)
            if item.tag != "UNA"
        ]
    assert [(item.tag, item.elements) for item in read_segments(data).segments] == theirs


def test_characters_of_other_sets_are_read_by_the_set_that_the_interchange_names() -> None:
    latin = EXAMPLE.replace(b"UNOA", b"UNOC").replace(b"WANG", "MÜLLER".encode("latin-1"))
    assert [item.surname for item in read(latin).passengers] == ["O'NEILL", "MÜLLER"]
    utf8 = EXAMPLE.replace(b"UNOA", b"UNOW").replace(b"WANG", "王".encode())
    assert [item.surname for item in read(utf8).passengers] == ["O'NEILL", "王"]
    lower = EXAMPLE.replace(b"UNOA", b"UNOB").replace(b"WANG", b"Wang")
    assert read(lower).errors == ()
    broken = EXAMPLE.replace(b"UNOA", b"UNOW").replace(b"WANG", b"W\xff\xfeG")
    assert told(broken) == [("NAD", 33, "element 4, component 1")]


def test_a_set_that_nobody_knows_is_named_and_the_rest_is_read() -> None:
    strange = EXAMPLE.replace(b"UNOA", b"SIRE")
    assert told(strange) == [("UNB", 1, "syntax_identifier")]
    assert len(read(strange).passengers) == 2


def test_information_separators_need_no_service_string() -> None:
    made = PaxlstMaker(5).interchange(passengers=3)
    marks = Marks(component="\x1f", element="\x1d", release=" ", repetition=" ", terminator="\x1c")
    data = write_paxlst(made, Layout(syntax_id="UNOB", marks=marks, has_una=False))
    assert data.startswith(b"UNB\x1dUNOB\x1f4\x1d")
    found = read(data)
    assert found.errors == ()
    assert len(found.passengers) == 3


def test_address_lines_of_an_airline_network_before_the_interchange_are_passed_over() -> None:
    assert told(b"QN PEKNIXH\r\n.JFKAAXH 041643\r\n" + EXAMPLE) == []
    assert read(b"QN PEKNIXH\r\n" + EXAMPLE).passengers[0].line == 15


def test_a_list_in_parts_is_not_counted_by_its_parts() -> None:
    first_part = EXAMPLE.replace(b"+01:F'", b"+01:C'").replace(b"CNT+42:2", b"CNT+42:180")
    assert told(first_part) == []


def test_a_flights_status_names_references_only() -> None:
    status = (
        b"UNB+UNOA:4+A+B+130628:0900+1'UNH+1+PAXLST:D:12B:UN:IATA'BGM+266+CLNB'TDT+20+CA982'LOC+125+JFK'LOC+87+PEK'"
        b"NAD+ZZZ'RFF+ABO:ABC123'NAD+ZZZ'RFF+ABO:ABC124'CNT+42:2'UNT+11+1'UNZ+1+1'"
    )
    found = read(status)
    assert found.errors == ()
    assert (found.lists[0].kind, found.lists[0].change) == (ListKind.FLIGHT_STATUS, "CLNB")
    assert found.lists[0].status_references == ("ABC123", "ABC124")


def test_another_message_is_not_taken_for_a_list() -> None:
    other = EXAMPLE.replace(b"PAXLST:D:12B", b"CUSRES:D:12B")
    assert told(other) == [("UNH", 4, "message_type")]


@pytest.mark.parametrize(
    ("data", "wanted"),
    [
        (b"", ("UNB", 1, "file")),
        (b"\n\n", ("UNB", 1, "file")),
        (b"hello world", ("hel", 1, "tag")),
        (b"UNB+UNOA:4+A+B+130628:0900+1'", ("UNB", 1, "segment")),
        (b"BGM+745'", ("BGM", 1, "segment")),
        (EXAMPLE[:-2], ("UNZ", 42, "segment")),
    ],
)
def test_a_file_that_is_none_or_not_whole_is_an_error(data: bytes, wanted: tuple[str, int, str]) -> None:
    assert wanted in told(data)


def test_text_that_a_character_set_cannot_carry_is_not_written() -> None:
    made = PaxlstMaker(1).interchange(passengers=1)
    strange = Interchange(
        syntax_version="4",
        sender=("Ω",),
        recipient=("B",),
        prepared=("260301", "0900"),
        reference="1",
        lists=made.lists,
    )
    with pytest.raises(ValueError, match="UNOA"):
        write_paxlst(strange)


def test_the_command_counts_and_names(tmp_path: Path) -> None:
    file = tmp_path / "list.edi"
    file.write_bytes(EXAMPLE.replace(b"ATT+2++F'", b"ATT+2++Q'"))
    result = CliRunner().invoke(make_app(), ["paxlst", str(file), "--json"])
    assert result.exit_code == 1
    answer = json.loads(result.stdout)
    assert answer["records"] == 1
    (error,) = answer["errors"]
    assert {name: error[name] for name in ("segment", "line", "field")} == {
        "segment": "ATT",
        "line": 34,
        "field": "sex",
    }
    assert "travellers" not in answer
    file.write_bytes(EXAMPLE)
    result = CliRunner().invoke(make_app(), ["paxlst", str(file), "--json", "--travellers"])
    assert result.exit_code == 0
    assert [item["surname"] for item in json.loads(result.stdout)["travellers"]] == ["O'NEILL", "WANG"]
    result = CliRunner().invoke(make_app(), ["paxlst", str(file)])
    assert "2 travellers, 0 errors" in result.stdout
