"""What all sections of a site file share."""

import re
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict


def _check_name(name: str) -> str:
    if re.fullmatch(r"[a-z0-9][a-z0-9-]{0,62}", name) is None or name == "case":
        raise ValueError("use lower-case letters, digits and hyphens (at most 63), and not the word 'case'")
    return name


Name = Annotated[str, AfterValidator(_check_name)]
LOOPBACK_HOSTS = frozenset({"127.0.0.1", "localhost", "::1"})


class Section(BaseModel):
    """Immutable and strict about keys."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)
