"""The formulas of queues agree with a simulation of the same queue, and a plan made by them keeps the promise."""

from collections.abc import Sequence
from datetime import date

import numpy as np
import pytest
from numpy.typing import NDArray

from gate.checks.flow.arrivals import ArrivalModel, fit_arrivals
from gate.checks.flow.queueing import erlang_b, erlang_c, period_waiting, share_waiting_longer
from gate.checks.flow.series import Scenario
from gate.checks.flow.staffing import LATE_AT_LANES, ServiceTimes, Staffing, plan_staffing
from simulator.flow_queue import Work, simulate_waits
from simulator.flow_years import UTC_OFFSET_MIN, simulate_years

TIMES = ServiceTimes(crossing_s=20)
WORK = Work(crossing_s=20, crossing_sd_s=8, referral_ratio=0.1, officer_s=60)
LIMIT_S = 60


def waits(moments_s: NDArray[np.float64], plan: Sequence[Staffing]) -> NDArray[np.float64]:
    lanes, officers = [item.lanes for item in plan], [item.officers for item in plan]
    return simulate_waits(moments_s, lanes=lanes, officers=officers, work=WORK)


def certain(*arrivals: float) -> list[list[Scenario]]:
    return [[Scenario(arrivals=count, weight=1.0)] for count in arrivals]


def test_erlangs_formulas_give_the_printed_values() -> None:
    # Tables of traffic theory: B(10 Erlang, 10) and C(10 Erlang, 12).
    assert erlang_b(10, 10) == pytest.approx(0.2146, abs=5e-5)
    assert erlang_c(10, 12) == pytest.approx(0.4494, abs=5e-5)
    assert erlang_c(12, 12) == 1
    assert erlang_c(0.5, 1) == pytest.approx(0.5)  # M/M/1: the load itself
    with pytest.raises(ValueError, match="load"):
        erlang_b(-1, 3)


