"""What a hub signs about its watchlist, so that a lane can tell what the list was, and when that was last true.

A statement names files by their SHA-256; it is small, so that a lane can ask for a new one every few seconds. Its time is what
ages: a list that nobody has spoken for within ``max_age_s`` is no list any more, whatever its files say.
"""

from typing import Annotated

from pydantic import Field, ValidationError

from gate.wire.messages import Message, Sha256
from gate.wire.signing import Refused, SigningKey, Verifier

WATCHLIST_TYPE = "tongguan-watchlist+jws"
PartName = Annotated[str, Field(pattern=r"^[a-z][a-z_]*(\.[a-z_]+)?\.(npy|json|jsonl)$", max_length=64)]


class WatchPart(Message):
    """A file: its name in the base's folder, its SHA-256, its length in bytes."""

    name: PartName
    sha256: Sha256
    size: int = Field(ge=0, le=1 << 40)


class WatchStatement(Message):
    """The list as of ``as_of_ms`` (the hub's clock, Unix milliseconds): the files of its base, and one of what changed since.

    ``number`` counts changes: a statement with a smaller one is of the past.
    """

    port: str
    number: int = Field(ge=0)
    as_of_ms: int = Field(ge=0)
    max_age_s: int = Field(ge=1)
    base: list[WatchPart] = Field(max_length=64)
    changes: WatchPart | None = None


def sign_watch_statement(key: SigningKey, statement: WatchStatement) -> str:
    """The signed form (compact JWS)."""
    return key.sign(statement.model_dump(mode="json", exclude_none=True), WATCHLIST_TYPE)


def verify_watch_statement(verifier: Verifier, token: str | bytes, *, port: str) -> WatchStatement | Refused:
    """The statement, when it is well signed and of this port; never raises."""
    checked = verifier.claims(token, WATCHLIST_TYPE)
    if isinstance(checked, Refused):
        return checked
    try:
        statement = WatchStatement.model_validate(checked[1])
    except ValidationError:
        return Refused(reason="malformed")
    return statement if statement.port == port else Refused(reason="not_of_this_port")
