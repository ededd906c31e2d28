"""Why an officer answers as they do: the lists from which they choose, so that reasons can be counted and read in any language."""

from typing import Self

from pydantic import Field, model_validator

from config.section import Name, Section


class ReasonTitle(Section):
    """What a site's own reason is called on the screens."""

    en: str
    zh_CN: str


class Reasons(Section):
    """A list for each answer; an empty one asks for no reason. ``release`` is asked only where a finding stands in the way.

    What is kept with the answer is the reason's name. Names beyond those of this file need a title in ``[reasons.title.NAME]``.
    """

    release: tuple[Name, ...] = ("explained", "checked-by-hand", "settled", "false-alarm")
    hold: tuple[Name, ...] = ("ask-traveller", "ask-records", "look-closer", "ask-supervisor")
    inspect: tuple[Name, ...] = ("suspicious-picture", "undeclared-goods", "plants-or-animals", "sample")
    refuse: tuple[Name, ...] = ("not-the-holder", "false-document", "not-entitled", "wanted", "health-risk")
    send_back: tuple[Name, ...] = ("identity", "document", "customs", "health", "assistance")
    force_open: tuple[Name, ...] = ("medical", "trapped", "equipment", "other-way-checked")
    title: dict[Name, ReasonTitle] = Field(default={})

    @model_validator(mode="after")
    def _named(self) -> Self:
        known = {
            name
            for field in type(self).model_fields.values()
            if isinstance(field.default, tuple)
            for name in field.default
        }
        for kind in ("release", "hold", "inspect", "refuse", "send_back", "force_open"):
            names: tuple[str, ...] = getattr(self, kind)
            for name in names:
                if name not in known and name not in self.title:
                    raise ValueError(f"the reason {name!r} has no title: add [reasons.title.{name}] with en and zh_CN")
            if len(set(names)) != len(names):
                raise ValueError(f"reasons.{kind} names a reason twice: keep one")
            if len(names) > 9:
                raise ValueError(f"reasons.{kind} has more than nine: each is chosen by a key from 1 to 9")
        return self
