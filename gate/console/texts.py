"""The sentences of the screens, read from ``texts.toml`` once and checked whole."""

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import Any

from gate.console.hub_models import FindingView
from gate.core.evidence import Outcome
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

_PLAIN_OUTCOME = {
    Outcome.PASS: "fine",
    Outcome.INFO: "noted",
    Outcome.REFER: "must be looked at",
    Outcome.NOT_CHECKED: "could not be checked",
}


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
        self._findings: Mapping[str, Mapping[str, str]] = data["finding"]
        self._verdicts: Mapping[str, str] = data["verdict"]
        self._history: Mapping[str, str] = data["history"]
        self._outcomes: Mapping[str, str] = data["outcome"]
        self.send_back_reasons: Mapping[str, str] = data["send_back_reasons"]
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

    def finding(self, finding: FindingView) -> str:
        """What a finding says, in plain words."""
        parts = finding.code.split(".")
        for length in range(len(parts), 0, -1):
            sentences = self._findings.get(".".join(parts[:length]), {})
            if finding.outcome.value in sentences:
                return sentences[finding.outcome.value]
        words = finding.code.replace(".", " · ").replace("_", " ")
        return f"{words[:1].upper()}{words[1:]}: {_PLAIN_OUTCOME[finding.outcome]}"

    def verdict(self, kind: str) -> str:
        return self._verdicts.get(kind, kind.replace("_", " "))

    def history(self, what: str, detail: str) -> str:
        """One line of a case's history: what happened, with finding codes in plain words."""
        words = [self._reason(word) if "." in word else word.replace("_", " ") for word in detail.split()]
        plain = " ".join(word for word in words if word)
        title = self._history.get(what, what.replace(".", " ").replace("_", " "))
        return f"{title}: {plain}" if plain else title

    def _reason(self, code: str) -> str:
        sentences = self._findings.get(code, {})
        sentence = sentences.get("refer") or code.replace(".", " ").replace("_", " ")
        return f"· {sentence[:1].lower()}{sentence[1:]}"

    def outcome(self, outcome: str) -> str:
        return self._outcomes.get(outcome, outcome.replace("_", " "))


@cache
def load_texts() -> Texts:
    """The texts that come with the console."""
    source = resources.files("gate.console") / "texts.toml"
    return Texts(tomllib.loads(source.read_text(encoding="utf-8")))
