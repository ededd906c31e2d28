"""Every order of up to six events: the case is the same wherever the rules promise it, and released exactly when all agree, once.

An exhaustive model check: each set of events is played in all its orders against a model written from the rules alone.
"""

import itertools
from collections.abc import Sequence

import pytest

from gate.core.joint_release import (
    JointCase,
    Verdict,
    VerdictKind,
    VerdictRefused,
    current_verdict,
    is_releasable,
    with_evidence,
    with_release_issued,
    with_verdict,
)

ROLES = ("border", "customs", "quarantine")
OFFICER, RULE, HOLD = VerdictKind.RELEASED_BY_OFFICER, VerdictKind.RELEASED_BY_RULE, VerdictKind.HOLD

Evidence = tuple[str, int]
"""("evidence", revision); its digest is made of it."""
Item = Evidence | Verdict


def digest(revision: int) -> str:
    return f"{revision:064x}"


def verdict(role: str, number: int, kind: VerdictKind = OFFICER, revision: int = 0) -> Verdict:
    return Verdict(
        role=role, kind=kind, evidence_digest=digest(revision), author="ann", at_ms=number, number=number, reason="r"
    )


class Desk:
    """Takes events one by one and issues the release as soon as it may, as a hub does."""

    def __init__(self, roles: Sequence[str]) -> None:
        self.case = JointCase(required_roles=frozenset(roles))
        self.released: list[str | None] = []
        self.refusals: list[str] = []

    def take(self, item: Item) -> None:
        if isinstance(item, Verdict):
            taken = with_verdict(self.case, item)
            if isinstance(taken, VerdictRefused):
                self.refusals.append(taken.reason)
                return
            self.case = taken
        else:
            self.case = with_evidence(self.case, revision=item[1], digest=digest(item[1]))
        if is_releasable(self.case):
            for role in self.case.required_roles:
                assert current_verdict(self.case, role).is_release
            self.case = with_release_issued(self.case)
            self.released.append(self.case.evidence_digest)


class Model:
    """The rules, told differently: the newest revision; the newest word of each role that was given on it when it was newest."""

    def __init__(self, roles: Sequence[str]) -> None:
        self.roles = roles
        self.newest = -1
        self.words: dict[str, Verdict] = {}
        self.released: list[str | None] = []

    def take(self, item: Item) -> None:
        if isinstance(item, Verdict):
            if item.role not in self.roles or self.released or item.evidence_digest != digest(self.newest):
                return
            if self.newest < 0:
                return
            if item.role not in self.words or self.words[item.role].number < item.number:
                self.words[item.role] = item
        elif item[1] > self.newest:
            self.newest = item[1]
        said = [self.words.get(role) for role in self.roles]
        if not self.released and all(
            word is not None and word.evidence_digest == digest(self.newest) and word.kind in (OFFICER, RULE)
            for word in said
        ):
            self.released.append(digest(self.newest))


E0: Item = ("evidence", 0)
E1: Item = ("evidence", 1)

BORDER, CUSTOMS, QUARANTINE = (verdict(role, number) for number, role in enumerate(ROLES, start=1))
AFRESH = [verdict(role, number, revision=1) for number, role in enumerate(ROLES, start=4)]
BY_RULE = verdict("border", 1, RULE)

SETS: dict[str, list[Item]] = {
    "three roles agree": [E0, BORDER, CUSTOMS, QUARANTINE],
    "one by rule, the others say it twice": [E0, BY_RULE, CUSTOMS, CUSTOMS, QUARANTINE, QUARANTINE],
    "one holds and then releases": [E0, BORDER, CUSTOMS, verdict("quarantine", 3, HOLD), verdict("quarantine", 4)],
    "one releases and then holds": [E0, BORDER, CUSTOMS, QUARANTINE, verdict("quarantine", 4, HOLD)],
    "new evidence after two": [E0, E1, BORDER, CUSTOMS, AFRESH[2]],
    "new evidence, all speak again": [E1, E0, BORDER, *AFRESH],
    "the same evidence twice": [E0, E0, BORDER, CUSTOMS, QUARANTINE],
    "a role that is not asked": [E0, verdict("security", 9), BORDER, CUSTOMS, QUARANTINE],
    "no evidence at all": [BORDER, CUSTOMS, QUARANTINE],
    "refused by one": [E0, BORDER, verdict("customs", 2, VerdictKind.REFUSE), QUARANTINE],
    "inspected by one": [E0, BORDER, verdict("customs", 2, VerdictKind.INSPECT), QUARANTINE, E1],
}


