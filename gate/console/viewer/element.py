"""The viewer as a NiceGUI element: pictures and marks go down, what an officer draws comes up.

The browser fetches the pictures itself (:mod:`gate.console.pictures`); here are only their addresses. Not responsible for: who may see
what (the hub decides), where marks are kept (the hub).
"""

import tomllib
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

from nicegui.element import Element
from nicegui.events import GenericEventArguments
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from gate.console.hub_models import MarkKind

LANGUAGES = ("en", "zh")
NOTE_LENGTH = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """One direction of sight: ``sha256`` names the picture to which marks are bound, ``high`` and ``low`` are addresses."""

    sha256: str
    high: str
    low: str | None = None
    title: str = ""

    def to_json(self) -> dict[str, str | None]:
        return {"sha256": self.sha256, "high": self.high, "low": self.low, "title": self.title}


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownMark:
    """A mark as it is drawn; places and sizes are pixels of the picture. ``time`` is in words, ``colour`` CSS."""

    id: str
    number: int
    sha256: str
    kind: MarkKind
    x: float
    y: float
    width: float
    height: float
    text: str
    role_title: str
    colour: str
    author: str
    time: str
    is_own: bool

    def to_json(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self.__slots__}


class DrawnMark(BaseModel):
    """What came from the browser: a new mark."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)

    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    kind: MarkKind
    x: float = Field(ge=0, le=100_000)
    y: float = Field(ge=0, le=100_000)
    width: float = Field(ge=0, le=100_000)
    height: float = Field(ge=0, le=100_000)
    text: str = Field(max_length=NOTE_LENGTH)


class XrayViewer(Element, component="xray_viewer.js", esm={"tongguan-xray": "static"}):
    """The picture with its tools. ``on_mark`` gets what was drawn, ``on_unmark`` the id of a mark to take away."""

    def __init__(
        self,
        *,
        colour: str,
        may_mark: bool,
        on_mark: Callable[[DrawnMark], Awaitable[None]],
        on_unmark: Callable[[str], Awaitable[None]],
        language: str = "en",
    ) -> None:
        super().__init__()
        self._on_mark = on_mark
        self._on_unmark = on_unmark
        self.props.update({"texts": {**load_texts()[language], "own_colour": colour}, "may-mark": may_mark})
        self.props.update({"source": None, "marks": []})
        self.on("mark", self._take_mark)
        self.on("unmark", self._take_unmark)

    def show(
        self, views: Sequence[View], *, previous: View | None = None, following: Sequence[View] = (), empty: str = ""
    ) -> None:
        """Show these views, nothing when there are none (then ``empty`` says why); ``following`` are fetched ahead."""
        source = {
            "views": [view.to_json() for view in views],
            "previous": previous.to_json() if previous is not None else None,
            "next": [view.to_json() for view in following],
            "empty": empty,
        }
        if self.props.get("source") != source:
            self.props["source"] = source

    def show_marks(self, marks: Sequence[ShownMark]) -> None:
        """Draw these marks, each on the picture that it names."""
        shown = [mark.to_json() for mark in marks]
        if self.props.get("marks") != shown:
            self.props["marks"] = shown

    async def _take_mark(self, event: GenericEventArguments) -> None:
        try:
            mark = DrawnMark.model_validate(event.args)
        except ValidationError:
            # A browser that sends anything else was not given it by our script.
            return
        await self._on_mark(mark)

    async def _take_unmark(self, event: GenericEventArguments) -> None:
        if isinstance(event.args, str):
            await self._on_unmark(event.args)


@cache
def load_texts() -> dict[str, dict[str, Any]]:
    """The viewer's words by language. ValueError when a language lacks one."""
    source = resources.files("gate.console.viewer") / "texts.toml"
    texts = tomllib.loads(source.read_text(encoding="utf-8"))
    wanted = set(_names(texts[LANGUAGES[0]]))
    for language in LANGUAGES:
        if missing := sorted(wanted ^ set(_names(texts[language]))):
            raise ValueError(f"viewer/texts.toml does not have the same words in {language}: {', '.join(missing)}")
    return texts


def _names(table: dict[str, Any], prefix: str = "") -> list[str]:
    names = []
    for name, value in table.items():
        names += _names(value, f"{prefix}{name}.") if isinstance(value, dict) else [f"{prefix}{name}"]
    return names
