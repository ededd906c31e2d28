"""Every history of up to eight events, by breadth first search: what the rules promise holds in each state that can be reached.

States that differ only in who is called what (roles among themselves, officers of a role among themselves), in numbers, hours and
digests are one (symmetry reduction), so that all orderings of all choices are covered in seconds. Beside the code walks a *notebook*
that writes down what happened in plain words and judges by that alone; both must always agree on whether the exit may be opened.
"""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import pytest

from gate.core import joint_release
from gate.core.inspection import (
    Inspection,
    InspectionAct,
    InspectionOutcome,
    InspectionState,
    InspectionWord,
    WordRefused,
    take_word,
)
from gate.core.joint_release import (
    CONSENT_WINDOW_MS,
    JointCase,
    Verdict,
    VerdictKind,
    VerdictRefused,
    is_releasable,
    with_evidence,
    with_inspection_open,
    with_record,
    with_release_issued,
    with_release_void,
    with_verdict,
)

RELEASE, RULE, HOLD = VerdictKind.RELEASED_BY_OFFICER, VerdictKind.RELEASED_BY_RULE, VerdictKind.HOLD
REFUSE, TAKEN_BACK = VerdictKind.REFUSE, VerdictKind.PENDING
Event = tuple[Any, ...]


@dataclass(frozen=True)
class Notebook:
    """What happened, in plain words. ``said`` is each role's last word: (kind, author, hour), struck out by new evidence."""

    said: tuple[tuple[str, tuple[VerdictKind, str, int]], ...] = ()
    bag: str = "shut"
    is_refused: bool = False
    is_out: bool = False
    has_evidence: bool = False

    def word_of(self, role: str) -> tuple[VerdictKind, str, int] | None:
        return dict(self.said).get(role)

    def may_open(self, roles: tuple[str, ...]) -> bool:
        words = [self.word_of(role) for role in roles]
        return (
            self.has_evidence
            and not self.is_out
            and not self.is_refused
            and self.bag == "shut"
            and all(word is not None and word[0] in (RELEASE, RULE) for word in words)
        )


@dataclass(frozen=True)
class World:
    """The code's state beside the notebook. ``last`` is each role's newest verdict message, to be delivered again."""

    case: JointCase
    bag: Inspection | None = None
    book: Notebook = Notebook()
    hour: int = 0
    number: int = 1
    last: tuple[tuple[str, Verdict], ...] = ()


def digest(revision: int) -> str:
    return f"{revision:064x}"


def officers(role: str) -> tuple[str, str]:
    return f"{role}1", f"{role}2"


def events(roles: tuple[str, ...]) -> Iterator[Event]:
    """Everything that can happen, in any state."""
    yield ("evidence", "new")
    yield ("evidence", "old")
    yield ("hour",)
    yield ("void",)
    for role in roles:
        for who in officers(role):
            for kind in (RELEASE, HOLD, REFUSE, TAKEN_BACK):
                yield ("say", role, who, kind, "current", None)
        yield ("say", role, officers(role)[0], RELEASE, "older", None)
        yield ("say", role, officers(role)[1], RELEASE, "current", "unseen")
        yield ("say", role, "rule", RULE, "current", None)
        yield ("again", role)
        yield ("bag", role, InspectionAct.PROPOSE)
        yield ("bag", role, InspectionAct.JOIN)
        yield ("bag", role, InspectionAct.RESULT)
        yield ("bag", role, InspectionAct.START)
        yield ("bag", role, InspectionAct.CANCEL)


def play(world: World, event: Event, roles: tuple[str, ...]) -> World:
    """One event, and then what the hub does by itself: release as soon as it may."""
    match event:
        case ("evidence", which):
            world = _evidence(world, which)
        case ("hour",):
            world = replace(world, hour=world.hour + 1)
        case ("void",):
            world = replace(world, case=with_release_void(world.case), book=replace(world.book, is_out=False))
        case ("say", role, who, kind, target, seen):
            world = _say(world, role, who, kind, target, seen)
        case ("again", role):
            world = _again(world, role)
        case ("bag", role, act):
            world = _bag(world, role, act, roles)
        case _:
            raise AssertionError(event)
    assert is_releasable(world.case) == world.book.may_open(roles), event
    if is_releasable(world.case):
        assert not world.book.is_out, "two releases"
        world = replace(world, case=with_release_issued(world.case), book=replace(world.book, is_out=True))
    assert world.case.is_release_issued == world.book.is_out
    return world


