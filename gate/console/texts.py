"""The sentences of the kiosks, read from ``texts.toml`` once and checked whole."""

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import Any

from gate.wire.messages import KioskStep

KIOSK_PHRASES = (
    "link_lost",
    "offline",
    "stale",
    "privacy",
    "privacy_temperature",
    "privacy_face_now",
    "privacy_face_later",
    "privacy_document",
    "help",
    "help_title",
    "help_called",
    "help_coming",
    "help_unheard",
    "manual_lane",
    "close",
    "voice",
    "contrast",
    "low",
)
"""What the kiosk says beside the steps of :class:`~gate.wire.messages.KioskStep`."""


class Texts:
    """All sentences. Raises ValueError when a language lacks one."""

    def __init__(self, data: Mapping[str, Any]) -> None:
        self.languages: tuple[str, ...] = tuple(data["languages"])
        self._right_to_left = frozenset(data["right_to_left"])
        self._names: Mapping[str, str] = data["language_name"]
        self._issuers: Mapping[str, str] = {
            issuer: language for language, issuers in data["issuers"].items() for issuer in issuers
        }
        self._kiosk: Mapping[str, Mapping[str, str]] = data["kiosk"]
        self._hints: Mapping[str, Mapping[str, str]] = data["hint"]
        self._hint_alias: Mapping[str, str] = data["hint_alias"]
        self._check()

    def _check(self) -> None:
        wanted = {*(step.value for step in KioskStep), *KIOSK_PHRASES}
        missing = sorted(wanted - self._kiosk.keys())
        tables = {"kiosk": self._kiosk, "hint": self._hints}
        for table, phrases in tables.items():
            for phrase, sentences in phrases.items():
                missing += [
                    f"{table}.{phrase}.{language}" for language in self.languages if not sentences.get(language)
                ]
        if missing:
            raise ValueError(f"texts.toml lacks {', '.join(missing)}")

    def language_of(self, issuer: str | None) -> str:
        """The language in which to speak to the holder of a document of that issuing State; English when it is not known."""
        return self._issuers.get(issuer or "", "en")

    def language_name(self, language: str) -> str:
        return str(self._names[language])

    def is_right_to_left(self, language: str) -> bool:
        return language in self._right_to_left

    def kiosk(self, phrase: str, language: str) -> str:
        """A sentence of the kiosk: a step's value or one of :data:`KIOSK_PHRASES`."""
        return self._kiosk[phrase][language]

    def hint_name(self, code: str | None) -> str | None:
        """Our name of a hint code, or None for one that is not known."""
        name = self._hint_alias.get(code or "", code or "")
        return name if name in self._hints else None

    def hint(self, name: str, language: str) -> str:
        """The sentence of a hint of :meth:`hint_name`."""
        return self._hints[name][language]


@cache
def load_texts() -> Texts:
    """The texts that come with the console."""
    source = resources.files("gate.console") / "texts.toml"
    return Texts(tomllib.loads(source.read_text(encoding="utf-8")))
