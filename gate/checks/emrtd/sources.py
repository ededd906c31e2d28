"""Trust stores and files to import, by the paths that a person names: a store, a file of any kind, or a folder of such files."""

from collections.abc import Iterable
from datetime import datetime
from pathlib import Path

from gate.checks.emrtd.faults import ChipFault
from gate.checks.emrtd.importing import ImportReport, import_files
from gate.checks.emrtd.store import TrustStore, merged
from gate.checks.emrtd.store_file import looks_like_store, read_store

_SUFFIXES = frozenset({".ml", ".ldif", ".der", ".cer", ".crt", ".pem", ".crl", ".toml", ".json", ".bin", ".p7b"})


def gather(
    paths: Iterable[Path],
    now: datetime,
    *,
    store: TrustStore | None = None,
    needs_anchor: bool = False,
    keeps_signers: bool = True,
) -> ImportReport:
    """Return what the files at ``paths`` add to ``store``. Raises ChipFault for a path that cannot be read or is nothing of use."""
    start = store or TrustStore()
    files: list[tuple[str, bytes]] = []
    for path in paths:
        for file in _files(path):
            data = read_path(file)
            if looks_like_store(data):
                other = read_store(data, str(file))
                start = merged(
                    start,
                    certificates=other.certificates,
                    signers=other.signers,
                    lists=other.revocation_lists,
                    deviations=other.deviations,
                )
            else:
                files.append((file.name, data))
    return import_files(files, start, now, needs_anchor=needs_anchor, keeps_signers=keeps_signers)


def read_path(path: Path) -> bytes:
    """Return a file's octets. Raises ChipFault, naming it."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise ChipFault(f"{path} cannot be read ({error.strerror}); check the path") from None


def _files(path: Path) -> list[Path]:
    if not path.is_dir():
        return [path]
    found = sorted(item for item in path.iterdir() if item.is_file() and item.suffix.lower() in _SUFFIXES)
    if not found:
        raise ChipFault(
            f"the folder {path} holds no certificates or lists ({', '.join(sorted(_SUFFIXES))}); check the path"
        )
    return found