def _evidence(world: World, which: str) -> World:
    revision = world.case.evidence_revision + (1 if which == "new" else 0)
    if revision < 0:
        return world
    case = with_evidence(world.case, revision=revision, digest=digest(revision))
    if which == "old":
        assert case is world.case
        return world
    # An appointment on what is no longer so is called off; an open bag stays open.
    case = with_inspection_open(case, is_open=_is_open(world.bag, case))
    bag = "open" if world.book.bag == "open" else "shut"
    return replace(world, case=case, book=replace(world.book, said=(), has_evidence=True, bag=bag))


def _say(world: World, role: str, who: str, kind: VerdictKind, target: str, seen: str | None) -> World:
    current = world.case.evidence_digest or digest(0)
    held = world.case.verdicts.get(role)
    number = held.number if held is not None else 0
    verdict = Verdict(
        role=role,
        kind=kind,
        evidence_digest=current if target == "current" else "f" * 64,
        author=who,
        at_ms=world.hour * 2 * CONSENT_WINDOW_MS,
        number=world.number,
        seen_number=number + 1 if seen == "unseen" else None,
    )
    taken = with_verdict(world.case, verdict)
    book = world.book
    is_judged = (
        book.has_evidence
        and target == "current"
        and not book.is_out
        and not book.is_refused
        and not (book.bag != "shut" and kind in (RELEASE, RULE))
        and seen is None
    )
    assert isinstance(taken, JointCase) == is_judged, (role, who, kind, target, seen, taken)
    if isinstance(taken, VerdictRefused):
        return world
    is_second = kind is REFUSE and any(
        word[0] is REFUSE and word[1] != who and word[2] == world.hour for _, word in book.said
    )
    said = dict(book.said) | {role: (kind, who, world.hour)}
    book = replace(book, said=tuple(sorted(said.items())), is_refused=is_second)
    last = tuple(sorted((dict(world.last) | {role: verdict}).items()))
    return replace(world, case=taken, book=book, number=world.number + 1, last=last)


def _again(world: World, role: str) -> World:
    """The same message once more, after a reconnection: nothing at all changes."""
    message = dict(world.last).get(role)
    if message is not None:
        taken = with_verdict(world.case, message)
        assert taken == world.case or isinstance(taken, VerdictRefused)
    return world


def _bag(world: World, role: str, act: InspectionAct, roles: tuple[str, ...]) -> World:
    book, current = world.book, world.case.evidence_digest
    if current is None or book.is_out or book.is_refused:
        return world  # the hub offers no inspection then
    is_opening = act in (InspectionAct.PROPOSE, InspectionAct.START)
    if is_opening and world.bag is not None and act is InspectionAct.START and world.bag.evidence_digest != current:
        return world  # refused by the hub as stale
    word = InspectionWord(
        inspection_id=f"i{world.number}"
        if act is InspectionAct.PROPOSE
        else (world.bag.inspection_id if world.bag else "i"),
        act=act,
        role=role,
        author=officers(role)[0],
        evidence_digest=current,
        at_ms=world.number,
        number=world.number,
        roles=frozenset(roles),
        outcome=InspectionOutcome.NOTHING_FOUND,
    )
    taken = take_word(world.bag, word)
    if isinstance(taken, WordRefused):
        return world
    world = replace(world, bag=taken, number=world.number + 1)
    if taken.state is InspectionState.FINISHED:
        assert taken.results.keys() == taken.present.keys() == set(roles)
        assert len(set(taken.present.values())) == len(roles)
        return replace(world, case=with_record(world.case, taken.digest()), book=replace(book, said=(), bag="shut"))
    is_open = _is_open(taken, world.case)
    bag = "open" if taken.state is InspectionState.STARTED else ("asked" if is_open else "shut")
    return replace(world, case=with_inspection_open(world.case, is_open=is_open), book=replace(book, bag=bag))


