"""What one officer alone may not do: two different officers, on the same evidence, within a time. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass

from gate.core.joint_release import CONSENT_WINDOW_MS


@dataclass(frozen=True, slots=True, kw_only=True)
class Consent:
    """One officer's word for an act on a case. ``number`` orders the words of a case."""

    author: str
    role: str
    evidence_digest: str
    at_ms: int
    number: int
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """Two words that together are enough."""

    first: Consent
    second: Consent


def agreement(words: Iterable[Consent], *, window_ms: int = CONSENT_WINDOW_MS) -> Agreement | None:
    """The newest two words of different officers on one digest, at most ``window_ms`` apart; each word serves one agreement.

    None when the last word stands alone: it still waits for a second.
    """
    waiting: list[Consent] = []
    found: Agreement | None = None
    for word in sorted(words, key=lambda item: item.number):
        first = next(
            (
                item
                for item in reversed(waiting)
                if item.author != word.author
                and item.evidence_digest == word.evidence_digest
                and abs(word.at_ms - item.at_ms) <= window_ms
            ),
            None,
        )
        found = None
        if first is None:
            waiting.append(word)
        else:
            waiting.clear()
            found = Agreement(first=first, second=word)
    return found
