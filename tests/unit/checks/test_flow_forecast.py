"""A forecast of arrivals is better than last week's numbers, knows nothing of the future, and says how sure it is."""

from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pytest

from gate.checks.flow.arrivals import ArrivalModel, TooLittleHistory, fit_arrivals
from gate.checks.flow.backtest import Backtest, roll_origins, spread_origins
from gate.checks.flow.series import DAY_QUARTERS, DayCounts, Flight, day_start_ms, seats_by_quarter
from simulator.flow_years import UTC_OFFSET_MIN, Years, simulate_years

ORIGIN = date(2024, 5, 6)


@pytest.fixture(scope="module")
def years() -> Years:
    return simulate_years(1)


def fitted(years: Years, day: date) -> ArrivalModel:
    model = fit_arrivals(years.history.until(day), years.flights, years.holidays, UTC_OFFSET_MIN)
    assert isinstance(model, ArrivalModel)
    return model


def backtest(years: Years, count: int) -> Backtest:
    origins = spread_origins(years.history, first=date(2024, 1, 2), count=count)
    score = roll_origins(years.history, years.flights, years.holidays, UTC_OFFSET_MIN, origins=origins)
    assert isinstance(score, Backtest)
    return score


def test_it_beats_last_weeks_numbers_by_a_tenth_over_a_year_with_holidays_and_fog(years: Years) -> None:
    score = backtest(years, 13)
    assert score.quarters == 13 * 7 * DAY_QUARTERS
    assert score.gain >= 0.10
    assert score.coverage >= 0.80


@pytest.mark.long
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_it_beats_them_from_every_week_of_several_years(seed: int) -> None:
    score = backtest(simulate_years(seed), 52)
    assert score.gain >= 0.10
    assert score.holiday_gain is not None
    assert score.holiday_gain >= 0.10
    assert score.coverage >= 0.80


def test_it_knows_nothing_of_what_comes_after_its_origin(years: Years) -> None:
    place = (ORIGIN - years.history.first_day).days
    other = years.history.counts.copy()
    other[place:] = 1_000
    changed = DayCounts(first_day=years.history.first_day, counts=other)
    said = fitted(years, ORIGIN).predict(ORIGIN, 2, years.flights)
    again = fitted(replace(years, history=changed), ORIGIN).predict(ORIGIN, 2, years.flights)
    np.testing.assert_array_equal(said.mean, again.mean)


def test_a_cancelled_aircraft_and_a_late_one_change_the_hours_that_they_would(years: Years) -> None:
    model = fitted(years, ORIGIN)
    begin_ms, end_ms = (day_start_ms(ORIGIN + timedelta(days=step), UTC_OFFSET_MIN) for step in (0, 1))
    of_day = [item for item in years.flights if begin_ms <= item.due_ms < end_ms]
    rest = [item for item in years.flights if not begin_ms <= item.due_ms < end_ms]
    largest = max(of_day, key=lambda item: item.seats)
    others = [item for item in of_day if item is not largest]
    plain = model.predict(ORIGIN, 1, [*rest, *of_day]).mean
    without = model.predict(ORIGIN, 1, [*rest, *others, replace(largest, is_cancelled=True)]).mean
    assert 0.4 * largest.seats < (plain - without).sum() < largest.seats
    early = Flight(flight="X", due_ms=begin_ms + 3 * 3_600_000, seats=largest.seats)
    moved = model.predict(ORIGIN, 1, [*rest, *others, early]).mean[0]
    assert moved[12:20].sum() > plain[0, 12:20].sum() + 0.2 * largest.seats


def test_a_port_without_a_timetable_is_forecast_by_its_weekdays(years: Years) -> None:
    known = years.history.until(ORIGIN)
    model = fit_arrivals(known, (), years.holidays, UTC_OFFSET_MIN)
    assert isinstance(model, ArrivalModel)
    said = model.predict(ORIGIN, 7, ()).mean
    actual = years.history.counts[len(known.counts) : len(known.counts) + 7]
    naive = known.counts[-7:]
    assert np.abs(said - actual).mean() < 0.95 * np.abs(naive - actual).mean()


def test_without_four_weeks_or_without_anybody_nothing_is_forecast(years: Years) -> None:
    short = years.history.until(years.history.first_day + timedelta(days=27))
    empty = DayCounts(first_day=ORIGIN, counts=np.zeros((40, DAY_QUARTERS)))
    for history in (short, empty):
        assert isinstance(fit_arrivals(history, years.flights, (), UTC_OFFSET_MIN), TooLittleHistory)


def test_history_has_whole_days_and_no_negative_counts() -> None:
    for counts in (np.zeros((3, 95)), np.full((3, DAY_QUARTERS), -1.0), np.full((3, DAY_QUARTERS), np.nan)):
        with pytest.raises(ValueError, match="counts"):
            DayCounts(first_day=ORIGIN, counts=counts)


def test_seats_lie_in_the_quarter_in_which_the_flight_is_due_by_the_ports_clock() -> None:
    due_ms = day_start_ms(ORIGIN, UTC_OFFSET_MIN) + 15 * 60_000 * 33
    flights = [Flight(flight="A", due_ms=due_ms, seats=180), Flight(flight="B", due_ms=due_ms + 899_999, seats=290)]
    seats = seats_by_quarter(flights, [ORIGIN], UTC_OFFSET_MIN)
    assert seats[:, 0, 33].tolist() == [180, 290]
    assert seats.sum() == 470
