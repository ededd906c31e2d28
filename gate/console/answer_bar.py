"""The lower bar of an officer's screen: every required role's word, one's own answers, and what is rarer beside them."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from config.schema import Role
from gate.console.context import Console
from gate.console.decision_desk import DecisionDesk
from gate.console.hub_models import Case, InspectionView, VerdictKind
from gate.console.i18n import Words
from gate.console.parts import Rows, box, button, set_data, set_enabled, set_prop, set_style, set_words, text
from gate.console.role_dialogs import Choice, ChoiceDialog, Invited, Question
from gate.console.spoken import reason_title, reason_words, role_title, verdict_words
from gate.console.view import age, clock_time
from gate.core.inspection import InspectionAct, InspectionOutcome
from gate.core.joint_release import CONSENT_WINDOW_MS


@dataclass(frozen=True, slots=True, kw_only=True)
class WordLine:
    """One role's card."""

    role: str
    kind: str
    word: str
    detail: str
    is_at_work: bool = False


class AnswerBar:
    """``desk`` sends what is answered here."""

    def __init__(self, console: Console, role: Role, words: Words, *, desk: DecisionDesk) -> None:
        self._console = console
        self._role = role
        self._words = words
        self._desk = desk
        self._case: Case | None = None
        self._dialog = ChoiceDialog(words)
        with box("answer-bar"):
            self._verdicts = Rows(box("verdicts", testid="verdicts"), self._draw_verdicts)
            with box("more-answers"):
                self._take_back = self._small("take_back", desk.take_back, "F6")
                self._send_back = self._small("send_back", self._ask_send_back, "F7")
                self._force = self._small("force_open", self._ask_force, "F8")
                self._leave = self._small("leave_inspection", self._leave_inspection, "End")
            with box("answers"):
                self._release = self._large("release", self._ask_release, "F1")
                self._hold = self._large("hold", self._ask_hold, "F2")
                self._inspect = self._large("inspect", self._ask_inspect, "F3")
                self._refuse = self._large("refuse", self._ask_refuse, "F4")

    def _large(self, name: str, press: Callable[[], Awaitable[None] | None], key: str) -> "_Button":
        return _Button(self._words(f"answer.{name}"), press, f"btn-{name}", testid=f"btn-{name}", key=key)

    def _small(self, name: str, press: Callable[[], Awaitable[None] | None], key: str) -> "_Button":
        testid = f"btn-{name.replace('_', '-')}"
        return _Button(self._words(f"answer.{name}"), press, "btn-more", testid=testid, key=key)

    # What is asked.

    def _ask(self, answer: str, names: Sequence[str], then: Callable[[Choice], Awaitable[None]]) -> None:
        options = [(name, reason_title(name, self._words, self._console.site.reasons)) for name in names]
        question = Question(
            title=self._words(f"ask.{answer}"), subtitle=self._words(f"ask.{answer}.more"), options=options
        )
        self._dialog.ask(question, then)

    async def _verdict(self, kind: VerdictKind, names: Sequence[str], answer: str) -> None:
        async def give(choice: Choice) -> None:
            await self._desk.answer(kind, choice.kept)

        if names:
            self._ask(answer, names, give)
        else:
            await self._desk.answer(kind)

    async def _ask_release(self) -> None:
        case = self._case
        stands = case is not None and case.in_the_way_of(self._role.id)
        await self._verdict(VerdictKind.RELEASE, self._console.site.reasons.release if stands else (), "release")

    async def _ask_hold(self) -> None:
        await self._verdict(VerdictKind.HOLD, self._console.site.reasons.hold, "hold")

    async def _ask_refuse(self) -> None:
        await self._verdict(VerdictKind.REFUSE, self._console.site.reasons.refuse, "refuse")

    async def _ask_send_back(self) -> None:
        async def give(choice: Choice) -> None:
            await self._desk.send_back(choice.kept)

        self._ask("send_back", self._console.site.reasons.send_back or ("assistance",), give)

    async def _ask_force(self) -> None:
        async def give(choice: Choice) -> None:
            await self._desk.force_open(choice.kept)

        self._ask("force_open", self._console.site.reasons.force_open or ("equipment",), give)

    async def _ask_inspect(self) -> None:
        case = self._case
        if case is None:
            return
        match next_step(case.inspection, self._role.id):
            case "inspect":
                self._call_inspection(case)
            case "join":
                await self._desk.act(InspectionAct.JOIN)
            case "start":
                await self._desk.act(InspectionAct.START)
            case "result":
                self._ask_result()
            case _:
                pass

    def _call_inspection(self, case: Case) -> None:
        async def give(choice: Choice) -> None:
            await self._desk.call_inspection(choice.invited, choice.kept)

        names = self._console.site.reasons.inspect or ("look-closer",)
        others = [role for role in case.required_roles if role != self._role.id]
        question = Question(
            title=self._words("ask.inspect"),
            subtitle=self._words("ask.inspect.more"),
            options=[(name, reason_title(name, self._words, self._console.site.reasons)) for name in names],
            invited=[
                Invited(
                    role=role,
                    title=role_title(self._console.site, role, self._words),
                    is_expected=case.verdict_kind(role)
                    != "released_by_rule",  # a role that a rule answers for may have no officer
                )
                for role in others
            ],
        )
        self._dialog.ask(question, give)

    def _ask_result(self) -> None:
        async def give(choice: Choice) -> None:
            await self._desk.act(InspectionAct.RESULT, outcome=InspectionOutcome(choice.name), detail=choice.note)

        options = [(item.value, self._words(f"inspection.outcome.{item.value}")) for item in InspectionOutcome]
        question = Question(title=self._words("ask.result"), subtitle=self._words("ask.result.more"), options=options)
        self._dialog.ask(question, give)

    async def _leave_inspection(self) -> None:
        case = self._case
        if case is None or case.inspection is None:
            return
        is_last = set(case.inspection.present) == {self._role.id}
        await self._desk.act(InspectionAct.CANCEL if is_last else InspectionAct.LEAVE)

    # What is drawn.

    def show(self, case: Case | None, *, may_answer: bool, at_work: dict[str, tuple[str, int]], now_ms: int) -> None:
        """``at_work``: by role, the officer whose screen shows the case and since when."""
        if case is None or self._case is None or case.case_id != self._case.case_id:
            self._dialog.close()  # a question about another case
        elif case.evidence_digest != self._case.evidence_digest:
            self._dialog.close()  # what was asked about is not what is known now
        self._case = case
        is_open = case is not None and case.status == "open" and may_answer
        is_ours = case is not None and self._role.id in case.required_roles and case.evidence_digest is not None
        is_shut = case is not None and (case.refused_by is not None or case.is_sent_back)
        inspection = case.inspection if case is not None else None
        may_speak = is_open and is_ours and not is_shut
        self._release.enable(may_speak and inspection is None and case is not None and case.decision is not None)
        self._hold.enable(may_speak)
        self._refuse.enable(may_speak)
        step = next_step(inspection, self._role.id)
        self._inspect.enable(may_speak and step in ("inspect", "join", "start", "result"))
        self._inspect.rename(self._words(f"answer.{step}"))
        self._send_back.enable(is_open and not is_shut and case is not None and case.occupancy_id is not None)
        is_inside = case is not None and case.occupancy_id is not None and case.release is None
        self._force.enable(may_speak and is_inside and inspection is None)
        self._take_back.enable(may_answer and self._desk.word_to_take_back(case) is not None)
        own_here = inspection is not None and self._role.id in inspection.present
        self._leave.enable(is_open and own_here and inspection is not None and inspection.state == "proposed")
        own = case.verdict_kind(self._role.id) if case is not None else ""
        for each, kind in (
            (self._release, VerdictKind.RELEASE),
            (self._hold, VerdictKind.HOLD),
            (self._inspect, VerdictKind.INSPECT),
            (self._refuse, VerdictKind.REFUSE),
        ):
            each.give(is_given=own == kind.value)
        lines = [] if case is None else [self._line(case, role, at_work, now_ms) for role in self._in_order(case)]
        self._verdicts.show(lines)

    def _in_order(self, case: Case) -> list[str]:
        known = [role.id for role in self._console.site.roles if role.id in case.required_roles]
        return known + sorted(set(case.required_roles) - set(known))

    def _line(self, case: Case, role: str, at_work: dict[str, tuple[str, int]], now_ms: int) -> WordLine:
        kind = case.verdict_kind(role)
        officer = at_work.get(role)
        word = verdict_words(kind, self._words)
        if kind == "pending" and officer is not None:
            word = self._words("verdict.looking")
        detail = self._detail(case, role, kind)
        if kind == "pending" and officer is not None and not detail:
            detail = self._words("verdict.looking.detail", name=officer[0], age=age(now_ms - officer[1]))
        if not detail and kind == "pending":
            detail = (
                self._words("verdict.lane_checking") if case.decision is None else self._words("verdict.must_answer")
            )
        return WordLine(role=role, kind=kind, word=word, detail=detail, is_at_work=officer is not None)

    def _detail(self, case: Case, role: str, kind: str) -> str:
        inspection, verdict = case.inspection, case.own_word(role)
        if inspection is not None and role in inspection.roles:
            return self._inspection_detail(inspection, role)
        if verdict is None:
            return ""
        if not verdict.is_current and verdict.kind != "pending":
            return self._words("verdict.on_older", word=verdict_words(verdict.kind, self._words))
        if kind == "pending":
            return ""
        by = verdict.author if kind != "released_by_rule" else ""
        at = clock_time(verdict.at_ms) if verdict.at_ms is not None else ""
        why = reason_words(verdict.reason, self._words, self._console.site.reasons)
        return " · ".join(part for part in (by, at, why) if part)

    def _inspection_detail(self, inspection: InspectionView, role: str) -> str:
        result, officer = inspection.results.get(role), inspection.present.get(role)
        if result is not None:
            return self._words(f"inspection.outcome.{result.outcome}")
        if officer is None:
            return self._words("inspection.called")
        return self._words("inspection.at_bag" if inspection.state == "started" else "inspection.there", name=officer)

    def _draw_verdicts(self, lines: Sequence[WordLine]) -> None:
        for line in lines:
            with box("verdict", testid=f"verdict-{line.role}") as item:
                set_data(item, kind=line.kind, own="yes" if line.role == self._role.id else None)
                set_data(item, at_work="yes" if line.is_at_work else None)
                found = self._console.role(line.role)
                set_style(item, role=found.colour if found is not None else "#8aa0b2")
                title = role_title(self._console.site, line.role, self._words)
                text(self._words("verdict.you", role=title) if line.role == self._role.id else title, "verdict-role")
                text(line.word, "verdict-word")
                text(line.detail, "verdict-detail").tooltip(line.detail)


