"""The hub's forecast and plan: made every few minutes on a thread of its own, and read by screens at once."""

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import structlog
from sqlalchemy.exc import DBAPIError

from config.schema import Site
from gate.checks.flow.arrivals import ArrivalModel, Prediction, TooLittleHistory, fit_arrivals
from gate.checks.flow.series import DAY_MS, QUARTER_MS, day_start_ms, local_day
from gate.checks.flow.staffing import ServiceTimes, Staffing, plan_staffing
from gate.core.clock import Clock
from gate.hub.flow_records import count_days, flights, history, measured_times
from gate.hub.flow_service import published_times
from gate.hub.forecast import HOUR_MS, Forecast, ForecastHour
from gate.hub.store import Store

log = structlog.get_logger(__name__)

REFRESH_S = 300.0
LEARN_EVERY_MS = 6 * HOUR_MS
AHEAD_DAYS = 7
JOIN_S = 10.0
_HOUR_QUARTERS = HOUR_MS // QUARTER_MS


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Outlook:
    """What is expected from the local midnight ``start_ms`` on: a prediction of whole days, and the plan of its quarters."""

    made_ms: int
    start_ms: int
    source: str
    prediction: Prediction
    times: ServiceTimes
    plan: Sequence[Staffing]

    def hours(self, from_ms: int, count: int) -> tuple[ForecastHour, ...]:
        """Hours of it; those that it does not reach are left out."""
        means = self.prediction.mean.ravel()
        first = (from_ms - self.start_ms) // QUARTER_MS
        places = [first + number * _HOUR_QUARTERS for number in range(count)]
        held = [place for place in places if 0 <= place <= len(means) - _HOUR_QUARTERS]
        sums = np.array([means[place : place + _HOUR_QUARTERS].sum() for place in held])
        low, high = self.prediction.quantile(sums, 0.1), self.prediction.quantile(sums, 0.9)
        return tuple(
            ForecastHour(
                at_ms=self.start_ms + place * QUARTER_MS,
                arrivals=float(sums[number]),
                low=min(float(low[number]), float(sums[number])),
                high=max(float(high[number]), float(sums[number])),
            )
            for number, place in enumerate(held)
        )


class FlowDesk:
    """One hub's. :meth:`start` and :meth:`stop` its thread; :meth:`refresh` does the work of one round."""

    def __init__(self, *, site: Site, store: Store, clock: Clock) -> None:
        self._site, self._store, self._clock = site, store, clock
        self._model: ArrivalModel | None = None
        self._learnt: tuple[date, int] | None = None
        self._outlook: Outlook | None = None
        self._publishing = threading.Lock()
        self._published: tuple[tuple[int, int], dict[str, Any]] | None = None
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="hub-flow", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """May be called twice, and without a start."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(JOIN_S)

    @property
    def outlook(self) -> Outlook | None:
        """The newest; None as long as there is too little history."""
        return self._outlook

    def hours(self, from_ms: int, count: int) -> Forecast | None:
        """A source of :class:`gate.hub.forecast.ForecastHook`; None when nothing is known of these hours."""
        outlook = self._outlook
        hours = outlook.hours(from_ms, count) if outlook is not None else ()
        return Forecast(made_ms=outlook.made_ms, source=outlook.source, hours=hours) if outlook and hours else None

    def published(self, from_ms: int, until_ms: int) -> dict[str, Any]:
        """The service times of whole days that are over; the same period is counted once, since anybody may ask."""
        limit_ms = self._site.promise.waiting_limit_s * 1_000
        with self._publishing:
            if self._published is None or self._published[0] != (from_ms, until_ms):
                with self._store.read() as connection:
                    times = published_times(connection, from_ms=from_ms, until_ms=until_ms, limit_ms=limit_ms)
                self._published = ((from_ms, until_ms), times)
            port = self._site.port
            head = {"port": port.id, "title": port.title, "from_ms": from_ms, "until_ms": until_ms}
            return head | {"promised_ms": limit_ms} | self._published[1]

    def refresh(self) -> Outlook | None:
        """Count the days that are over, learn from them when there are new ones, and look ahead."""
        now_ms = self._clock.utc_ms()
        today = local_day(now_ms, self._site.window.utc_offset_min)
        if self._learnt is None or self._learnt[0] != today or now_ms - self._learnt[1] >= LEARN_EVERY_MS:
            with self._store.write() as connection:
                count_days(connection, self._site, now_ms)
            self._model = self._learn(today)
            self._learnt = (today, now_ms)
        self._outlook = None if self._model is None else self._look_ahead(self._model, today, now_ms)
        return self._outlook

    def _learn(self, today: date) -> ArrivalModel | None:
        offset = self._site.window.utc_offset_min
        with self._store.read() as connection:
            known = history(connection, today)
            if known is None:
                return None
            begin_ms = day_start_ms(known.first_day, offset) - DAY_MS
            past = flights(connection, begin_ms, day_start_ms(today, offset) + DAY_MS)
        model = fit_arrivals(known, past, self._site.window.holidays, offset)
        return None if isinstance(model, TooLittleHistory) else model

    def _look_ahead(self, model: ArrivalModel, today: date, now_ms: int) -> Outlook:
        start_ms = day_start_ms(today, self._site.window.utc_offset_min)
        with self._store.read() as connection:
            due = flights(connection, start_ms - DAY_MS, start_ms + (AHEAD_DAYS + 1) * DAY_MS)
            times = measured_times(connection, self._site, now_ms)
        said = model.predict(today, AHEAD_DAYS, due)
        plan = plan_staffing(
            said.scenarios(),
            times,
            limit_s=self._site.promise.waiting_limit_s,
            lanes_available=len(self._site.lanes),
        )
        source = "timetable and history" if model.has_timetable else "history"
        return Outlook(made_ms=now_ms, start_ms=start_ms, source=source, prediction=said, times=times, plan=plan)

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                self.refresh()
            except DBAPIError as error:
                log.error("forecast_failed", error=str(error)[:500])
            self._stopping.wait(REFRESH_S)