def knows_its_evidence(order: Sequence[Item]) -> bool:
    """Whether each verdict comes when the newest evidence is the one it speaks of: nobody judges what they have not seen."""
    newest = -1
    for item in order:
        if isinstance(item, Verdict):
            if item.evidence_digest != digest(newest):
                return False
        else:
            newest = max(newest, item[1])
    return True


@pytest.mark.parametrize("name", SETS)
def test_every_order_is_what_the_rules_say(name: str) -> None:
    items = SETS[name]
    assert len(items) <= 6
    for order in itertools.permutations(items):
        desk, model = Desk(ROLES), Model(ROLES)
        for item in order:
            desk.take(item)
            model.take(item)
            assert desk.released == model.released, order
        assert len(desk.released) <= 1
        assert desk.case.is_release_issued == bool(desk.released)


@pytest.mark.parametrize("name", SETS)
def test_where_everybody_saw_what_they_judged_the_order_of_roles_does_not_matter(name: str) -> None:
    """Orders that keep each role's own verdicts in their order, as one screen gives them, and nobody speaks before their evidence."""
    outcomes = set()
    for order in itertools.permutations(SETS[name]):
        numbers: dict[str, list[int]] = {}
        for item in order:
            if isinstance(item, Verdict):
                numbers.setdefault(item.role, []).append(item.number)
        if not knows_its_evidence(order) or any(line != sorted(line) for line in numbers.values()):
            continue
        desk = Desk(ROLES)
        for item in order:
            desk.take(item)
        words = tuple(current_verdict(desk.case, role) for role in ROLES)
        # A release goes out at once, so it may go out before a later hold or later evidence; without it all ends alike.
        outcomes.add((desk.case.evidence_digest, words) if not desk.released else ("released", tuple(desk.released)))
    released = {outcome for outcome in outcomes if outcome[0] == "released"}
    assert len(outcomes - released) <= 1
    assert len(released) <= 1


def test_all_that_agree_are_released_in_every_order() -> None:
    for order in itertools.permutations(SETS["three roles agree"][1:]):
        desk = Desk(ROLES)
        for item in (E0, *order):
            assert not desk.released
            desk.take(item)
        assert desk.released == [digest(0)]


def test_after_the_release_nothing_is_taken_and_nothing_is_released_again() -> None:
    desk = Desk(("border",))
    for item in (E0, verdict("border", 1), verdict("border", 2, HOLD), E1, verdict("border", 3, revision=1)):
        desk.take(item)
    assert desk.released == [digest(0)]
    assert desk.refusals == ["already_released", "already_released"]
    with pytest.raises(ValueError, match="cannot be released"):
        with_release_issued(desk.case)


@pytest.mark.parametrize("kind", VerdictKind)
def test_only_two_words_release(kind: VerdictKind) -> None:
    desk = Desk(("border",))
    desk.take(E0)
    desk.take(verdict("border", 1, kind))
    assert bool(desk.released) == (kind in (OFFICER, RULE))
    assert kind.is_release == (kind in (OFFICER, RULE))
    assert current_verdict(desk.case, "border") is kind


def test_a_verdict_says_why_it_is_not_taken() -> None:
    case = with_evidence(JointCase(required_roles=frozenset(ROLES)), revision=3, digest=digest(3))
    assert with_verdict(case, verdict("security", 1, revision=3)) == VerdictRefused(reason="unknown_role")
    assert with_verdict(case, verdict("border", 1, revision=2)) == VerdictRefused(reason="stale_evidence")
    taken = with_verdict(case, verdict("border", 5, HOLD, revision=3))
    assert isinstance(taken, JointCase)
    assert with_verdict(taken, verdict("border", 5, revision=3)) == taken
    assert with_verdict(taken, verdict("border", 4, revision=3)) == taken
    assert current_verdict(taken, "border") is HOLD
    assert current_verdict(taken, "customs") is VerdictKind.PENDING


def test_older_or_repeated_evidence_changes_nothing_and_newer_reopens_all() -> None:
    case = with_evidence(JointCase(required_roles=frozenset({"border"})), revision=2, digest=digest(2))
    assert with_evidence(case, revision=2, digest=digest(9)) is case
    assert with_evidence(case, revision=1, digest=digest(1)) is case
    spoken = with_verdict(case, verdict("border", 1, revision=2))
    assert isinstance(spoken, JointCase)
    assert is_releasable(spoken)
    newer = with_evidence(spoken, revision=3, digest=digest(3))
    assert current_verdict(newer, "border") is VerdictKind.PENDING
    assert not is_releasable(newer)


def test_a_case_that_nobody_has_to_release_cannot_be_made() -> None:
    with pytest.raises(ValueError, match="at least one required role"):
        JointCase(required_roles=frozenset())
