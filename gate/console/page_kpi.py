"""How a port does: figures of a period beside the promise, charts, and the same figures to take away as CSV and PDF."""

import asyncio
from functools import partial

from fastapi import Request, Response
from fastapi.responses import RedirectResponse
from nicegui import app as pages
from nicegui import ui

from gate.console.context import Console, browser_id, officer_of, to_login
from gate.console.flow_chart import AMBER, crossings_chart, ranking_chart, waiting_chart
from gate.console.hub_client import LinkLost
from gate.console.hub_supervision import Flow, Now, Supervision
from gate.console.i18n import Words, spoken_first, words_of
from gate.console.kpi_export import csv_of, pdf_of, reason_words
from gate.console.lane_feed import outcome_words
from gate.console.parts import Rows, box, button, link, set_data, text
from gate.console.period import PERIODS, Period, period_of
from gate.console.supervisor_head import SupervisorHead, dress, scrolling

_EVERY_S = 30.0
_TYPES = {"csv": "text/csv; charset=utf-8", "pdf": "application/pdf"}


def register(console: Console) -> None:
    """Register ``/kpi`` and the files ``/kpi/export.csv`` and ``/kpi/export.pdf``, each with ``?period=``."""

    @ui.page("/kpi", dark=True)
    def kpi(period: str = "today") -> RedirectResponse | None:
        if officer_of(console) is None:
            return to_login("/kpi")
        words = console.words()
        ui.page_title(words("nav.kpi"))
        dress(console, words)
        _KpiScreen(console, words, browser_id(), period=period if period in PERIODS else "today")
        return None

    @pages.get("/kpi/export.{kind}")
    async def export(kind: str, request: Request, period: str = "today") -> Response:
        officer = console.sessions.officer(str(request.session.get("id", "")))
        if officer is None:
            return Response(status_code=401)
        if kind not in _TYPES:
            return Response(status_code=404)
        wanted = period_of(period, console.clock.utc_ms())
        flow = await _ask(console, officer.token, wanted)
        if not isinstance(flow, Flow):
            return Response(status_code=502)
        chosen = console.languages.of(officer.user) or spoken_first(request.headers.get("accept-language", ""))
        make = partial(csv_of, flow, lane_title=console.lane_title)
        if kind == "pdf":
            title = console.site.port.title
            make = partial(pdf_of, flow, port=title, words=words_of(chosen), lane_title=console.lane_title)
        content = await asyncio.to_thread(make)
        name = f"{console.site.port.id}-{wanted.name}.{kind}"
        headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
        return Response(content, media_type=_TYPES[kind], headers=headers)


async def _ask(console: Console, token: str, period: Period) -> object:
    return await Supervision(console.hub).flow(
        token, from_ms=period.from_ms, until_ms=period.until_ms, step_ms=period.step_ms
    )


