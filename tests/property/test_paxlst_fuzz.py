"""Whatever bytes come, reading a passenger list gives records and errors, never an exception; and what is left unspoilt goes in."""

from hypothesis import given, settings
from hypothesis import strategies as st

from gate.checks.paxlst import Layout, Marks, read_paxlst, read_segments, write_paxlst, write_segments
from simulator.paxlst import FLAVOURS, TODAY, PaxlstMaker

LISTS = [
    write_paxlst(PaxlstMaker(seed, flavour).interchange(lists=2, passengers=3), flavour.layout)
    for seed, flavour in enumerate(FLAVOURS)
]
PIECES = [b"UNA:+.?*'", b"UNB+UNOA:4+", b"UNH+1+PAXLST:D:12B'", b"NAD+FL+++", b"DTM+329:", b"DOC+P+", b"CNT+42:"]
PIECES += [b"UNT+", b"UNE+", b"UNZ+", b"'", b"+", b":", b"?", b"\x1c", b"\xff"]


@given(st.binary(max_size=400))
def test_any_bytes(data: bytes) -> None:
    read_paxlst(data, today=TODAY)


@given(st.lists(st.sampled_from(PIECES) | st.binary(max_size=8), max_size=40))
def test_any_heap_of_pieces(pieces: list[bytes]) -> None:
    read_paxlst(b"".join(pieces), today=TODAY)


@settings(max_examples=150)
@given(
    st.sampled_from(LISTS),
    st.lists(st.tuples(st.integers(0, 6000), st.integers(0, 12), st.binary(max_size=6)), min_size=1, max_size=5),
)
def test_any_damage_of_a_good_list_is_told_or_harmless(data: bytes, damages: list[tuple[int, int, bytes]]) -> None:
    for at, length, instead in damages:
        data = data[: at % (len(data) + 1)] + instead + data[at % (len(data) + 1) + length :]
    found = read_paxlst(data, today=TODAY)
    assert len(found.passengers) <= 6 + sum(instead.count(b"N") for _, _, instead in damages)
    for error in found.errors:
        assert error.line >= 1
        assert error.field
        assert error.message


texts = st.text(st.characters(codec="latin-1", exclude_characters="\r\n"), max_size=12)
segments = st.tuples(
    st.sampled_from(["BGM", "NAD", "X1Y"]),
    st.lists(st.lists(texts, min_size=1, max_size=3).map(tuple), max_size=4).map(tuple),
)


@given(
    st.lists(segments, max_size=6),
    st.sampled_from([Marks(), Marks(element="|", component="^", terminator="~", release="\\", repetition=" ")]),
    st.sampled_from(["", "\n", "\r\n"]),
)
def test_any_texts_are_cut_as_they_were_joined(
    raw: list[tuple[str, tuple[tuple[str, ...], ...]]], marks: Marks, ending: str
) -> None:
    head = ("UNB", (("UNOC", "4"),))
    layout = Layout(syntax_id="UNOC", marks=marks, after_segment=ending)
    found = read_segments(write_segments([head, *raw], layout))
    assert [(item.tag, item.elements) for item in found.segments] == [head, *raw]
    assert [item.number for item in found.segments] == list(range(2, len(raw) + 3))
