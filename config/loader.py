"""Reading and writing site files, with errors that name the file and the key."""

import tomllib
from importlib import resources
from pathlib import Path
from typing import Any

import tomli_w
from pydantic import ValidationError

from config.errors import ConfigError
from config.schema import Site


def load_site(path: Path) -> Site:
    """The site in ``path``. A relative ``state_dir`` is taken from the working folder. Raises ConfigError with one sentence."""
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ConfigError(
            f"the site file {path} does not exist: pass one with --site (examples are in {sites_dir()})"
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(
            f"the site file {path} cannot be read ({error}): check the path and its permissions"
        ) from None
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"the site file {path} is not valid TOML ({error}): mend that line") from None
    return parse_site(data, origin=str(path))


def parse_site(data: dict[str, Any], *, origin: str) -> Site:
    """The site in ``data``. ``origin`` names it in errors."""
    try:
        return Site.model_validate(data)
    except ValidationError as error:
        raise ConfigError(f"{origin}: {_first_problem(error)}") from None


def dump_site(site: Site, path: Path) -> None:
    """Write ``site`` as TOML, so that :func:`load_site` gives it back."""
    data = site.model_dump(mode="json", by_alias=True, exclude_none=True)
    path.write_text(tomli_w.dumps(data), encoding="utf-8")


def sites_dir() -> Path:
    """The folder of the sites that come with the product."""
    return Path(str(resources.files("config") / "sites"))


def _first_problem(error: ValidationError) -> str:
    problems = error.errors(include_url=False, include_context=False)
    first = problems[0]
    key = ".".join(str(part) for part in first["loc"]) or "the file as a whole"
    message = first["msg"].removeprefix("Value error, ")
    if first["type"] == "extra_forbidden":
        message = "there is no such key; check its spelling and its section"
    more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
    return f"{key}: {message[0].lower()}{message[1:]}{more}"
