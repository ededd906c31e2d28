"""What a risk rule may ask about. A fact that nobody knows is null: it equals null and nothing else."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from rule_engine import DataType

TRUST_LEVELS = ("watched", "standard", "known", "trusted")
"""From the least trust to the most. Trust changes how often somebody is drawn by lot and what a site's rules ask, and nothing else."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RiskFacts:
    """A traveller at a port. Texts are as Doc 9303 and the declarations have them; None is not known.

    ``crossings_30d`` counts earlier cases of the same document at this port; ``hour`` and ``weekday`` (0: Monday) are the port's.
    """

    trust: str = "standard"
    nationality: str | None = None
    issuer: str | None = None
    age_years: float | None = None
    sex: str | None = None
    document_days_left: float | None = None
    has_customs_declaration: bool = False
    declares_nothing: bool | None = None
    goods: tuple[str, ...] = ()
    has_health_declaration: bool = False
    symptoms: tuple[str, ...] = ()
    countries: tuple[str, ...] = ()
    flight: str | None = None
    from_airport: str | None = None
    bags: float | None = None
    crossings_30d: float = 0
    hour: float | None = None
    weekday: float | None = None

    @classmethod
    def from_json(cls, said: Mapping[str, Any]) -> "RiskFacts":
        """Raises ValueError for a fact that does not exist or has another type."""
        for name, value in said.items():
            if name not in TYPES:
                raise ValueError(f"'{name}' is no fact: {', '.join(sorted(TYPES))} are")
            if value is not None and not _fits(value, TYPES[name]):
                raise ValueError(f"the fact '{name}' cannot be {value!r}")
        if said.get("trust", "standard") not in TRUST_LEVELS:
            raise ValueError(f"'trust' is one of {', '.join(TRUST_LEVELS)}")
        known: dict[str, Any] = {
            name: tuple(value) if isinstance(value, list) else value for name, value in said.items()
        }
        return cls(**known)

    def to_json(self) -> dict[str, Any]:
        """Every fact by name; lists for tuples."""
        values = {item.name: getattr(self, item.name) for item in fields(self)}
        return {name: list(value) if isinstance(value, tuple) else value for name, value in values.items()}


_TEXT, _NUMBER, _FLAG, _TEXTS = DataType.STRING, DataType.FLOAT, DataType.BOOLEAN, DataType.ARRAY(DataType.STRING)
TYPES: dict[str, Any] = {
    "trust": _TEXT,
    "nationality": _TEXT,
    "issuer": _TEXT,
    "age_years": _NUMBER,
    "sex": _TEXT,
    "document_days_left": _NUMBER,
    "has_customs_declaration": _FLAG,
    "declares_nothing": _FLAG,
    "goods": _TEXTS,
    "has_health_declaration": _FLAG,
    "symptoms": _TEXTS,
    "countries": _TEXTS,
    "flight": _TEXT,
    "from_airport": _TEXT,
    "bags": _NUMBER,
    "crossings_30d": _NUMBER,
    "hour": _NUMBER,
    "weekday": _NUMBER,
}


def _fits(value: object, kind: Any) -> bool:
    if kind is _TEXT:
        return isinstance(value, str)
    if kind is _FLAG:
        return isinstance(value, bool)
    if kind is _NUMBER:
        return isinstance(value, int | float) and not isinstance(value, bool)
    return isinstance(value, list | tuple) and all(isinstance(item, str) for item in value)
