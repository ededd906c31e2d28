"""Set the face threshold in a site's file, and leave every other line of it as somebody wrote it."""

import re
import tomllib
from pathlib import Path

from config.loader import load_site, parse_site
from gate.errors import GateError


def with_face_threshold(path: Path, threshold: float, evidence: str) -> str:
    """Return the text of the site's file with ``policy.face_threshold`` set (4 decimals) and ``evidence`` as its comment.

    Raises ConfigError if the file is no site's, GateError if it is written so that the line cannot be set safely.
    """
    load_site(path)
    text = path.read_text(encoding="utf-8")
    line = f"face_threshold = {threshold:.4f} # {evidence}"
    section = re.search(r"^\[policy\][^\n]*(?:\n(?!\[)[^\n]*)*", text, re.MULTILINE)
    if section is None:
        changed = f"{text.rstrip()}\n\n[policy]\n{line}\n"
    else:
        body, count = re.subn(r"^face_threshold[ \t]*=.*$", lambda _: line, section[0], count=1, flags=re.MULTILINE)
        if count == 0:
            head, _, rest = section[0].partition("\n")
            body = f"{head}\n{line}\n{rest}"
        changed = text[: section.start()] + body + text[section.end() :]
    _check(path, text, changed, float(f"{threshold:.4f}"))
    return changed


def _check(path: Path, before: str, after: str, threshold: float) -> None:
    """Nothing but the threshold may have changed."""
    expected = tomllib.loads(before)
    expected.setdefault("policy", {})["face_threshold"] = threshold
    try:
        is_right = tomllib.loads(after) == expected
    except tomllib.TOMLDecodeError:
        is_right = False
    if not is_right:
        raise GateError(f"{path} is written in an unusual way; set policy.face_threshold = {threshold} by hand")
    parse_site(expected, origin=str(path))
