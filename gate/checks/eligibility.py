"""Whether somebody may enter: as a national, by a visa, without one, or on the way to a third state. Pure; the rules are data.

A rule that does not apply says why, so that an officer sees what was missing; no rule is guessed from another. All times are local to
the port, since the rules count local days.
"""

import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from importlib import resources
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from gate.errors import GateError

ALL: Literal["all"] = "all"


class Clock(StrEnum):
    """From when the hours of a rule count."""

    ARRIVAL = "arrival"
    NEXT_MIDNIGHT = "next_midnight"


class _Data(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class TransitRule(_Data):
    """Transit without visa. ``regions`` are those in which one may arrive and stay; dates are the first and last day of the rule."""

    id: str = Field(pattern=r"^[a-z0-9][a-z0-9-]{0,40}$")
    hours: Annotated[int, Field(ge=1, le=24 * 60)]
    clock: Clock
    nationalities: tuple[str, ...] | Literal["all"]
    regions: tuple[str, ...] | Literal["all"] = ALL
    ports: tuple[str, ...] | Literal["all"] = ALL
    needs_confirmed: bool = True
    document_months: Annotated[int, Field(ge=0, le=24)] = 0
    first_day: date | None = None
    last_day: date | None = None


class VisaFreeRule(_Data):
    """Entry without visa for some days."""

    id: str = Field(pattern=r"^[a-z0-9][a-z0-9-]{0,40}$")
    days: Annotated[int, Field(ge=1, le=365)]
    nationalities: tuple[str, ...]
    first_day: date | None = None
    last_day: date | None = None


class EntryRules(_Data):
    """The rules of one state. ``groups`` name lists of nationalities; a rule writes them as ``@name``."""

    source: str
    nationals: tuple[str, ...]
    groups: Mapping[str, tuple[str, ...]] = {}
    transit: tuple[TransitRule, ...] = ()
    visa_free: tuple[VisaFreeRule, ...] = ()

    @model_validator(mode="after")
    def _groups_are_known(self) -> Self:
        named = [(rule.id, rule.nationalities) for rule in self.transit]
        named += [(rule.id, rule.nationalities) for rule in self.visa_free]
        for rule_id, nationalities in named:
            unknown = [name for name in nationalities if name.startswith("@") and name[1:] not in self.groups]
            if unknown:
                raise ValueError(f"rule {rule_id} names the group {unknown[0]}, which is not in [groups]")
        return self

    def covers(self, nationalities: Sequence[str] | Literal["all"], nationality: str) -> bool:
        """Whether a rule for ``nationalities`` is for this one."""
        if nationalities == ALL:
            return True
        return any(
            nationality in self.groups[name[1:]] if name.startswith("@") else nationality == name
            for name in nationalities
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Visa:
    """A visa on record. ``entries`` 0: as often as wanted; ``is_used``: an entry that it had has been made with it."""

    number: str
    first_day: date
    last_day: date
    entries: int
    stay_days: int
    is_used: bool = False
    is_revoked: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Onward:
    """The ticket onward. ``departs_at`` local to the port."""

    destination: str
    departs_at: datetime
    is_confirmed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Journey:
    """Where a traveller comes from and goes to. ``arrives_at`` local to the port."""

    origin: str
    arrives_at: datetime
    region: str
    onward: Onward | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Applicant:
    """Who wants to enter, where (``region``, ``port``) and when (local to the port)."""

    nationality: str
    document_expiry: date | None
    at: datetime
    home_state: str
    region: str
    port: str
    visas: tuple[Visa, ...] = ()
    journey: Journey | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Permitted:
    """May enter, by ``basis``; must leave before ``until`` (local), None: need not."""

    basis: str
    until: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NotPermitted:
    """Why each of the rules does not let in: pairs of rule and reason."""

    reasons: tuple[tuple[str, str], ...]


def judge_entry(who: Applicant, rules: EntryRules) -> Permitted | NotPermitted:
    """The basis that allows the longest stay, or why none does."""
    if who.nationality in rules.nationals:
        return Permitted(basis="national")
    found: list[Permitted] = []
    reasons: list[tuple[str, str]] = []
    for name, answer in _answers(who, rules):
        if isinstance(answer, Permitted):
            found.append(answer)
        else:
            reasons.append((name, answer))
    if found:
        return max(found, key=lambda item: item.until or datetime.max.replace(tzinfo=who.at.tzinfo))
    return NotPermitted(reasons=tuple(reasons))


def _answers(who: Applicant, rules: EntryRules) -> Iterable[tuple[str, Permitted | str]]:
    if not who.visas:
        yield "visa", "none on record"
    for visa in who.visas:
        yield "visa", _by_visa(visa, who)
    for free in rules.visa_free:
        yield free.id, _visa_free(free, who, rules)
    for rule in rules.transit:
        yield rule.id, _in_transit(rule, who, rules)


def _by_visa(visa: Visa, who: Applicant) -> Permitted | str:
    today = who.at.date()
    if visa.is_revoked:
        return "revoked"
    if today < visa.first_day:
        return f"not valid before {visa.first_day}"
    if today > visa.last_day:
        return f"expired on {visa.last_day}"
    if visa.entries == 1 and visa.is_used:
        return "its entry was made"
    return Permitted(basis="visa", until=_midnight_after(who.at) + timedelta(days=visa.stay_days))


def _visa_free(rule: VisaFreeRule, who: Applicant, rules: EntryRules) -> Permitted | str:
    if not _is_in_force(rule.first_day, rule.last_day, who.at.date()):
        return "not in force"
    if not rules.covers(rule.nationalities, who.nationality):
        return "not for this nationality"
    return Permitted(basis=rule.id, until=_midnight_after(who.at) + timedelta(days=rule.days))


def _in_transit(rule: TransitRule, who: Applicant, rules: EntryRules) -> Permitted | str:
    if not _is_in_force(rule.first_day, rule.last_day, who.at.date()):
        return "not in force"
    if not rules.covers(rule.nationalities, who.nationality):
        return "not for this nationality"
    if rule.ports != ALL and who.port not in rule.ports:
        return "not at this port"
    if rule.regions != ALL and who.region not in rule.regions:
        return "not in this region"
    journey = who.journey
    if journey is None or journey.onward is None:
        return "no onward ticket"
    onward = journey.onward
    if rule.regions != ALL and journey.region and journey.region not in rule.regions:
        return f"not for a stay in {journey.region}"
    if rule.needs_confirmed and not onward.is_confirmed:
        return "the onward ticket is not confirmed"
    if onward.destination == who.home_state:
        return "the onward ticket does not leave the state"
    if onward.destination == journey.origin:
        return "the onward ticket goes back to where the journey came from"
    until = _counted_from(rule.clock, who.at) + timedelta(hours=rule.hours)
    if onward.departs_at <= who.at:
        return "the onward ticket is of the past"
    if onward.departs_at > until:
        return f"the onward ticket is later than {rule.hours} hours"
    if rule.document_months and not _is_valid_for(who.document_expiry, rule.document_months, who.at.date()):
        return f"the document is not known to be valid for {rule.document_months} months"
    return Permitted(basis=rule.id, until=until)


def _is_in_force(first: date | None, last: date | None, today: date) -> bool:
    return (first is None or today >= first) and (last is None or today <= last)


def _counted_from(clock: Clock, at: datetime) -> datetime:
    return at if clock is Clock.ARRIVAL else _midnight_after(at)


def _midnight_after(at: datetime) -> datetime:
    return datetime.combine(at.date() + timedelta(days=1), time(), at.tzinfo)


def _is_valid_for(expiry: date | None, months: int, today: date) -> bool:
    if expiry is None:
        return False
    month = today.month - 1 + months
    year, month = today.year + month // 12, month % 12 + 1
    last = (date(year + month // 12, month % 12 + 1, 1) - timedelta(days=1)).day
    return expiry >= date(year, month, min(today.day, last))


def load_entry_rules(path: Path | None = None) -> EntryRules:
    """The rules of a TOML file, or the shipped ones. GateError names the file and the key."""
    file = path or resources.files("gate.checks") / "eligibility_rules.toml"
    try:
        return EntryRules.model_validate(tomllib.loads(file.read_text(encoding="utf-8")))
    except OSError as error:
        raise GateError(
            f"the entry rules {file} cannot be read ({error.strerror}): set window.transit_rules_file"
        ) from None
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise GateError(
            f"the entry rules {file} are wrong at {where or 'the top'} ({first['msg']}): mend that key"
        ) from None
    except ValueError as error:
        raise GateError(f"the entry rules {file} are no TOML ({error}): mend the file") from None
