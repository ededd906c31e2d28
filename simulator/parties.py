"""``gate sim people``: who is taken for one person by light curtain and camera together, over many walks of many kinds of people.

The curtain's count is the board's own (:mod:`simulator.curtain`); what the camera sees is drawn from the shares that
``scenarios/parties.toml`` assumes. A lane lets somebody be cleared only when both say one: everything else goes to an officer.
"""

import json
import random
import tomllib
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field
from rich.console import Console
from rich.table import Table

from simulator.curtain import count_people
from simulator.scenario import scenarios_dir
from simulator.world import Body, BodyKind, LaneWorld

_LENGTH_SPREAD = 0.12
_GAP_SPREAD_MM = 40.0
_LINE_MM = 1_500.0
_LINE_SPREAD_MM = 200.0


class Shadow(BaseModel):
    """What breaks beams: its front behind the party's front, and its length along the lane, both in millimetres."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    offset_mm: float = Field(ge=0)
    length_mm: float = Field(gt=0)


class Party(BaseModel):
    """Who comes in together. ``heads``: for each face, the share of stays in which the camera counts it, 0 to 1."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str
    title: str
    people: int = Field(ge=1)
    shadows: tuple[Shadow, ...] = Field(min_length=1)
    heads: tuple[float, ...]


@dataclass(slots=True, kw_only=True)
class Row:
    """How one kind of party was taken over its walks."""

    party: Party
    walks: int = 0
    curtain: Counter[int] = field(default_factory=Counter)
    curtain_says_one: int = 0
    both_say_one: int = 0

    @property
    def passed_ratio(self) -> float:
        return self.both_say_one / self.walks

    @property
    def is_right(self) -> bool:
        """Whether most walks end as they should: one alone may be cleared, more than one never."""
        return (self.passed_ratio > 0.5) == (self.party.people == 1)


def load_parties(file: Path | None = None) -> tuple[Party, ...]:
    """The parties of ``file``, by default those that come with the simulator."""
    data = tomllib.loads((file or scenarios_dir() / "parties.toml").read_text())
    return tuple(Party.model_validate(item) for item in data["party"])


def walk(party: Party, rng: random.Random) -> tuple[int, int]:
    """One stay: the curtain's count and the camera's, with the party at the line and both doors shut."""
    world = LaneWorld()
    front_mm = _LINE_MM + rng.uniform(-_LINE_SPREAD_MM, _LINE_SPREAD_MM)
    scale = rng.gauss(1.0, _LENGTH_SPREAD / 2)
    slip_mm = 0.0
    for shadow in party.shadows:
        slip_mm += rng.uniform(-_GAP_SPREAD_MM, _GAP_SPREAD_MM) if shadow.offset_mm > 0 else 0.0
        length_mm = shadow.length_mm * scale
        middle_mm = front_mm - (shadow.offset_mm * scale + slip_mm) - length_mm / 2
        world.bodies.append(Body(kind=BodyKind.PERSON, x_mm=middle_mm, length_mm=length_mm))
    first, count = world.outside_beams, len(world.beams_mm)
    last = count - world.outside_beams
    curtain = count_people(
        world.beams, inside=range(first, last), cuts=(first, last), beam_count=count, pitch_mm=round(world.pitch_mm)
    )
    return curtain, sum(rng.random() < share for share in party.heads)


def confusion(parties: tuple[Party, ...], *, walks: int, seed: int) -> list[Row]:
    """``walks`` stays of each party; the same seed gives the same table."""
    rows = []
    for party in parties:
        rng = random.Random(f"{seed} {party.id}")
        row = Row(party=party, walks=walks)
        for _ in range(walks):
            curtain, camera = walk(party, rng)
            row.curtain[curtain] += 1
            row.curtain_says_one += curtain == 1
            row.both_say_one += curtain == 1 and camera == 1
        rows.append(row)
    return rows


def run_people(*, walks: int, seed: int, is_json: bool) -> int:
    """Print the table; 0."""
    rows = confusion(load_parties(), walks=walks, seed=seed)
    if is_json:
        print(json.dumps({"walks": walks, "seed": seed, "parties": [_figures(row) for row in rows]}))
        return 0
    table = Table(title=f"Taken for one person, {walks} walks each")
    for name in ("who", "people", "curtain counts", "curtain alone says one", "curtain and camera say one"):
        table.add_column(name, justify="left" if name == "who" else "right")
    for row in rows:
        counts = ", ".join(f"{count}: {share / row.walks:.0%}" for count, share in sorted(row.curtain.items()))
        style = "" if row.is_right else "yellow"
        alone = f"{row.curtain_says_one / row.walks:.1%}"
        table.add_row(row.party.title, str(row.party.people), counts, alone, f"{row.passed_ratio:.1%}", style=style)
    Console().print(table)
    return 0


def _figures(row: Row) -> dict[str, object]:
    return {
        "party": row.party.id,
        "people": row.party.people,
        "curtain": {str(count): share / row.walks for count, share in sorted(row.curtain.items())},
        "curtain_says_one": row.curtain_says_one / row.walks,
        "taken_for_one": row.passed_ratio,
    }
