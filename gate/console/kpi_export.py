"""The figures of a period as a file: CSV for a spreadsheet, PDF to be read. Both hold the same numbers as the page."""

import csv
import io
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

from gate.console.hub_supervision import Flow
from gate.console.i18n import Words
from gate.console.lane_feed import outcome_words

_SPREADSHEET_TRAPS = ("=", "+", "-", "@", "\t", "\r")


def local_time(at_ms: int) -> str:
    """ISO 8601 in local time, with its offset."""
    return datetime.fromtimestamp(at_ms / 1000, tz=UTC).astimezone().isoformat(timespec="seconds")


def csv_of(flow: Flow, *, lane_title: Callable[[str], str]) -> bytes:
    """RFC 4180, UTF-8 with a byte order mark (spreadsheets need it): a row a step, then by lane, outcome and reason.

    The first column says of what a row is. Codes are not translated: this is for programs. What a spreadsheet would take for a formula
    is quoted (OWASP, CSV injection).
    """
    out = io.StringIO()
    rows = csv.writer(out, lineterminator="\r\n")
    rows.writerow(["what", "name", "crossings", "referred", "waiting_s_p95"])
    rows.writerow(["total", local_time(flow.from_ms), flow.crossings, flow.referred, _seconds(flow.waiting_ms_p95)])
    for bucket in flow.buckets:
        waiting = _seconds(bucket.waiting_ms_p95)
        rows.writerow(["step", local_time(bucket.at_ms), bucket.crossings, bucket.referred, waiting])
    for lane in flow.by_lane:
        rows.writerow(["lane", _plain(lane_title(lane.lane)), lane.crossings, lane.referred, ""])
    for outcome, count in sorted(flow.by_outcome.items()):
        rows.writerow(["outcome", _plain(outcome), count, "", ""])
    for reason in flow.reasons:
        rows.writerow(["reason", _plain(reason.code), reason.crossings, "", ""])
    return out.getvalue().encode("utf-8-sig")


def pdf_of(flow: Flow, *, port: str, words: Words, lane_title: Callable[[str], str]) -> bytes:
    """Two or three pages of A4: totals, the course of the period, lanes, outcomes, reasons."""
    from reportlab.lib.pagesizes import A4
    from reportlab.lib.units import mm
    from reportlab.platypus import Paragraph, SimpleDocTemplate, Spacer

    styles = _styles(words.language)
    title = words("kpi.report", port=port)
    period = f"{words.moment(flow.from_ms)} – {words.moment(flow.until_ms)}"
    parts: list[Any] = [
        Paragraph(_escaped(title), styles["title"]),
        Paragraph(period, styles["dim"]),
        Spacer(1, 5 * mm),
    ]
    parts.append(_table(_totals(flow, words), styles, widths_mm=(90, 60)))
    parts += [Spacer(1, 6 * mm), _drawing(flow, styles), Spacer(1, 4 * mm)]
    lanes = [(lane_title(item.lane), str(item.crossings), str(item.referred)) for item in flow.by_lane]
    outcomes = [(outcome_words(words, name), str(count)) for name, count in sorted(flow.by_outcome.items())]
    reasons = [(reason_words(words, item.code), str(item.crossings)) for item in flow.reasons[:20]]
    crossings, referred = words("kpi.crossings"), words("kpi.referred")
    for heading, head, rows, widths in (
        (words("kpi.by_lane"), (words("search.lane"), crossings, referred), lanes, (80, 40, 40)),
        (words("kpi.by_outcome"), (words("search.outcome"), crossings), outcomes, (110, 40)),
        (words("kpi.reasons"), (words("kpi.reason"), crossings), reasons, (110, 40)),
    ):
        if rows:
            parts += [Paragraph(_escaped(heading), styles["heading"]), _table([head, *rows], styles, widths_mm=widths)]
    out = io.BytesIO()
    SimpleDocTemplate(
        out, pagesize=A4, title=title, author="Tongguan", leftMargin=20 * mm, rightMargin=20 * mm, topMargin=18 * mm
    ).build(parts)
    return out.getvalue()


def reason_words(words: Words, code: str) -> str:
    """A finding code in words: what it says when it refers."""
    parts = code.split(".")
    for length in range(len(parts), 0, -1):
        sentence = words.get(f"finding.{'.'.join(parts[:length])}/refer")
        if sentence is not None:
            return sentence
    return code.replace(".", " · ").replace("_", " ")


