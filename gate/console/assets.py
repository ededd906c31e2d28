"""Our own files, as browsers get them."""

from importlib import resources
from pathlib import Path

from nicegui import app as pages


def serve(name: str) -> str:
    """The address of one of our own files, which changes with its content, so that no browser shows an old one."""
    file = Path(str(resources.files("gate.console") / name))
    stamp = f"{file.stat().st_mtime_ns:x}-{file.stat().st_size:x}"
    return pages.add_static_file(local_file=file, url_path=f"/console-assets/{stamp}/{name}")
