"""Turnstiles that offer a relay to open and a contact that somebody has passed, and nothing else."""

from drivers.relay.interface import (
    Passed,
    PassedUnasked,
    Turnstile,
    TurnstileEvent,
    TurnstileFault,
    TurnstileReady,
    TurnstileResult,
    Unused,
)

__all__ = [
    "Passed",
    "PassedUnasked",
    "Turnstile",
    "TurnstileEvent",
    "TurnstileFault",
    "TurnstileReady",
    "TurnstileResult",
    "Unused",
]
