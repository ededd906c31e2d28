"""Charts of the flow, as ECharts options: arrivals against capacity, and the pictures of the KPI pages. Pure: numbers in, options out."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from gate.console.hub_supervision import Bucket, Flow, Now
from gate.console.i18n import Words

INK, DIM, LINE = "#e8f0f6", "#93a7b7", "#263744"
BLUE, GREEN, AMBER, RED = "#7cb7ff", "#43c59e", "#ffb454", "#ff6b6b"
HOUR_MS = 3_600_000


def hour_label(at_ms: int) -> str:
    """Local hour and minute."""
    return datetime.fromtimestamp(at_ms / 1000, tz=UTC).astimezone().strftime("%H:%M")


def day_label(at_ms: int) -> str:
    """Local day and month."""
    return datetime.fromtimestamp(at_ms / 1000, tz=UTC).astimezone().strftime("%d.%m.")


def capacity_per_h(now: Now, lanes_in_service: int) -> int:
    """Travellers an hour that these lanes are planned to let through."""
    return now.promise.lane_crossings_per_h * lanes_in_service


def forecast_chart(now: Now, *, lanes_in_service: int, words: Words) -> dict[str, Any] | None:
    """Arrivals of the next hours as bars with their range, against what the lanes in service can take; None without a forecast."""
    if now.forecast is None or not now.forecast.hours:
        return None
    hours = now.forecast.hours
    capacity = capacity_per_h(now, lanes_in_service)
    arrivals = [
        {"value": round(hour.arrivals), "itemStyle": {"color": RED if hour.arrivals > capacity else BLUE}}
        for hour in hours
    ]
    chart = _base([hour_label(hour.at_ms) for hour in hours])
    chart["series"] = [
        {"type": "bar", "name": words("flow.arrivals"), "data": arrivals, "barMaxWidth": 46},
        _line(words("flow.high"), [round(hour.high) for hour in hours], DIM, is_dashed=True),
        _line(words("flow.capacity"), [capacity] * len(hours), GREEN),
    ]
    return chart


def crossings_chart(flow: Flow, *, words: Words, day_steps: bool) -> dict[str, Any]:
    """Crossings a step, those that were referred apart."""
    label = day_label if day_steps else hour_label
    chart = _base([label(bucket.at_ms) for bucket in flow.buckets])
    through = [bucket.crossings - bucket.referred for bucket in flow.buckets]
    chart["series"] = [
        _bar(words("kpi.by_themselves"), through, BLUE, stack="all"),
        _bar(words("kpi.referred"), [bucket.referred for bucket in flow.buckets], AMBER, stack="all"),
    ]
    return chart


def waiting_chart(flow: Flow, *, limit_ms: int | None, words: Words, day_steps: bool) -> dict[str, Any]:
    """The waiting time that 95 of 100 did not exceed, a step, in seconds, beside what was promised."""
    label = day_label if day_steps else hour_label
    chart = _base([label(bucket.at_ms) for bucket in flow.buckets])
    chart["yAxis"]["name"] = "s"
    chart["series"] = [_line(words("kpi.waiting_p95"), _seconds(flow.buckets), BLUE, has_points=True)]
    if limit_ms is not None:
        promised = [limit_ms / 1000] * len(flow.buckets)
        chart["series"].append(_line(words("kpi.promised"), promised, GREEN, is_dashed=True))
    return chart


def ranking_chart(rows: Sequence[tuple[str, int]], *, colour: str = BLUE) -> dict[str, Any]:
    """Names and how often, the most frequent on top."""
    chart = _base([])
    chart["xAxis"] = {"type": "value", "minInterval": 1, "axisLabel": {"color": DIM}, "splitLine": _grid_line()}
    chart["yAxis"] = {
        "type": "category",
        "inverse": True,
        "data": [name for name, _ in rows],
        "axisLabel": {"color": INK, "width": 250, "overflow": "truncate"},
        "axisLine": {"lineStyle": {"color": LINE}},
    }
    chart["legend"] = {"show": False}
    chart["series"] = [_bar("", [count for _, count in rows], colour)]
    return chart


def _seconds(buckets: Sequence[Bucket]) -> list[float | None]:
    return [None if item.waiting_ms_p95 is None else round(item.waiting_ms_p95 / 1000, 1) for item in buckets]


def _base(labels: Sequence[str]) -> dict[str, Any]:
    return {
        "animation": False,
        "backgroundColor": "transparent",
        "textStyle": {"color": INK, "fontFamily": "Roboto, sans-serif"},
        "grid": {"left": 12, "right": 16, "top": 34, "bottom": 6, "containLabel": True},
        "legend": {"top": 0, "right": 8, "textStyle": {"color": DIM}, "icon": "roundRect", "itemHeight": 8},
        "tooltip": {"trigger": "axis", "confine": True},
        "aria": {"enabled": True},
        "xAxis": {
            "type": "category",
            "data": list(labels),
            "axisLabel": {"color": DIM},
            "axisLine": {"lineStyle": {"color": LINE}},
        },
        "yAxis": {"type": "value", "minInterval": 1, "axisLabel": {"color": DIM}, "splitLine": _grid_line()},
    }


def _grid_line() -> dict[str, Any]:
    return {"lineStyle": {"color": LINE}}


def _bar(name: str, data: Sequence[int], colour: str, *, stack: str | None = None) -> dict[str, Any]:
    series: dict[str, Any] = {"type": "bar", "name": name, "data": list(data), "itemStyle": {"color": colour}}
    return series | {"barMaxWidth": 46} | ({"stack": stack} if stack is not None else {})


def _line(
    name: str, data: Sequence[float | None], colour: str, *, is_dashed: bool = False, has_points: bool = False
) -> dict[str, Any]:
    return {
        "type": "line",
        "name": name,
        "data": list(data),
        "showSymbol": has_points,
        "connectNulls": False,
        "itemStyle": {"color": colour},
        "lineStyle": {"color": colour, "width": 2, "type": "dashed" if is_dashed else "solid"},
    }
