"""Who is in a lane now, as far as the officer's roles are shown it: the newest camera picture, what is in the way, and what one may do."""

from functools import partial

from nicegui import ui

from gate.console.confirm import Confirm
from gate.console.context import Console
from gate.console.hub_client import LinkLost, Refusal
from gate.console.hub_models import Case
from gate.console.i18n import Words
from gate.console.lane_orders import Orders
from gate.console.parts import Rows, box, button, set_enabled, text
from gate.console.pictures import picture_url
from gate.console.view import short_id

_STILLS = ("live", "portrait", "page")


class StayPanel:
    """The crossing that is under way in one lane."""

    def __init__(self, console: Console, words: Words, orders: Orders, *, browser: str, lane: str) -> None:
        self._console, self._words, self._orders = console, words, orders
        self._browser, self._lane = browser, lane
        self._case: Case | None = None
        self._confirm = Confirm(words)
        with box("panel stay", tag="section", testid="stay"):
            text(words("stay.title"), "panel-title")
            self._still = Rows(box("stay-still", testid="still"), self._draw_still)
            self._facts = Rows(box("stay-facts", testid="stay-facts"), self._draw_facts)
            with box("stay-buttons"):
                self._back = button(words("act.send_back"), self._ask_back, testid="send-back")
                self._force = button(words("act.force_open"), self._ask_force, "btn-danger", testid="force-open")
        self._show()

    async def fetch(self) -> None:
        """Ask the hub for the case that the lane names now. The look is recorded."""
        state = self._console.live.lane(self._lane).state
        officer = self._console.sessions.officer(self._browser)
        if officer is None or state is None or state.case_id is None:
            self._case = None
            self._show()
            return
        if self._case is not None and self._case.case_id != state.case_id:
            self._case = None
        answer = await self._console.hub.case(officer.token, state.case_id)
        if isinstance(answer, Case):
            self._case = answer if answer.status != "closed" else None
        elif isinstance(answer, Refusal):
            self._case = None
        self._show()

    def _show(self) -> None:
        case = self._case
        still = next((item for kind in _STILLS if case and (item := case.attachment(kind))), None)
        is_here = still is not None and still.is_available
        self._still.show(
            ("picture", still.sha256) if still and is_here else ("none", "") if case is None else ("not_shown", "")
        )
        self._facts.show(case)
        officer = self._console.sessions.officer(self._browser)
        may = officer is not None and officer.may_command_lanes and case is not None and case.status == "open"
        set_enabled(self._back, may)
        set_enabled(self._force, may and case is not None and case.evidence_digest is not None)

    def _draw_still(self, shown: tuple[str, str]) -> None:
        kind, sha256 = shown
        if kind == "picture":
            ui.image(picture_url(sha256)).classes("still").props(f'alt="{self._words("stay.still")}"')
        else:
            text(self._words(f"stay.{kind}"), "empty")

    def _draw_facts(self, case: Case | None) -> None:
        if case is None:
            return
        text(short_id(case.case_id), "mono")
        in_the_way = [finding for finding in case.findings if finding.is_in_the_way]
        if not in_the_way:
            text(self._words("stay.nothing_in_the_way"), "dim")
        for finding in in_the_way:
            sentence = self._words.get(f"finding.{finding.code}/{finding.outcome.value}")
            text(sentence or finding.code.replace(".", " · ").replace("_", " "), "stay-reason")
        for role in case.required_roles:
            told = self._words.get(f"verdict.{case.verdict_kind(role)}") or case.verdict_kind(role)
            text(f"{self._console.role_title(role)}: {told}", "dim small")

    def _ask_back(self) -> None:
        case = self._case
        if case is not None:
            self._confirm.ask(
                self._words("act.send_back"),
                self._words("confirm.send_back"),
                self._words("act.send_back"),
                partial(self._send_back, case),
                words_label=self._words("confirm.why"),
            )

    def _ask_force(self) -> None:
        case = self._case
        if case is not None:
            self._confirm.ask(
                self._words("act.force_open"),
                self._words("confirm.force_open"),
                self._words("confirm.agree"),
                partial(self._force_open, case),
                words_label=self._words("confirm.why"),
            )

    async def _send_back(self, case: Case, reason: str) -> None:
        officer = self._orders.officer()
        if officer is not None:
            answer = await self._console.hub.send_back(officer.token, case.case_id, reason=reason)
            self._orders.tell(self._words("act.send_back"), answer)
            await self.fetch()

    async def _force_open(self, case: Case, reason: str) -> None:
        """Agree; the second officer's agreement opens. The evidence named is that of the moment at which the dialog was opened."""
        officer = self._orders.officer()
        if officer is None or case.evidence_digest is None:
            return
        answer = await self._orders.supervision.force_open(
            officer.token,
            case.case_id,
            digest=case.evidence_digest,
            role="supervisor" if "supervisor" in officer.roles else "border",
            reason=reason,
        )
        what = self._words("act.force_open")
        if isinstance(answer, Refusal | LinkLost):
            self._orders.tell(what, answer)
        elif answer.state == "waiting":
            self._orders.say(f"{what}: {self._words('order.needs_second')}")
        else:
            self._orders.tell(what, answer)
        await self.fetch()
