"""Which language each officer has chosen. Kept in the state folder, so that a choice outlives the console's process."""

import json
import os
from pathlib import Path

import structlog

from gate.console.i18n import LANGUAGES

_log = structlog.get_logger(__name__)


class ChosenLanguages:
    """By account. Use on one event loop only; of several consoles with one state folder the last choice counts at the next start."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._chosen = _read(file)

    def of(self, user: str) -> str | None:
        """One of :data:`LANGUAGES`, or None when the officer has not chosen."""
        return self._chosen.get(user)

    def choose(self, user: str, language: str) -> None:
        """Remember it. A language that is none of ours is not taken. A disk that is full costs the memory of it, not the screen."""
        if language not in LANGUAGES or self._chosen.get(user) == language:
            return
        self._chosen = {**self._chosen, user: language}
        try:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            fresh = self._file.with_suffix(".new")
            fresh.write_text(json.dumps(self._chosen, sort_keys=True, indent=1), encoding="utf-8")
            os.replace(fresh, self._file)
        except OSError as error:
            _log.warning("languages_not_kept", file=str(self._file), error=str(error))


def _read(file: Path) -> dict[str, str]:
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        _log.warning("languages_not_read", file=str(file), error=str(error))
        return {}
    if not isinstance(found, dict):
        return {}
    return {str(user): language for user, language in found.items() if language in LANGUAGES}