def _totals(flow: Flow, words: Words) -> list[tuple[str, str]]:
    none = words("number.none")
    ratio = none if flow.referral_ratio is None else f"{100 * flow.referral_ratio:.1f} %"
    waiting = _seconds(flow.waiting_ms_p95)
    return [
        (words("kpi.crossings"), str(flow.crossings)),
        (words("kpi.referred"), f"{flow.referred} ({ratio})"),
        (words("kpi.waiting_p95"), none if waiting == "" else words("number.seconds", value=waiting)),
    ]


def _styles(language: str) -> dict[str, Any]:
    """Paragraph styles; Chinese with the standard font that every reader brings (a CID font, nothing is embedded)."""
    from reportlab.lib.colors import HexColor
    from reportlab.lib.styles import ParagraphStyle
    from reportlab.pdfbase import pdfmetrics
    from reportlab.pdfbase.cidfonts import UnicodeCIDFont

    # Names of lanes and ports may be Chinese in an English report, so both speak through the same font.
    font = "STSong-Light" if language.startswith("zh") else "Helvetica"
    pdfmetrics.registerFont(UnicodeCIDFont("STSong-Light"))
    ink, dim = HexColor("#12202b"), HexColor("#5a6b78")
    return {
        "font": font,
        "title": ParagraphStyle("title", fontName=font, fontSize=18, leading=23, textColor=ink),
        "heading": ParagraphStyle("heading", fontName=font, fontSize=12, leading=16, spaceBefore=12, spaceAfter=4),
        "dim": ParagraphStyle("dim", fontName=font, fontSize=10, leading=13, textColor=dim),
        "cell": ParagraphStyle("cell", fontName=font, fontSize=9.5, leading=12, textColor=ink),
    }


def _table(rows: Sequence[Sequence[str]], styles: dict[str, Any], *, widths_mm: Sequence[float]) -> Any:
    from reportlab.lib.colors import HexColor
    from reportlab.lib.units import mm
    from reportlab.platypus import Paragraph, Table, TableStyle

    cells = [[Paragraph(_escaped(cell), styles["cell"]) for cell in row] for row in rows]
    table = Table(cells, colWidths=[width * mm for width in widths_mm], hAlign="LEFT")
    table.setStyle(
        TableStyle([("LINEBELOW", (0, 0), (-1, -1), 0.4, HexColor("#c9d6e0")), ("TOPPADDING", (0, 0), (-1, -1), 2)])
    )
    return table


def _drawing(flow: Flow, styles: dict[str, Any]) -> Any:
    """Crossings a step as bars."""
    from reportlab.graphics.charts.barcharts import VerticalBarChart
    from reportlab.graphics.shapes import Drawing
    from reportlab.lib.colors import HexColor

    drawing = Drawing(480, 170)
    chart = VerticalBarChart()
    chart.x, chart.y, chart.width, chart.height = 28, 18, 440, 140
    through = [bucket.crossings - bucket.referred for bucket in flow.buckets]
    chart.data = [through, [bucket.referred for bucket in flow.buckets]]
    chart.categoryAxis.style = "stacked"
    chart.categoryAxis.visibleTicks = 0
    every = max(1, len(flow.buckets) // 8)
    is_by_day = flow.step_ms >= 24 * 3_600_000
    chart.categoryAxis.categoryNames = [
        (local_time(item.at_ms)[5:10] if is_by_day else local_time(item.at_ms)[11:16]) if place % every == 0 else ""
        for place, item in enumerate(flow.buckets)
    ]
    for axis in (chart.categoryAxis, chart.valueAxis):
        axis.labels.fontName, axis.labels.fontSize = styles["font"], 7
    chart.valueAxis.valueMin = 0
    chart.valueAxis.valueMax = max(1, max((item.crossings for item in flow.buckets), default=0))
    chart.bars[0].fillColor, chart.bars[1].fillColor = HexColor("#2f86e6"), HexColor("#e59a1c")
    chart.bars.strokeWidth = 0
    drawing.add(chart)
    return drawing


def _seconds(waiting_ms: float | None) -> str:
    return "" if waiting_ms is None else f"{waiting_ms / 1000:.1f}"


def _plain(value: str) -> str:
    return f"'{value}" if value.startswith(_SPREADSHEET_TRAPS) else value


def _escaped(value: str) -> str:
    return value.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