def _is_open(bag: Inspection | None, case: JointCase) -> bool:
    if bag is None:
        return False
    return bag.state is InspectionState.STARTED or (
        bag.state is InspectionState.PROPOSED and bag.evidence_digest == case.evidence_digest
    )


def renamings(roles: tuple[str, ...]) -> list[dict[str, str]]:
    """Every way to call the roles, and the officers of each role, by each other's names."""
    made = []
    for order in itertools.permutations(roles):
        for flips in itertools.product((False, True), repeat=len(roles)):
            names = {"rule": "rule"}
            for role, other, is_flipped in zip(roles, order, flips, strict=True):
                names[role] = other
                first, second = officers(other)
                names |= dict(zip(officers(role), (second, first) if is_flipped else (first, second), strict=True))
            made.append(names)
    return made


def key(world: World, renamed: list[dict[str, str]]) -> Any:
    """What of a world matters for its future, by the least of its names."""
    case, bag = world.case, world.bag
    current = case.evidence_digest
    flags = (
        current is None,
        case.is_inspection_open,
        case.refused_by is not None,
        case.is_release_issued,
        world.book.bag,
        "" if bag is None else bag.state.value,
        bag is not None and bag.evidence_digest == current,
    )
    words = [
        (
            role,
            item.kind.value,
            item.author,
            item.evidence_digest == current,
            item.at_ms // 2 == world.hour * CONSENT_WINDOW_MS,
        )
        for role, item in case.verdicts.items()
    ]
    present = [] if bag is None else [(role, role in bag.results) for role in bag.present]
    return flags, min(
        (
            tuple(sorted((names[role], kind, names[who], *rest) for role, kind, who, *rest in words)),
            tuple(sorted((names[role], is_done) for role, is_done in present)),
        )
        for names in renamed
    )


def search(roles: tuple[str, ...], depth: int) -> list[int]:
    """Walk everything; how many different states each further event reaches first."""
    renamed = renamings(roles)
    start = World(case=JointCase(required_roles=frozenset(roles)))
    seen = {key(start, renamed)}
    layer, sizes = [start], [1]
    choices = list(events(roles))
    for _ in range(depth):
        following = []
        for world in layer:
            for event in choices:
                after = play(world, event, roles)
                if after is world:
                    continue
                name = key(after, renamed)
                if name not in seen:
                    seen.add(name)
                    following.append(after)
        layer = following
        sizes.append(len(layer))
    return sizes


def test_every_history_of_eight_events_of_two_roles() -> None:
    """Some 3,700 states: 8 events are enough for new evidence, an inspection with both present, and every word after it."""
    assert sum(search(("a", "b"), 8)) > 3_000


def test_every_history_of_four_events_of_three_roles() -> None:
    assert sum(search(("a", "b", "c"), 4)) > 250


@pytest.mark.long
@pytest.mark.timeout(3600)
def test_every_history_of_eight_events_of_three_roles() -> None:
    assert sum(search(("a", "b", "c"), 8)) > 10_000


BROKEN = {
    "a release over a hold": ("_objection", lambda case, verdict: None),
    "a refusal by one officer": (
        "consenting",
        lambda standing, verdict, window_ms: verdict if verdict.kind is REFUSE else None,
    ),
    "no refusal at all": ("consenting", lambda standing, verdict, window_ms: None),
}


@pytest.mark.parametrize("name", BROKEN)
def test_the_search_finds_rules_that_were_broken_on_purpose(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    where, instead = BROKEN[name]
    monkeypatch.setattr(joint_release, where, instead)
    with pytest.raises((AssertionError, ValueError)):
        search(("a", "b"), 5)
