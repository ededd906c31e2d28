"""Codes that a traveller shows, against the document on the reader: facts for :mod:`gate.core.travel_findings`."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from joserfc.errors import JoseError
from joserfc.jwk import OKPKey

from gate.checks.bcbp import BcbpReason, BcbpRefusal, BoardingPass, flight_date, parse_bcbp
from gate.checks.health_qr import PREFIX, HealthDeclaration, HealthReason, HealthRefusal, document_name, verify_health
from gate.checks.names import name_similarity
from gate.core.travel_findings import HealthFacts, HealthVerdict, PassFacts
from gate.errors import GateError

_TITLE = re.compile(r"(?:MRS|MSTR|MISS|MR|MS|DR|CHD|INF)$")
"""Airlines glue a title to the given names (IATA Resolution 792, item 11)."""

_NAME_ROOM = 20
"""Characters of a name on a pass."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Holder:
    """Whose document lies on the reader, as the MRZ says."""

    surname: str
    given_names: str
    issuer: str
    document_number: str


def is_travel_code(text: str) -> bool:
    """Whether a code is one of these at all; an advertisement is not."""
    if text.startswith(PREFIX):
        return True
    found = parse_bcbp(text)
    return isinstance(found, BoardingPass) or found.reason is not BcbpReason.NOT_BCBP


def boarding_passes(texts: Iterable[str]) -> list[BoardingPass | BcbpRefusal]:
    """Those of the texts that begin like a boarding pass."""
    found = [parse_bcbp(text) for text in texts if not text.startswith(PREFIX)]
    return [item for item in found if isinstance(item, BoardingPass) or item.reason is not BcbpReason.NOT_BCBP]


def judge_passes(texts: Iterable[str], holder: Holder, *, today: date) -> PassFacts | None:
    """The pass that fits the holder best; None when none was shown."""
    found = boarding_passes(texts)
    facts = [_pass_facts(item, holder, today=today) for item in found if isinstance(item, BoardingPass)]
    if facts:
        return max(facts, key=lambda item: item.name_ratio)
    refusals = [item for item in found if isinstance(item, BcbpRefusal)]
    # Not the detail, which quotes what is printed: findings travel in clear.
    return PassFacts(refusal=f"no boarding pass: {refusals[0].reason.value}") if refusals else None


def judge_health(
    texts: Iterable[str], holder: Holder, keys: Mapping[str, OKPKey], *, now_s: float
) -> HealthFacts | None:
    """The declaration that says most for the holder; None when none was shown. ``now_s``: seconds since 1970."""
    document = document_name(holder.issuer, holder.document_number)
    found = [verify_health(text, keys, document=document, now_s=now_s) for text in texts if text.startswith(PREFIX)]
    declared = [item for item in found if isinstance(item, HealthDeclaration)]
    if declared:
        # Two good ones that differ: what asks for an officer counts.
        is_clear = all(item.is_clear for item in declared)
        return HealthFacts(verdict=HealthVerdict.CLEAR if is_clear else HealthVerdict.DECLARED)
    for item in found:
        if isinstance(item, HealthRefusal):
            is_unknown = item.reason is HealthReason.UNKNOWN_KEY
            verdict = HealthVerdict.UNKNOWN_KEY if is_unknown else HealthVerdict.REFUSED
            return HealthFacts(verdict=verdict, reason=item.reason.value)
    return None


def bag_tags(texts: Iterable[str]) -> tuple[str, ...]:
    """Of all boarding passes shown."""
    passes = (item for item in boarding_passes(texts) if isinstance(item, BoardingPass))
    return tuple(dict.fromkeys(tag for item in passes for tag in item.bag_tags))


def name_ratio(boarding_pass: BoardingPass, holder: Holder) -> float:
    """0..1, how alike the pass's name and the document's are; a name that the pass cuts short is compared as far as it goes."""
    surname = name_similarity(holder.surname, boarding_pass.surname, is_truncated=len(boarding_pass.name) >= _NAME_ROOM)
    given = boarding_pass.given_names
    if not given or not holder.given_names:
        return surname
    # Apart from the surname, which the whole family has.
    spellings = {given, _TITLE.sub("", given.replace(" ", "")) or given}
    return min(surname, max(name_similarity(holder.given_names, item, is_truncated=True) for item in spellings))


def _pass_facts(boarding_pass: BoardingPass, holder: Holder, *, today: date) -> PassFacts:
    days = [(day - today).days for leg in boarding_pass.legs if (day := flight_date(leg, today)) is not None]
    return PassFacts(name_ratio=round(name_ratio(boarding_pass, holder), 4), days_off=min(days, key=abs, default=None))


def load_authority_keys(folder: Path) -> dict[str, OKPKey]:
    """The health authorities' public keys by key id, from the ``*.pem`` files of a folder. GateError names the file and the remedy."""
    try:
        files = sorted(path for path in folder.iterdir() if path.suffix == ".pem")
    except OSError as error:
        raise GateError(
            f"the folder of health authorities' keys {folder} cannot be read ({error.strerror}): make it, or set "
            "health_authority_keys_dir"
        ) from None
    return {key.thumbprint(): key for key in map(_load_key, files)}


def _load_key(path: Path) -> OKPKey:
    try:
        text = path.read_text(encoding="ascii")
        key = OKPKey.import_key(text)
        is_good = key.curve_name == "Ed25519" and not key.is_private
    except (OSError, UnicodeDecodeError, JoseError, ValueError) as error:
        raise GateError(
            f"{path} holds no public key ({type(error).__name__}): put an Ed25519 key in PEM there"
        ) from None
    if not is_good:
        raise GateError(
            f"{path} is not a public Ed25519 key: put the authority's public key in PEM there, never a private one"
        )
    return key
