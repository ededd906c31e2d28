"""The audit log: who did and saw what, and for each entry the proof that it is in the signed log, checked here."""

import json
from collections.abc import Sequence
from functools import partial

from fastapi.responses import RedirectResponse
from nicegui import ui

from gate.console.audit_proof import Believed, Judgement, audit_keys, judge
from gate.console.context import Console, browser_id, officer_of, to_login
from gate.console.hub_client import LinkLost, Refusal
from gate.console.hub_supervision import AuditEntry, AuditPage, Inclusion, Supervision
from gate.console.i18n import Words
from gate.console.parts import Rows, box, button, set_data, text
from gate.console.sessions import Officer
from gate.console.supervisor_head import SupervisorHead, dress, scrolling
from gate.console.view import short_id

_HASH_SHOWN = 16


def register(console: Console) -> None:
    """Register ``/audit``; ``?case=`` shows the entries of one case."""

    @ui.page("/audit", dark=True)
    def audit(case: str = "") -> RedirectResponse | None:
        if officer_of(console) is None:
            return to_login("/audit")
        words = console.words()
        ui.page_title(words("nav.audit"))
        dress(console, words)
        _AuditScreen(console, words, browser_id(), case_id=case)
        return None


class _AuditScreen:
    def __init__(self, console: Console, words: Words, browser: str, *, case_id: str) -> None:
        self._console, self._words, self._browser = console, words, browser
        self._supervision = Supervision(console.hub)
        self._entries: tuple[AuditEntry, ...] = ()
        self._after: str | None = None
        self._is_lost = False
        with box("supervisor-screen", testid="audit-screen"):
            self._head = SupervisorHead(console, words, active="audit", browser=browser)
            with box("supervisor-main", tag="main"):
                with box("panel search-form", tag="section"):
                    self._case = ui.input(words("audit.case"), value=case_id).props(
                        'outlined dark dense clearable maxlength=64 data-testid="audit-case"'
                    )
                    self._case.on("keydown.enter", self._search, args=[])
                    button(words("search.go"), self._search, "btn-go", testid="audit-go")
                    text(words("audit.note"), "dim small")
                with box("cases-columns"):
                    with scrolling("panel", tag="section"):
                        self._list = Rows(box("case-list", testid="audit-list"), self._draw_list)
                        self._more = button(words("search.more"), self._next, "btn-small", testid="audit-more")
                    with scrolling("panel", tag="section"):
                        self._detail = box("case-detail", testid="audit-detail")
                        with self._detail:
                            text(words("audit.choose"), "empty")
        self._list.show(("loading", ()))
        self._more.visible = False
        ui.timer(5.0, lambda: self._head.show(is_lost=self._is_lost), immediate=False)
        ui.timer(0.05, self._search, once=True)

    def _officer(self) -> Officer | None:
        officer = self._console.sessions.officer(self._browser)
        if officer is None:
            ui.navigate.to("/login?next=/audit")
        return officer

    async def _search(self) -> None:
        self._entries = ()
        self._after = None
        await self._next()

    async def _next(self) -> None:
        officer = self._officer()
        if officer is None:
            return
        case_id = str(self._case.value or "").strip()
        answer = await self._supervision.audit(officer.token, case_id=case_id, after=self._after)
        self._is_lost = isinstance(answer, LinkLost)
        self._head.show(is_lost=self._is_lost)
        if isinstance(answer, AuditPage):
            self._entries += answer.entries
            self._after = answer.next
            self._more.visible = answer.next is not None
            self._list.show(("none" if not self._entries else "", self._entries))
        elif isinstance(answer, Refusal) and answer.status == 403:
            self._list.show(("not_yours", ()))
        else:
            self._list.show(("lost" if self._is_lost else "bad_text", ()))

    def _draw_list(self, shown: tuple[str, Sequence[AuditEntry]]) -> None:
        empty, entries = shown
        if not entries:
            text(self._words(f"audit.{empty}"), "empty", testid=f"audit-{empty}")
        for entry in entries:
            with button("", partial(self._open, entry), "case-row audit-row", testid="audit-row") as row:
                set_data(row, number=str(entry.number))
                text(f"#{entry.number}", "mono dim")
                text(self._words.moment(entry.at_ms), "mono dim")
                text(self._words.get(f"audit_kind.{entry.kind}") or entry.kind, "")
                text(entry.who, "case-how")
                text(short_id(entry.case_id) if entry.case_id else "", "mono dim")

    async def _open(self, entry: AuditEntry) -> None:
        officer = self._officer()
        if officer is None:
            return
        answer = await self._supervision.proof(officer.token, entry.number)
        keys = audit_keys(self._console.site.keys_dir)
        judgement = judge(entry, answer, keys) if isinstance(answer, Inclusion) else None
        self._detail.clear()
        with self._detail:
            text(f"#{entry.number} · {self._words.get(f'audit_kind.{entry.kind}') or entry.kind}", "case-title")
            text(f"{self._words.moment(entry.at_ms)} · {entry.who}", "dim")
            text(_pretty(entry.body), "audit-body mono", testid="audit-body")
            if judgement is None or not isinstance(answer, Inclusion):
                text(self._words("audit.lost"), "empty", testid="audit-proof")
            else:
                self._draw_proof(judgement, answer)

    def _draw_proof(self, judgement: Judgement, proof: Inclusion) -> None:
        words = self._words
        with box("proof", testid="audit-proof") as panel:
            set_data(panel, believed=judgement.believed.value)
            text(words(f"believed.{judgement.believed.value}"), "proof-verdict")
            text(words("audit.size", size=proof.size, signer=judgement.signer), "dim small")
            text(f"{words('audit.leaf')} {judgement.leaf[:_HASH_SHOWN]}…", "mono small")
            for step in judgement.steps:
                neighbour, node = step.neighbour[:_HASH_SHOWN], step.node[:_HASH_SHOWN]
                side = f"H({neighbour}… ‖ ·)" if step.is_left else f"H(· ‖ {neighbour}…)"
                text(f"{side} = {node}…", "mono small dim")
            if judgement.believed is not Believed.WRONG_PATH and judgement.root:
                text(f"{words('audit.root')} {judgement.root[:_HASH_SHOWN]}…", "mono small")
            text(proof.note, "audit-body mono")


def _pretty(body: str) -> str:
    """The entry as it is hashed, on more lines."""
    try:
        return json.dumps(json.loads(body), indent=2, ensure_ascii=False)
    except ValueError:
        return body