@pytest.mark.parametrize(("lanes", "per_s"), [(1, 0.03), (4, 0.16), (10, 0.44)])
def test_waiting_of_a_steady_queue_is_that_of_the_simulation(lanes: int, per_s: float) -> None:
    rng = np.random.default_rng(7)
    moments_s = np.cumsum(rng.exponential(1 / per_s, 12_000))
    quarters = int(moments_s[-1] // 900) + 1
    work = Work(crossing_s=20, crossing_sd_s=20, referral_ratio=0, officer_s=1)
    waited = simulate_waits(moments_s, lanes=[lanes] * quarters, officers=[1] * quarters, work=work)
    for limit_s in (0, 20, 45):
        formula = share_waiting_longer(per_s * 20, lanes, 20, limit_s)
        assert float((waited > limit_s).mean()) == pytest.approx(formula, abs=0.04)
        steps = period_waiting(per_s * 900, 900, servers=lanes, service_s=20, limit_s=limit_s)
        assert steps.late == pytest.approx(formula, abs=0.04)


def test_what_a_crowd_leaves_behind_makes_the_quarter_after_it_wait() -> None:
    rng = np.random.default_rng(3)
    counts = (100, 340, 160)  # three lanes serve 135 in a quarter
    waited = []
    for _ in range(20):
        moments_s = np.concatenate([np.sort(rng.uniform(at * 900, (at + 1) * 900, n)) for at, n in enumerate(counts)])
        work = Work(crossing_s=20, crossing_sd_s=20, referral_ratio=0, officer_s=1)
        lanes = [3, 6, 6]
        got = simulate_waits(moments_s, lanes=lanes, officers=[1, 1, 1], work=work, seed=int(rng.integers(1 << 30)))
        waited.append([float((got[moments_s // 900 == at] > 60).mean()) for at in range(3)])
    simulated = np.mean(waited, axis=0)
    backlog = 0.0
    formula = []
    for count, servers in zip(counts, (3, 6, 6), strict=True):
        seen = period_waiting(count, 900, servers=servers, service_s=20, limit_s=60, backlog=backlog)
        backlog = seen.backlog
        formula.append(seen.late)
    alone = period_waiting(counts[2], 900, servers=6, service_s=20, limit_s=60)
    assert backlog > 0
    assert simulated[1] > 0.5
    assert formula[1] > 0.5
    assert simulated[2] > alone.late + 0.05
    assert formula[2] > alone.late + 0.05


def test_the_plan_keeps_the_promise_in_the_week_that_it_was_made_for() -> None:
    years = simulate_years(3, days=460)
    first_day = date(2024, 3, 18)  # of twelve weeks that were tried, the one with the least to spare
    model = fit_arrivals(years.history.until(first_day), years.flights, years.holidays, UTC_OFFSET_MIN)
    assert isinstance(model, ArrivalModel)
    said = model.predict(first_day, 7, years.flights)
    plan = plan_staffing(said.scenarios(), TIMES, limit_s=LIMIT_S, lanes_available=40)
    moments_s = years.moments_of(first_day, 7) / 1000
    assert float((waits(moments_s, plan) < LIMIT_S).mean()) >= 0.95
    # It is no plan of everything open: with a third fewer lanes the promise would be broken.
    lanes = [max(1, item.lanes * 2 // 3) for item in plan]
    fewer = simulate_waits(moments_s, lanes=lanes, officers=[item.officers for item in plan], work=WORK)
    assert float((fewer < LIMIT_S).mean()) < 0.95
    assert sum(item.lanes for item in plan) < 0.6 * len(plan) * max(item.lanes for item in plan)


@pytest.mark.long
@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize("first_day", [date(2024, 5, 6), date(2024, 9, 30), date(2024, 12, 9)])
def test_the_plan_keeps_the_promise_in_other_weeks(seed: int, first_day: date) -> None:
    years = simulate_years(seed)
    model = fit_arrivals(years.history.until(first_day), years.flights, years.holidays, UTC_OFFSET_MIN)
    assert isinstance(model, ArrivalModel)
    scenarios = model.predict(first_day, 7, years.flights).scenarios()
    plan = plan_staffing(scenarios, TIMES, limit_s=LIMIT_S, lanes_available=40)
    assert float((waits(years.moments_of(first_day, 7) / 1000, plan) < LIMIT_S).mean()) >= 0.95


def test_the_plan_has_no_lane_more_than_the_promise_needs() -> None:
    plan = plan_staffing(certain(200, 200), TIMES, limit_s=LIMIT_S, lanes_available=40)
    assert all(item.is_enough and item.late <= LATE_AT_LANES for item in plan)
    fewer = plan_staffing(certain(200, 200), TIMES, limit_s=LIMIT_S, lanes_available=plan[0].lanes - 1)
    assert not fewer[0].is_enough


def test_a_port_with_too_few_lanes_says_so_and_carries_the_queue_on() -> None:
    plan = plan_staffing(certain(400, 100, 0, 0), TIMES, limit_s=LIMIT_S, lanes_available=6)
    assert [item.is_enough for item in plan] == [False, False, False, True]
    assert plan[1].late > plan_staffing(certain(100), TIMES, limit_s=LIMIT_S, lanes_available=6)[0].late
    assert (plan[3].lanes, plan[3].officers) == (1, 1)


def test_an_unsure_forecast_takes_more_lanes_than_a_sure_one() -> None:
    unsure = [[Scenario(arrivals=100, weight=0.5), Scenario(arrivals=300, weight=0.5)]]
    sure = plan_staffing(certain(200), TIMES, limit_s=LIMIT_S, lanes_available=40)[0]
    both = plan_staffing(unsure, TIMES, limit_s=LIMIT_S, lanes_available=40)[0]
    assert both.arrivals == sure.arrivals == 200
    assert both.lanes > sure.lanes


def test_more_referrals_take_more_officers_and_longer_promises_fewer_lanes() -> None:
    many = ServiceTimes(crossing_s=20, referral_ratio=0.3)
    patient = plan_staffing(certain(300), TIMES, limit_s=300, lanes_available=40)[0]
    usual = plan_staffing(certain(300), TIMES, limit_s=LIMIT_S, lanes_available=40)[0]
    referring = plan_staffing(certain(300), many, limit_s=LIMIT_S, lanes_available=60)[0]
    assert patient.lanes < usual.lanes < referring.lanes
    assert usual.officers < referring.officers


def test_times_and_lanes_that_cannot_be_are_refused() -> None:
    for wrong in ({"crossing_s": 0}, {"crossing_s": 9, "officer_s": 0}, {"crossing_s": 9, "referral_ratio": 1.2}):
        with pytest.raises(ValueError, match="share"):
            ServiceTimes(**wrong)
    with pytest.raises(ValueError, match="lane"):
        plan_staffing(certain(1), TIMES, limit_s=60, lanes_available=0)
    with pytest.raises(ValueError, match="last quarter"):
        simulate_waits([1.0], lanes=[0], officers=[1], work=WORK)
