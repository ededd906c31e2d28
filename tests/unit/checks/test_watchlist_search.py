"""Documents exactly, names by likeness given the date of birth, faces exhaustively; a base and what changed since."""

import random
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gate.checks.watchlist.base import Base, BaseInvalid, base_id, write_base
from gate.checks.watchlist.births import Birth, agreement, near_ranges, packed
from gate.checks.watchlist.entry import EntryInvalid, ListedName, WatchEntry
from gate.checks.watchlist.names import NameIndex, NameRow
from gate.checks.watchlist.search import How, Question, Watchlist
from gate.checks.watchlist.spelling import folded, spelt
from simulator.listed_people import Variation, people, varied, varied_birth

TODAY = date(2026, 11, 23)
DATES = st.tuples(st.integers(1900, 2026), st.integers(0, 12), st.integers(0, 31)).map(
    lambda parts: parts[0] * 10_000 + parts[1] * 100 + (parts[2] if parts[1] else 0)
)


def entry(entry_id: str, **said: Any) -> WatchEntry:
    return WatchEntry.from_json({"id": entry_id, "list": "test", "reason": "why"} | said)


def person(entry_id: str, surname: str, given_names: str, born: str = "", **said: Any) -> WatchEntry:
    names = [{"surname": surname, "given_names": given_names}]
    return entry(entry_id, names=names, birth_dates=[born] if born else [], **said)


def ids(watchlist: Watchlist, **asked: str) -> list[str]:
    return [hit.entry.id for hit in watchlist.find(Question(**asked), TODAY)]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Mohammed", "Mohamed"),
        ("Zhang", "Chang"),
        ("Юлия", "Yuliya"),
        ("Müller", "MUXXLLER"),
        ("Hussein", "Husayn"),
        ("Чайковский", "Tchaikovsky"),
        ("Xu", "Hsu"),
        ("Núñez", "Nunez"),
    ],
)
def test_what_romanisation_changes_is_folded_away(one: str, other: str) -> None:
    assert folded(spelt(one)) == folded(spelt(other))


@pytest.mark.parametrize(("one", "other"), [("Anna", "Anton"), ("Smith", "Schmidt"), ("Li", "Liu"), ("Ali", "Eli")])
def test_what_tells_people_apart_stays(one: str, other: str) -> None:
    assert folded(spelt(one)) != folded(spelt(other))


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        ("1974-08-12", "1974-08-12", Birth.SAME),
        ("1974", "1974-08-12", Birth.NEAR),
        ("1974-08", "1974-08-12", Birth.NEAR),
        ("1974-09", "1974-08-12", Birth.DIFFERENT),
        ("1974-12-08", "1974-08-12", Birth.NEAR),
        ("1975-08-12", "1974-08-12", Birth.NEAR),
        ("1985-08-12", "1974-08-12", Birth.DIFFERENT),
        ("", "1974-08-12", Birth.UNKNOWN),
    ],
)
def test_dates_of_birth_agree(a: str, b: str, expected: Birth) -> None:
    assert agreement(packed(a), packed(b)) is expected
    assert agreement(packed(b), packed(a)) is expected


@given(DATES, DATES)
def test_whatever_agrees_lies_in_the_ranges_that_are_looked_through(asked: int, listed: int) -> None:
    does_agree = agreement(asked, listed) in (Birth.SAME, Birth.NEAR)
    is_looked_at = any(first <= listed <= last for first, last in near_ranges(asked))
    assert is_looked_at or not does_agree


def test_a_name_is_a_hit_by_how_the_dates_agree() -> None:
    watchlist = Watchlist(None, added=[person("a", "Eriksson", "Anna Maria", "1974-08-12")])
    assert ids(watchlist, surname="ERICSON", given_names="ANA", birth_date="1974-08-12") == ["a"]
    assert ids(watchlist, surname="ERIKSSON", given_names="ANNA MARIA", birth_date="1974-12-08") == ["a"]
    assert ids(watchlist, surname="ERIKSSON", given_names="ANNA MARIA", birth_date="") == ["a"]
    assert ids(watchlist, surname="ANNA MARIA", given_names="ERIKSSON", birth_date="1974-08-12") == ["a"]
    assert ids(watchlist, surname="ERIKSSON", given_names="ANNA MARIA", birth_date="1991-03-02") == []
    assert ids(watchlist, surname="SMITH", given_names="ANNA MARIA", birth_date="1974-08-12") == ["a"], "a married name"
    assert ids(watchlist, surname="SMITH", given_names="CLARA", birth_date="1974-08-12") == []


def test_a_surname_alone_inside_a_longer_name_is_none() -> None:
    watchlist = Watchlist(None, added=[person("a", "Ali", "Hassan Omar", "1980-01-05")])
    assert ids(watchlist, surname="ALI", given_names="FATIMA", birth_date="1980-01-05") == []


def test_a_document_is_found_however_it_is_written_and_only_that() -> None:
    watchlist = Watchlist(
        None,
        added=[
            entry("exact", documents=[{"issuer": "UTO", "number": "L898902C"}]),
            entry("any", documents=[{"issuer": "", "number": "X1"}]),
        ],
    )
    assert ids(watchlist, document_number="l898-902c<", issuer="uto") == ["exact"]
    assert ids(watchlist, document_number="L898902C", issuer="XXO") == []
    assert ids(watchlist, document_number="X1", issuer="D") == ["any"]