class _Button:
    """A button of the bar, with its key."""

    def __init__(
        self, label: str, press: Callable[[], Awaitable[None] | None], classes: str, *, testid: str, key: str
    ) -> None:
        self._element = button(label, press, classes, testid=testid, key=key)

    def enable(self, is_enabled: bool) -> None:
        set_enabled(self._element, is_enabled)

    def rename(self, label: str) -> None:
        set_words(self._element, label)

    def give(self, *, is_given: bool) -> None:
        """Draw it as the answer that stands."""
        set_data(self._element, given="yes" if is_given else None)
        set_prop(self._element, "aria-pressed", "true" if is_given else "false")


def next_step(inspection: InspectionView | None, role: str) -> str:
    """What the key for inspections does now: ``inspect``, ``join``, ``start``, ``result``; ``waiting`` and ``given`` do nothing."""
    if inspection is None:
        return "inspect"
    if role not in inspection.roles:
        return "waiting"
    if inspection.state == "started":
        return "given" if role in inspection.results else "result"
    if role not in inspection.present:
        return "join"
    return "start" if set(inspection.present) == set(inspection.roles) else "waiting"


def standing_appeals(case: Case, role: str, user: str | None, words: Words, console: Console, now_ms: int) -> str:
    """What waits for a second officer, or for this role to come, in one sentence; empty when nothing does."""
    inspection = case.inspection
    if inspection is not None and next_step(inspection, role) == "join":
        return words("appeal.inspection", name=inspection.proposed_by)
    recent = [item for item in case.force_open if now_ms - item.at_ms <= CONSENT_WINDOW_MS]
    if recent and case.status == "open" and case.release is None:
        last = recent[-1]
        why = reason_words(last.reason, words, console.site.reasons)
        key = "appeal.force_own" if last.author == user else "appeal.force"
        left = age(last.at_ms + CONSENT_WINDOW_MS - now_ms)
        return words(key, name=last.author, reason=why, left=left)
    if case.refused_by is not None and case.status == "open":
        return words("appeal.refused", names=words("names.and").join(case.refused_by))
    for name, word in sorted(case.verdicts.items()):
        if case.verdict_kind(name) == VerdictKind.REFUSE.value and not isinstance(word, str) and word.author != user:
            why = reason_words(word.reason, words, console.site.reasons)
            title = role_title(console.site, name, words)
            return words("appeal.refuse", role=title, name=word.author, reason=why)
    return ""
