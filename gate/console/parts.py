"""The few elements all screens are made of. Whatever came over a wire is shown as text, never as HTML."""

from collections.abc import Awaitable, Callable
from typing import Any

from nicegui import ui
from nicegui.element import Element

Handler = Callable[[], Awaitable[None] | None]


def box(classes: str = "", *, testid: str | None = None, tag: str = "div") -> Element:
    """An element to put others in."""
    return mark(ui.element(tag).classes(classes), testid)


def text(value: str = "", classes: str = "", *, testid: str | None = None) -> ui.label:
    """A line of text, escaped by the browser."""
    label = ui.label(value).classes(classes)
    mark(label, testid)
    return label


def drawing(svg: str, classes: str = "") -> ui.html:
    """One of our own drawings (:mod:`gate.console.drawings`), and nothing else."""
    return ui.html(svg, sanitize=False).classes(classes)


def button(
    label: str, on_click: Handler, classes: str = "", *, testid: str | None = None, key: str | None = None
) -> Element:
    """A plain button; ``key`` (``F1`` ...) is the key that presses it (see ``screen.js``)."""
    element = mark(ui.element("button").classes(f"btn {classes}"), testid)
    element.props["type"] = "button"
    with element:
        ui.label(label).classes("btn-label")
        if key is not None:
            element.props["data-key"] = key
            ui.label(key).classes("btn-key")
    element.on("click", on_click, args=[])
    return element


def set_words(element: Element, label: str) -> None:
    """Give a :func:`button` another label; only a difference is sent."""
    found = next((item for item in element if isinstance(item, ui.label)), None)
    if found is not None and found.text != label:
        found.set_text(label)


def link(label: str, target: str, classes: str = "") -> ui.link:
    return ui.link(label, target).classes(classes)


def mark(element: Element, testid: str | None) -> Element:
    """Name an element for tests."""
    if testid is not None:
        element.props["data-testid"] = testid
    return element


def set_data(element: Element, **data: str | None) -> None:
    """Set ``data-*`` attributes (underscores become hyphens); None removes one. Only what differs is sent."""
    for name, value in data.items():
        key = "data-" + name.replace("_", "-")
        if element.props.get(key) != value:
            element.props.set_optional(key, value)


def set_prop(element: Element, name: str, value: str) -> None:
    """Set an attribute; only a difference is sent."""
    if element.props.get(name) != value:
        element.props[name] = value


def set_enabled(element: Element, is_enabled: bool) -> None:
    """Whether a button can be pressed, by hand or by its key."""
    if bool(element.props.get("disabled")) == is_enabled:
        element.props.set_bool("disabled", not is_enabled)


def set_style(element: Element, **variables: str) -> None:
    """Set CSS variables (``lane_colour`` becomes ``--lane-colour``)."""
    element.style("; ".join(f"--{name.replace('_', '-')}: {value}" for name, value in variables.items()))


class Rows:
    """A list that is drawn again only when what it shows is another: nothing flickers, nothing loses its place."""

    def __init__(self, container: Element, draw: Callable[[Any], object]) -> None:
        self._container = container
        self._draw = draw
        self._shown: object = object()

    def show(self, value: Any) -> None:
        if value != self._shown:
            self._shown = value
            self._container.clear()
            with self._container:
                self._draw(value)