def test_sex_and_nationality_and_validity_are_minded() -> None:
    listed = person("a", "Novak", "Jan", "1980-01-05", sex="M", nationalities=["CZE"], valid_until="2026-11-22")
    watchlist = Watchlist(
        None, added=[listed, person("b", "Novak", "Jan", "1980-01-05", sex="M", nationalities=["CZE"])]
    )
    asked = {"surname": "NOVAK", "given_names": "JAN", "birth_date": "1980-01-05"}
    assert ids(watchlist, **asked) == ["b"], "the other is over since yesterday"
    assert ids(watchlist, **asked, sex="F") == []
    assert ids(watchlist, **asked, nationality="SVK") == ["b"], "nobody is cleared by another passport"
    other = {"surname": "NOVAKOVSKI", "given_names": "JAN", "birth_date": "1980-01-05"}
    assert ids(watchlist, **other, nationality="CZE") == ["b"]
    assert ids(watchlist, **other, nationality="SVK") == []


def test_changes_hide_and_replace_what_the_base_says(tmp_path: Path) -> None:
    old = [person("a", "Eriksson", "Anna"), entry("s", documents=[{"issuer": "UTO", "number": "1"}])]
    parts = write_base(tmp_path / "base", old)
    base = Base(tmp_path / "base")
    assert base_id(parts) == base_id(reversed(parts))
    assert ids(Watchlist(base), surname="ERIKSSON", given_names="ANNA") == ["a"]
    assert ids(Watchlist(base, removed=["a"]), surname="ERIKSSON", given_names="ANNA") == []
    renamed = Watchlist(base, added=[person("a", "Lindström", "Eva")])
    assert ids(renamed, surname="ERIKSSON", given_names="ANNA") == []
    assert ids(renamed, surname="LINDSTROEM", given_names="EVA") == ["a"]
    assert ids(renamed, document_number="1", issuer="UTO") == ["s"]


@pytest.mark.parametrize("name", ["about.json", "entries.jsonl", "names.text.npy", "documents.high.npy"])
def test_a_base_that_is_not_whole_is_refused(tmp_path: Path, name: str) -> None:
    write_base(tmp_path / "base", [person("a", "Eriksson", "Anna")])
    (tmp_path / "base" / name).write_bytes(b"")
    with pytest.raises(BaseInvalid, match="base"):
        Base(tmp_path / "base")


def test_a_face_is_found_at_the_threshold_and_not_below() -> None:
    chance = np.random.default_rng(1)
    faces = chance.standard_normal((500, 128)).astype(np.float32)
    faces /= np.linalg.norm(faces, axis=1, keepdims=True)
    watchlist = Watchlist(
        None, added=[WatchEntry(id=f"f{i}", list_name="t", reason="r", face=face) for i, face in enumerate(faces)]
    )
    near = faces[7] + 0.05 * faces[8]
    near /= np.linalg.norm(near)
    similarity = float(near @ faces[7])
    (hit,) = watchlist.find_face(near, similarity - 1e-4, TODAY)
    assert (hit.entry.id, hit.how) == ("f7", How.FACE)
    assert watchlist.find_face(near, similarity + 1e-4, TODAY) == []


@pytest.mark.parametrize(
    ("said", "word"),
    [
        ({"documents": [{"issuer": "UTOPIA", "number": "1"}]}, "issuer"),
        ({"documents": [{"number": "A B?"}]}, "letters and digits"),
        ({"names": [{"given_names": "x"}]}, "surname"),
        ({}, "needs"),
        ({"names": [{"surname": "A"}], "birth_dates": ["12.8.1974"]}, "birth_dates"),
        ({"names": [{"surname": "A"}], "nationality": "UTO"}, "nationality"),
        ({"face": "AAAA"}, "face"),
        ({"names": "Anna"}, "names"),
    ],
)
def test_an_entry_that_cannot_be_kept_is_named(said: dict[str, Any], word: str) -> None:
    with pytest.raises(EntryInvalid, match=word):
        entry("a", **said)


def test_an_entry_says_itself_again() -> None:
    face = np.zeros(128, np.float32)
    face[3] = 1
    whole = person("a", "Eriksson", "Anna", "1974-08", nationalities=["UTO"], sex="F", roles=["customs", "border"])
    again = WatchEntry.from_json(whole.to_json())
    assert again.to_json() == whole.to_json()
    seen = WatchEntry.from_json(WatchEntry(id="f", list_name="t", reason="r", face=face).to_json()).face
    assert seen is not None
    assert np.array_equal(seen, face)


def test_of_many_the_meant_ones_are_found_and_strangers_are_left_alone() -> None:
    listed = list(people(5_000, seed=11))
    index = NameIndex.build(
        NameRow(
            entry=row, name=ListedName(surname=one.names()[0], given_names=one.names()[1]), birth=packed(one.birth_date)
        )
        for row, one in enumerate(listed)
    )
    chance = random.Random(12)
    missed = 0
    for turn in range(400):
        row = chance.randrange(len(listed))
        surname, given_names = varied(listed[row], list(Variation)[turn % len(Variation)], chance)
        hits = index.find(
            ListedName(surname=surname, given_names=given_names), varied_birth(listed[row].birth_date, chance)
        )
        missed += all(hit.entry != row for hit in hits)
    assert missed <= 8
    strangers = list(people(300, seed=13))
    stopped = sum(
        bool(index.find(ListedName(surname=one.names()[0], given_names=one.names()[1]), one.birth_date))
        for one in strangers
    )
    assert stopped <= 6
