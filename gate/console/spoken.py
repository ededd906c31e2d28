"""What the hub says of a case, in the officer's language. A code that no catalogue knows is shown as itself, never dropped."""

import re

from config.reasons import Reasons
from config.schema import Role, Site
from gate.console.hub_client import Refusal
from gate.console.hub_models import Case, FindingView, HistoryLine
from gate.console.i18n import Words

_CODE = re.compile(r"[a-z_]+(?:\.[a-z_0-9]+)+")
_REASON = re.compile(r"([a-z0-9][a-z0-9-]{0,62})(?:: (.*))?", re.DOTALL)


def role_title(site: Site, role_id: str, words: Words) -> str:
    """What a role is called in that language."""
    role = next((role for role in site.roles if role.id == role_id), None)
    if role is None:
        return words.get(f"role.{role_id}") or role_id
    return title_of(role, words)


def title_of(role: Role, words: Words) -> str:
    return role.title_zh if words.language.startswith("zh") and role.title_zh else role.title


def finding_words(finding: FindingView, words: Words) -> str:
    """What a finding says, in plain words: the longest code that is known, cut at the dots."""
    parts = finding.code.split(".")
    for length in range(len(parts), 0, -1):
        sentence = words.get(f"finding.{'.'.join(parts[:length])}/{finding.outcome.value}")
        if sentence is not None:
            return sentence
    return words(
        "finding.unknown", code=as_words(finding.code), outcome=words(f"finding.outcome.{finding.outcome.value}")
    )


def as_words(code: str) -> str:
    """A code that nobody translated, at least without its signs."""
    plain = code.replace(".", " · ").replace("_", " ")
    return f"{plain[:1].upper()}{plain[1:]}"


def verdict_words(kind: str, words: Words) -> str:
    return words.get(f"verdict.{kind}") or kind.replace("_", " ")


def outcome_words(outcome: str, words: Words) -> str:
    return words.get(f"outcome.{outcome}") or outcome.replace("_", " ")


def reason_title(name: str, words: Words, reasons: Reasons) -> str:
    """What a reason of the lists is called."""
    own = reasons.title.get(name)
    if own is not None:
        return own.zh_CN if words.language.startswith("zh") else own.en
    return words.get(f"reason.{name}") or name


def reason_words(kept: str, words: Words, reasons: Reasons) -> str:
    """A reason as the hub keeps it (``name`` or ``name: what the officer wrote``); other text stays as it is."""
    match = _REASON.fullmatch(kept)
    if match is None:
        return kept
    name, note = match.groups()
    if name not in reasons.title and words.get(f"reason.{name}") is None:
        return kept
    title = reason_title(name, words, reasons)
    return words("reason.with_note", reason=title, note=note) if note else title


def history_words(line: HistoryLine, words: Words, site: Site) -> str:
    """One line of a case's history: what happened, with codes and reasons in plain words."""
    title = words.get(f"history.{line.what}") or line.what.replace(".", " ").replace("_", " ")
    detail = _history_detail(line, words, site)
    return words("history.line", what=title, detail=detail) if detail else title


def _history_detail(line: HistoryLine, words: Words, site: Site) -> str:
    spoken = line.what.startswith(("verdict.", "consent.", "inspection."))
    head, _, rest = line.detail.partition(" ")
    roles = {role.id for role in site.roles} | {"supervisor"}
    if spoken and head in roles:
        parts = [role_title(site, head, words)]
        if line.what == "inspection.result":
            outcome, _, rest = rest.partition(" ")
            parts.append(words.get(f"inspection.outcome.{outcome}") or outcome)
        parts.append(reason_words(rest, words, site.reasons))
        return " · ".join(part for part in parts if part)
    if line.what.endswith(".issued"):
        return reason_words(line.detail, words, site.reasons)
    return " ".join(_detail_word(word, words) for word in line.detail.split())


def _detail_word(word: str, words: Words) -> str:
    if _CODE.fullmatch(word):
        sentence = words.get(f"finding.{word}/refer") or as_words(word)
        return f"· {sentence[:1].lower()}{sentence[1:]}"
    return words.get(f"history.detail.{word}") or word.replace("_", " ")


def standing_of(case: Case, words: Words) -> str:
    """How a case that is no longer open stands."""
    if case.status == "closed":
        return words("case.over", outcome=outcome_words(case.outcome, words)) if case.outcome else words("case.closed")
    return words("case.released")


def refusal_words(refusal: Refusal, words: Words) -> str:
    """Why the hub did not take it."""
    known = words.get(f"refused.{refusal.kind}")
    if known is not None:
        return known
    if refusal.status == 403:
        return words("refused.wrong_role")
    detail = refusal.detail.rstrip(".")
    return words("said.refused", detail=detail) if detail else words("said.refused_plain")
