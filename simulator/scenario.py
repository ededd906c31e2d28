"""Scenario files: who comes to the gate with which document, what they do, what officers answer, and how it should end."""

import tomllib
from datetime import date
from enum import StrEnum
from importlib import resources
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from gate.checks.mrz import CheckName
from gate.core.effects import CrossingOutcome
from gate.errors import GateError
from simulator.pad_species import Species


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ChipKind(StrEnum):
    """In order, or what was done to it (`simulator.chip.attacks`)."""

    GENUINE = "genuine"
    CLONE = "clone"
    SWAPPED_FACE = "swapped_face"
    FOREIGN_ISSUER = "foreign_issuer"
    NO_PACE = "no_pace"
    SILENT = "silent"
    """It has power and answers nothing."""
    OTHER_DOCUMENT = "other_document"
    """The chip of another document, which this page's zone does not open."""


class DocumentSpec(_Part):
    """What is printed, and how it lies on the glass. ``portrait_of``: whose photo, if not the bearer's own. ``chip`` None: it has none."""

    issuer: str = "UTO"
    nationality: str = "UTO"
    number: str = Field(pattern=r"^[A-Z0-9]{1,9}$")
    surname: str
    given_names: str
    birth: date
    sex: Literal["M", "F", "<"] = "<"
    expires: date
    portrait_of: str | None = None
    wrong_check: CheckName | None = None
    is_unreadable: bool = False
    is_upside_down: bool = False
    chip: ChipKind | None = None
    chip_portrait_of: str | None = None
    """Whose picture the chip holds, if not the bearer's own."""


class DeclarationSpec(_Part):
    """What the traveller declared before: goods to customs, symptoms to quarantine."""

    goods: tuple[str, ...] = ()
    symptoms: tuple[str, ...] = ()


class ShownSpec(_Part):
    """What is held before the face camera instead of a face: a picture of the document's owner (``is_portrait``: the document's own)."""

    species: Species
    is_portrait: bool = False


class Answers(_Part):
    """What the simulated officers do with a case that waits for them. ``delay_s`` is how long each looks before."""

    releases: tuple[str, ...] = ()
    is_sent_back: bool = False
    is_acknowledged: bool = False
    delay_s: float = Field(default=1.0, ge=0, le=60)


class Expected(_Part):
    """How it should end. ``reasons`` must all be among the crossing's."""

    outcome: CrossingOutcome
    reasons: tuple[str, ...] = ()


class TravellerSpec(_Part):
    """One traveller. ``person`` names photographs; ``followed_by`` somebody who slips in behind.

    In a walk-through lane that somebody stands beside until asked to wait, or ``is_run_after``: runs in behind when the exit is open.
    """

    id: str
    title: str
    person: str
    document: DocumentSpec
    celsius: float = 36.6
    declaration: DeclarationSpec | None = None
    followed_by: str | None = None
    is_run_after: bool = False
    shows: ShownSpec | None = None
    leaves_bag: bool = False
    never_enters: bool = False
    officers: Answers = Answers()
    expected: Expected


class Scenario(_Part):
    title: str
    seed: int = 1
    doors: Literal[1, 2] = 2
    travellers: tuple[TravellerSpec, ...] = Field(alias="traveller", min_length=1)

    @property
    def has_chips(self) -> bool:
        """Whether anybody's document has a chip, so that the lanes must have readers."""
        return any(traveller.document.chip is not None for traveller in self.travellers)


def load_scenario(path: Path) -> Scenario:
    """The scenario in ``path``. GateError with one sentence when it cannot be used."""
    try:
        return Scenario.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError:
        raise GateError(
            f"the scenario {path} does not exist: pass a TOML file such as {scenarios_dir() / 'ten.toml'}"
        ) from None
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise GateError(f"the scenario {path} cannot be read ({error}): mend that line") from None
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        key = ".".join(str(part) for part in first["loc"])
        raise GateError(f"the scenario {path} is wrong at {key}: {first['msg']}") from None


def usual_travellers() -> Scenario:
    """Who comes to the demonstration: ten of the kinds of every day, then those whose chips are something else than they say."""
    ten, chips = (load_scenario(scenarios_dir() / f"{name}.toml") for name in ("ten", "chips"))
    return ten.model_copy(update={"travellers": ten.travellers + chips.travellers})


def scenarios_dir() -> Path:
    """The folder of the scenarios that come with the simulator."""
    return Path(str(resources.files("simulator") / "scenarios"))
