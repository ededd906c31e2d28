"""Looking for cases: by a part of the number, lane, outcome, period; and what became of one."""

from collections.abc import Sequence
from functools import partial

from fastapi.responses import RedirectResponse
from nicegui import ui

from gate.console.context import Console, browser_id, officer_of, to_login
from gate.console.hub_client import LinkLost, Refusal
from gate.console.hub_models import Case, CasePage, CaseSummary
from gate.console.hub_supervision import CaseQuery, Supervision
from gate.console.i18n import Words
from gate.console.lane_feed import outcome_words
from gate.console.parts import Rows, box, button, link, set_data, set_enabled, text
from gate.console.period import PERIODS, period_of
from gate.console.supervisor_head import SupervisorHead, dress, scrolling
from gate.console.view import age, short_id
from gate.core.effects import CrossingOutcome

_ANY = ""


def register(console: Console) -> None:
    """Register ``/cases``; ``?case=`` opens one at once."""

    @ui.page("/cases", dark=True)
    def cases(case: str = "") -> RedirectResponse | None:
        if officer_of(console) is None:
            return to_login("/cases")
        words = console.words()
        ui.page_title(words("nav.cases"))
        dress(console, words)
        _CasesScreen(console, words, browser_id(), case_id=case)
        return None


class _CasesScreen:
    def __init__(self, console: Console, words: Words, browser: str, *, case_id: str) -> None:
        self._console, self._words, self._browser = console, words, browser
        self._supervision = Supervision(console.hub)
        self._found: tuple[CaseSummary, ...] = ()
        self._query = CaseQuery()
        self._after: str | None = None
        self._selected: str | None = None
        with box("supervisor-screen", testid="cases-screen"):
            self._head = SupervisorHead(console, words, active="cases", browser=browser)
            with box("supervisor-main", tag="main"):
                self._build_form(case_id)
                with box("cases-columns"):
                    with scrolling("panel", tag="section"):
                        self._list = Rows(box("case-list", testid="case-list"), self._draw_list)
                        self._more = button(words("search.more"), self._next, "btn-small", testid="search-more")
                    with scrolling("panel", tag="section"):
                        self._detail = Rows(box("case-detail", testid="case-detail"), self._draw_detail)
        self._detail.show("choose")
        self._list.show(("loading", ()))
        self._more.visible = False
        ui.timer(5.0, lambda: self._head.show(is_lost=self._is_lost), immediate=False)
        self._is_lost = False
        ui.timer(0.05, self._search, once=True)
        if case_id:
            ui.timer(0.05, partial(self._open, case_id), once=True)

    def _build_form(self, case_id: str) -> None:
        words = self._words
        lanes = {_ANY: words("search.any")} | {lane.id: lane.title or lane.id for lane in self._console.site.lanes}
        outcomes = {_ANY: words("search.any"), "open": words("search.open")}
        outcomes |= {outcome.value: outcome_words(words, outcome.value) for outcome in CrossingOutcome}
        periods = {name: words(f"period.{name}") for name in PERIODS} | {_ANY: words("search.any")}
        with box("panel search-form", tag="section"):
            self._text = ui.input(words("search.text"), value=case_id).props(
                'outlined dark dense clearable maxlength=64 data-testid="search-text"'
            )
            self._text.on("keydown.enter", self._search, args=[])
            self._lane = ui.select(lanes, value=_ANY, label=words("search.lane")).props("outlined dark dense")
            self._outcome = ui.select(outcomes, value=_ANY, label=words("search.outcome")).props("outlined dark dense")
            self._period = ui.select(periods, value=_ANY if case_id else "day", label=words("search.period")).props(
                "outlined dark dense"
            )
            self._referred = ui.checkbox(words("search.referred")).props("dark")
            button(words("search.go"), self._search, "btn-go", testid="search-go")

    async def _search(self) -> None:
        period = period_of(str(self._period.value), self._console.clock.utc_ms()) if self._period.value else None
        typed = "".join(char for char in str(self._text.value or "").strip() if char.isascii() and char.isprintable())
        self._query = CaseQuery(
            text=typed,
            lane=self._lane.value or None,
            outcome=self._outcome.value or None,
            is_referred=True if self._referred.value else None,
            from_ms=period.from_ms if period else None,
            until_ms=period.until_ms if period else None,
        )
        self._found = ()
        self._after = None
        await self._next()

    async def _next(self) -> None:
        officer = self._console.sessions.officer(self._browser)
        if officer is None:
            ui.navigate.to("/login?next=/cases")
            return
        set_enabled(self._more, False)
        query = self._query
        answer = await self._supervision.search(officer.token, query, after=self._after)
        if query is not self._query:
            return  # another question was put meanwhile, whose answer is under way
        set_enabled(self._more, True)
        self._is_lost = isinstance(answer, LinkLost)
        self._head.show(is_lost=self._is_lost)
        if isinstance(answer, CasePage):
            self._found += answer.cases
            self._after = str(answer.next) if answer.next is not None else None
            self._more.visible = self._after is not None
            self._list.show(("none" if not self._found else "", self._found))
        else:
            self._list.show(("lost" if self._is_lost else "bad_text", self._found))

    async def _open(self, case_id: str) -> None:
        officer = self._console.sessions.officer(self._browser)
        if officer is None:
            return
        self._selected = case_id
        answer = await self._console.hub.case(officer.token, case_id)
        if case_id != self._selected:
            return
        if isinstance(answer, Case):
            self._detail.show(answer)
        else:
            self._detail.show("gone" if isinstance(answer, Refusal) else "lost")

    def _draw_list(self, shown: tuple[str, Sequence[CaseSummary]]) -> None:
        empty, cases = shown
        if not cases:
            text(self._words(f"search.{empty}"), "empty", testid=f"search-{empty}")
        for case in cases:
            with button("", partial(self._open, case.case_id), "case-row", testid="case-row") as row:
                set_data(row, case_id=case.case_id)
                text(self._words.moment(case.opened_ms), "mono dim")
                text(short_id(case.case_id), "mono")
                text(self._console.lane_title(case.lane), "")
                how = outcome_words(self._words, case.outcome) if case.outcome else self._words("search.open")
                text(how, "case-how")

    def _draw_detail(self, shown: Case | str) -> None:
        if isinstance(shown, str):
            text(self._words(f"search.{shown}"), "empty")
            return
        words, case = self._words, shown
        text(case.case_id, "mono case-title", testid="case-detail-id")
        ended_ms = case.closed_ms or self._console.clock.utc_ms()
        lasted = words("search.lasted", age=age(ended_ms - case.opened_ms))
        text(f"{self._console.lane_title(case.lane)} · {words.moment(case.opened_ms)} · {lasted}", "dim")
        if case.outcome:
            text(outcome_words(words, case.outcome), "case-how")
        for role in case.required_roles:
            kind = case.verdict_kind(role)
            text(f"{self._console.role_title(role)}: {words.get(f'verdict.{kind}') or kind}", "small")
        text(words("search.findings"), "panel-title small")
        for finding in case.findings:
            with box("finding-line") as line:
                set_data(line, way="yes" if finding.is_in_the_way else None)
                sentence = words.get(f"finding.{finding.code}/{finding.outcome.value}")
                text(sentence or finding.code.replace(".", " · ").replace("_", " "), "small")
        text(words("search.history"), "panel-title small")
        for item in case.history:
            with box("journal-line"):
                text(words.moment(item.at_ms), "mono dim")
                text(words.get(f"history.{item.what}") or item.what.replace(".", " ").replace("_", " "), "journal-what")
                text(item.who, "journal-detail")
        link(words("search.audit"), f"/audit?case={case.case_id}", "plain-link")
