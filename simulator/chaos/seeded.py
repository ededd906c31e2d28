"""What a process draws by lot, drawn by a seed instead."""

import contextlib
import random
import secrets
from collections.abc import Iterator
from functools import partial


@contextlib.contextmanager
def seeded_secrets(seed: str) -> Iterator[None]:
    """Identities and sessions by the seed instead of by lot, so that a shift can be played again to the byte."""
    rng = random.Random(f"secrets {seed}")
    before = secrets.token_hex, secrets.randbelow, secrets.choice
    secrets.token_hex = lambda nbytes=None: rng.randbytes(nbytes or 32).hex()
    secrets.randbelow = partial(rng.randrange, 0)
    secrets.choice = rng.choice
    try:
        yield
    finally:
        secrets.token_hex, secrets.randbelow, secrets.choice = before
