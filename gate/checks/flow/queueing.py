"""Queues in formulas: Erlang B and C, their waiting times, and a queue whose arrivals change during the day.

Erlang C is the stationary M/M/c queue (Erlang 1917; Gross and Harris, Fundamentals of Queueing Theory, 3.3). For a day, the stationary
backlog-carryover approach (Stolletz, EJOR 190 (2008) 478-493): time is cut into periods of one mean service time; what the servers of a
period cannot begin (Erlang B of a loss system) is carried into the next; the waiting in a period is that of the stationary queue with
the utilisation which that leaves. Service times that vary otherwise than exponential ones scale the waiting (Allen and Cunneen).
"""

import math
from dataclasses import dataclass

_FULL = 0.999
"""Servers that are never without a queue are held to be so busy: a stationary queue with more has no end."""
_STEADY = 1e-4


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """``late``: share who wait longer than the limit, 0 to 1; ``mean_s``; ``backlog`` travellers not yet begun at the end."""

    late: float
    mean_s: float
    backlog: float
    utilisation: float


def erlang_b(load: float, servers: int) -> float:
    """The share that finds all of ``servers`` busy where nobody queues; ``load`` in Erlang. ValueError for a negative one."""
    if load < 0 or servers < 0:
        raise ValueError("load and servers are numbers from 0")
    blocked = 1.0
    for number in range(1, servers + 1):
        blocked = load * blocked / (number + load * blocked)
    return blocked


def erlang_c(load: float, servers: int) -> float:
    """The share that has to wait; 1 where the load is not below the servers."""
    if load >= servers:
        return 1.0
    blocked = erlang_b(load, servers)
    return servers * blocked / (servers - load * (1 - blocked))


def share_waiting_longer(
    load: float, servers: int, service_s: float, limit_s: float, *, variability: float = 1.0
) -> float:
    """P(wait > limit) of the stationary queue. ``variability``: (ca^2 + cs^2) / 2, 1 for Poisson arrivals and exponential service."""
    if load >= servers:
        return 1.0
    if load <= 0:
        return 0.0
    return erlang_c(load, servers) * math.exp(-(servers - load) * limit_s / (service_s * variability))


def period_waiting(
    arrivals: float,
    length_s: float,
    *,
    servers: int,
    service_s: float,
    limit_s: float,
    backlog: float = 0.0,
    variability: float = 1.0,
) -> Waiting:
    """What happens to ``arrivals`` travellers spread over ``length_s``, when ``backlog`` are left from before."""
    if servers <= 0:
        total = arrivals + backlog
        return Waiting(
            late=1.0 if total > 0 else 0.0, mean_s=math.inf if total > 0 else 0.0, backlog=total, utilisation=1.0
        )
    steps = max(1, math.ceil(length_s / service_s))
    step_s = length_s / steps
    coming = arrivals / steps
    late = mean = used = 0.0
    for number in range(steps):
        before = backlog
        load = (coming + before) * service_s / step_s
        begun = min((coming + before) * (1 - erlang_b(load, servers)), _FULL * servers * step_s / service_s)
        backlog = coming + before - begun
        effective = begun * service_s / step_s
        has_to_wait = erlang_c(effective, servers)
        rate = (servers - effective) / (service_s * variability)
        now_late, now_mean = has_to_wait * math.exp(-rate * limit_s), has_to_wait / rate
        is_steady = abs(backlog - before) <= _STEADY * (coming + before)
        weight = steps - number if is_steady else 1
        late += weight * now_late
        mean += weight * now_mean
        used += weight * effective / servers
        if is_steady:
            break
    return Waiting(late=late / steps, mean_s=mean / steps, backlog=backlog, utilisation=used / steps)
