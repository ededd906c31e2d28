"""``python -m simulator.pad_render FOLDER [EACH [SEED]]``: presentations as folders of frames, as ``gate eval pad`` reads them.

Writes ``FOLDER/live`` and ``FOLDER/attack/SPECIES``, EACH of every kind (default 8), half of them with a walk up to the camera. The
same seed gives the same pictures; the shipped calibration was fitted with other seeds than it is reported with.
"""

import sys
from pathlib import Path

import numpy as np

from simulator.images import encode
from simulator.pad_sequences import present
from simulator.pad_species import Species
from simulator.photos import PhotoError, PhotoLibrary

FRAMES_PER_S = 12.0
SECONDS = 2.2
WALK_S = 1.2


def render(folder: Path, *, each: int, seed: int) -> int:
    """Render ``each`` presentations of every kind; returns how many. PhotoError when the photographs are not fetched."""
    photos = [photo for person in PhotoLibrary().people() for photo in person.photos]
    count = 0
    for kind, species in enumerate(Species):
        parent = folder / "live" if species is Species.LIVE else folder / "attack" / species
        for number in range(each):
            rng = np.random.default_rng([seed, kind, number])
            frames = present(
                species,
                photos[number % len(photos)],
                rng=rng,
                seconds=SECONDS,
                frames_per_s=FRAMES_PER_S,
                walk_s=WALK_S if number % 2 else 0.0,
                wearer=photos[(3 * number + 1) % len(photos)],
            )
            place = parent / f"{number:03}"
            place.mkdir(parents=True, exist_ok=True)
            for i, frame in enumerate(frames):
                (place / f"{i:03}.jpg").write_bytes(encode(frame.image_bgr, quality=95))
            count += 1
    return count


def main(arguments: list[str]) -> int:
    """The exit code."""
    if not 1 <= len(arguments) <= 3 or not all(text.isdecimal() for text in arguments[1:]):
        print("usage: python -m simulator.pad_render FOLDER [EACH [SEED]]", file=sys.stderr)
        return 2
    each = int(arguments[1]) if len(arguments) > 1 else 8
    seed = int(arguments[2]) if len(arguments) > 2 else 1
    try:
        count = render(Path(arguments[0]), each=each, seed=seed)
    except (PhotoError, OSError) as error:
        print(error, file=sys.stderr)
        return 2
    print(f"{count} presentations are in {arguments[0]}", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