class _KpiScreen:
    def __init__(self, console: Console, words: Words, browser: str, *, period: str) -> None:
        self._console, self._words, self._browser = console, words, browser
        self._period = period
        self._supervision = Supervision(console.hub)
        self._is_lost = False
        with box("supervisor-screen", testid="kpi-screen"):
            self._head = SupervisorHead(console, words, active="kpi", browser=browser)
            with box("supervisor-main", tag="main"):
                with box("panel search-form", tag="section"):
                    self._buttons = {
                        name: button(
                            words(f"period.{name}"), partial(self._choose, name), "btn-small", testid=f"period-{name}"
                        )
                        for name in PERIODS
                    }
                    with box("export-links"):
                        self._csv = link(words("kpi.csv"), "", "plain-link")
                        self._pdf = link(words("kpi.pdf"), "", "plain-link")
                        for item, kind in ((self._csv, "csv"), (self._pdf, "pdf")):
                            item.props["data-testid"] = f"export-{kind}"
                            item.props["download"] = ""
                self._figures = Rows(scrolling("kpi-figures", testid="kpi"), self._draw)
        self._figures.show(("loading", None, None))
        ui.timer(_EVERY_S, self._fetch, immediate=False)
        ui.timer(0.05, partial(self._choose, period), once=True)

    async def _choose(self, period: str) -> None:
        self._period = period
        for name, item in self._buttons.items():
            item.props["aria-pressed"] = "true" if name == period else "false"
        for kind, item in (("csv", self._csv), ("pdf", self._pdf)):
            item.props["href"] = f"/kpi/export.{kind}?period={period}"
        await self._fetch()

    async def _fetch(self) -> None:
        officer = self._console.sessions.officer(self._browser)
        if officer is None:
            ui.navigate.to("/login?next=/kpi")
            return
        period = period_of(self._period, self._console.clock.utc_ms())
        flow = await _ask(self._console, officer.token, period)
        now = await self._supervision.now(officer.token)
        self._is_lost = isinstance(flow, LinkLost)
        self._head.show(is_lost=self._is_lost)
        if isinstance(flow, Flow):
            # Drawn again only for other figures, not because it is later.
            limit_ms = now.promise.waiting_limit_ms if isinstance(now, Now) else None
            self._figures.show(("", flow.model_copy(update={"until_ms": 0}), limit_ms))
        else:
            self._figures.show(("lost" if self._is_lost else "not_yours", None, None))

    def _draw(self, shown: tuple[str, Flow | None, int | None]) -> None:
        empty, flow, limit_ms = shown
        words = self._words
        if flow is None:
            text(words(f"kpi.{empty}"), "empty", testid=f"kpi-{empty}")
            return
        with box("numbers three"):
            self._number("kpi.crossings", str(flow.crossings), "", None)
            ratio = "" if flow.referral_ratio is None else f"{100 * flow.referral_ratio:.1f} %"
            self._number("kpi.referred", ratio, words.count("kpi.referred_count", flow.referred), None)
            waiting = flow.waiting_ms_p95
            value = "" if waiting is None else words("number.seconds", value=f"{waiting / 1000:.0f}")
            is_kept = None if waiting is None or limit_ms is None else waiting <= limit_ms
            note = "" if limit_ms is None else words("number.promised_seconds", value=f"{limit_ms / 1000:.0f}")
            self._number("kpi.waiting_p95", value, note, is_kept)
        if not flow.crossings:
            text(words("kpi.empty"), "empty", testid="kpi-empty")
            return
        by_day = flow.step_ms >= 24 * 3_600_000
        lanes = [(self._console.lane_title(item.lane), item.crossings) for item in flow.by_lane]
        outcomes = sorted(flow.by_outcome.items(), key=lambda item: -item[1])
        reasons = [(reason_words(words, item.code), item.crossings) for item in flow.reasons[:12]]
        with box("charts"):
            self._chart("kpi.course", crossings_chart(flow, words=words, day_steps=by_day))
            waiting_options = waiting_chart(flow, limit_ms=limit_ms, words=words, day_steps=by_day)
            self._chart("kpi.waiting_p95", waiting_options)
            self._chart("kpi.by_lane", ranking_chart(sorted(lanes, key=lambda item: -item[1])))
            named = [(outcome_words(words, name), count) for name, count in outcomes]
            self._chart("kpi.by_outcome", ranking_chart(named))
            if reasons:
                self._chart("kpi.reasons", ranking_chart(reasons, colour=AMBER), is_wide=True)

    def _chart(self, title: str, options: dict[str, object], *, is_wide: bool = False) -> None:
        with box("panel chart-panel wide" if is_wide else "panel chart-panel", tag="section"):
            text(self._words(title), "panel-title")
            ui.echart(options).classes("chart")

    def _number(self, name: str, value: str, note: str, is_kept: bool | None) -> None:
        with box("number") as item:
            set_data(item, kept=None if is_kept is None else "yes" if is_kept else "no")
            text(self._words(name), "number-name")
            text(value or self._words("number.none"), "number-value" if value else "number-value number-none")
            text(note, "number-note")
