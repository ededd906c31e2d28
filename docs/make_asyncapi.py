"""Writes docs/protocols/asyncapi.json anew: ``python docs/make_asyncapi.py``."""

import json
from pathlib import Path

from gate.wire.asyncapi import document

PAGE = Path(__file__).parent / "protocols" / "asyncapi.json"


def text() -> str:
    return json.dumps(document(), indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    PAGE.write_text(text(), encoding="utf-8")
