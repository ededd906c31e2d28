"""Risk rules from a TOML file: compiled once, tested by the tests beside them, judged with an explanation.

The language is that of rule-engine (BSD): comparisons, sets, regular expressions over the facts of :mod:`gate.checks.risk.facts`; it
calls nothing and reaches nothing else, and types are checked when a file is read. What a rule asks for is a look of a role. A rule can
only add one: there is no action that takes a check away, so that trust and rules together never open what a finding keeps shut.
"""

import hashlib
import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

import rule_engine
from rule_engine.errors import EngineError

from gate.checks.risk.facts import TRUST_LEVELS, TYPES, RiskFacts

_ID = re.compile(r"[a-z][a-z0-9-]{1,47}")
_KEYS = {
    "rule": {"id", "when", "role", "ask", "words"},
    "test": {"name", "facts", "fires"},
    "sampling": set(TRUST_LEVELS) | {"role"},
}
_NAMES = re.compile(r"[A-Za-z_]\w*")
MAX_RULES = 500


class RulesInvalid(ValueError):
    """A file of rules that cannot be used; the text names file, rule and remedy."""


class Ask(StrEnum):
    """What a rule wants done."""

    LOOK = "look"
    """An officer of the role looks at the case."""
    INSPECT = "inspect"
    """The role opens the bag."""
    NOTE = "note"
    """Nobody is stopped; the role reads it."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Rule:
    """``when`` is the expression as written; ``facts`` the names it asks about."""

    id: str
    when: str
    role: str
    ask: Ask
    words: str
    facts: tuple[str, ...]
    compiled: rule_engine.Rule


@dataclass(frozen=True, slots=True, kw_only=True)
class Fired:
    """A rule that fired, and on which facts: the explanation."""

    rule: str
    role: str
    ask: Ask
    words: str
    facts: Mapping[str, Any]

    def explanation(self) -> str:
        """``meat-undeclared: meat products (goods = ['meat'], declares_nothing = true)``."""
        shown = ", ".join(f"{name} = {_shown(value)}" for name, value in self.facts.items())
        return f"{self.rule}: {self.words} ({shown})"


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleSet:
    """A file's rules. ``rates``: by trust level, 0 to 1, who is drawn by lot; ``sampling_role`` looks then. ``sha256`` is the file's."""

    rules: tuple[Rule, ...] = ()
    rates: Mapping[str, float]
    sampling_role: str = ""
    sha256: str = ""

    def judge(self, facts: RiskFacts) -> tuple[Fired, ...]:
        """The rules that fire, in the order of the file."""
        said = facts.to_json()
        return tuple(
            Fired(
                rule=rule.id,
                role=rule.role,
                ask=rule.ask,
                words=rule.words,
                facts={name: said[name] for name in rule.facts},
            )
            for rule in self.rules
            if _matches(rule, said)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class TestFailed:
    """A test beside the rules that did not come out as written."""

    name: str
    expected: tuple[str, ...]
    fired: tuple[str, ...]


NO_RULES = RuleSet(rates=dict.fromkeys(TRUST_LEVELS, 0.0))
_CONTEXT = rule_engine.Context(type_resolver=rule_engine.type_resolver_from_dict(TYPES))


def load_rules(path: Path, *, roles: Sequence[str]) -> tuple[RuleSet, tuple[TestFailed, ...]]:
    """The rules of a file and what its own tests say against them. RulesInvalid when it cannot be used at all."""
    try:
        data = path.read_bytes()
        said = tomllib.loads(data.decode("utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as problem:
        raise RulesInvalid(f"{path} cannot be read ({problem}): give a TOML file in UTF-8") from None
    unknown = set(said) - set(_KEYS)
    if unknown:
        raise RulesInvalid(f"{path}: '{min(unknown)}' is no section: [[rule]], [[test]] and [sampling] are")
    rules = [_rule(path, item, roles) for item in _tables(path, said, "rule")]
    doubled = sorted({rule.id for rule in rules if sum(other.id == rule.id for other in rules) > 1})
    if doubled:
        raise RulesInvalid(f"{path}: two rules are called '{doubled[0]}': give each its own id")
    if len(rules) > MAX_RULES:
        raise RulesInvalid(f"{path} has {len(rules)} rules: {MAX_RULES} are the most")
    rates, role = _sampling(path, said.get("sampling", {}), roles)
    made = RuleSet(rules=tuple(rules), rates=rates, sampling_role=role, sha256=hashlib.sha256(data).hexdigest())
    return made, tuple(_failures(path, made, _tables(path, said, "test")))


def _rule(path: Path, said: Mapping[str, Any], roles: Sequence[str]) -> Rule:
    rule_id = said.get("id")
    if not isinstance(rule_id, str) or not _ID.fullmatch(rule_id):
        raise RulesInvalid(f"{path}: a rule's id is small letters, digits and hyphens, and cannot be {rule_id!r}")
    where = f"{path}, rule '{rule_id}'"
    _only(where, said, _KEYS["rule"])
    when, words, role = (said.get(key) for key in ("when", "words", "role"))
    if not (isinstance(when, str) and isinstance(words, str) and words.strip()):
        raise RulesInvalid(f"{where}: it needs 'when', an expression, and 'words' for the officers")
    if role not in roles:
        raise RulesInvalid(f"{where}: the role {role!r} is not one of this site's: {', '.join(roles)}")
    try:
        ask = Ask(said.get("ask", Ask.LOOK))
        compiled = rule_engine.Rule(when, context=_CONTEXT)
    except ValueError:
        raise RulesInvalid(f"{where}: 'ask' is one of {', '.join(Ask)}") from None
    except EngineError as problem:
        raise RulesInvalid(
            f"{where}: 'when' is no condition on the facts ({problem}): {', '.join(sorted(TYPES))}"
        ) from None
    names = set(_NAMES.findall(re.sub(r"\"[^\"]*\"|'[^']*'", "", when)))
    facts = tuple(name for name in TYPES if name in names)
    return Rule(id=rule_id, when=when, role=str(role), ask=ask, words=words.strip(), facts=facts, compiled=compiled)


def _sampling(path: Path, said: Mapping[str, Any], roles: Sequence[str]) -> tuple[dict[str, float], str]:
    _only(f"{path}, [sampling]", said, _KEYS["sampling"])
    rates = {}
    for level in TRUST_LEVELS:
        rate = said.get(level, 0.0)
        if isinstance(rate, bool) or not isinstance(rate, int | float) or not 0 <= rate <= 1:
            raise RulesInvalid(f"{path}: sampling.{level} is a share from 0 to 1, not {rate!r}")
        rates[level] = float(rate)
    role = said.get("role", "")
    if any(rates.values()) and role not in roles:
        raise RulesInvalid(f"{path}: sampling.role {role!r} is not one of this site's: {', '.join(roles)}")
    return rates, str(role)


def _failures(path: Path, rules: RuleSet, tests: Sequence[Mapping[str, Any]]) -> list[TestFailed]:
    failed = []
    for number, said in enumerate(tests, start=1):
        where = f"{path}, test {said.get('name') or number}"
        _only(where, said, _KEYS["test"])
        expected = said.get("fires", [])
        if not isinstance(expected, list) or not all(isinstance(item, str) for item in expected):
            raise RulesInvalid(f"{where}: 'fires' is a list of rule ids")
        unknown = set(expected) - {rule.id for rule in rules.rules}
        if unknown:
            raise RulesInvalid(f"{where}: there is no rule '{min(unknown)}'")
        try:
            facts = RiskFacts.from_json(said.get("facts", {}))
        except (ValueError, TypeError) as problem:
            raise RulesInvalid(f"{where}: {problem}") from None
        fired = tuple(item.rule for item in rules.judge(facts))
        if set(fired) != set(expected):
            failed.append(TestFailed(name=str(said.get("name") or number), expected=tuple(expected), fired=fired))
    return failed


def _matches(rule: Rule, facts: Mapping[str, Any]) -> bool:
    """Whether it fires. What is not known is null: it equals null only, and a condition that cannot be judged for it does not fire."""
    try:
        return bool(rule.compiled.matches(facts))
    except EngineError:
        return False


def _tables(path: Path, said: Mapping[str, Any], key: str) -> list[Mapping[str, Any]]:
    value = said.get(key, [])
    if not isinstance(value, list) or not all(isinstance(item, Mapping) for item in value):
        raise RulesInvalid(f"{path}: '{key}' is written as [[{key}]]")
    return value


def _only(where: str, said: Mapping[str, Any], known: set[str]) -> None:
    if not isinstance(said, Mapping):
        raise RulesInvalid(f"{where} is no table")
    unknown = set(said) - known
    if unknown:
        raise RulesInvalid(f"{where}: '{min(unknown)}' is not known: {', '.join(sorted(known))} are")


def _shown(value: object) -> str:
    if value is None:
        return "not known"
    return str(value).lower() if isinstance(value, bool) else str(value)
