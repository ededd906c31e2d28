"""``gate eval pad``: how often pictures of people pass for people, on presentations of one's own (terms of ISO/IEC 30107-3:2023)."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gate.cli.pad_rates import LIVE, PICTURES, Judged, Presentation, in_words, signal_names, species_of, summary
from gate.cli.read import load_image
from gate.errors import GateError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from models.face import FaceDetector
    from models.pad.frame import PadSignal

VIDEOS = frozenset({".mp4", ".avi", ".mov", ".mkv", ".mjpg", ".webm"})
_MARGIN_RATIO = 0.4

_Json = Annotated[bool, typer.Option("--json", help="One JSON object on standard output.")]


def add_to(group: typer.Typer) -> None:
    """Add the command to the group ``gate eval``."""
    group.command("pad")(pad)


def pad(
    live: Annotated[Path, typer.Option(help="Folder of live presentations: pictures, videos, folders of frames.")],
    attack: Annotated[Path, typer.Option(help="Folder of attacks; each folder in it is a species.")],
    as_json: _Json = False,
    frames_per_s: Annotated[float, typer.Option(help="Of folders of frames.", min=1, max=240)] = 15.0,
    texture: Annotated[str | None, typer.Option(help="A texture model of the manifest to judge as well.")] = None,
    det: Annotated[Path | None, typer.Option(help="Draw the error trade-off curve into this PNG.")] = None,
    calibrate: Annotated[Path | None, typer.Option(help="Fit the signals here and write them to this TOML.")] = None,
    described_as: Annotated[str | None, typer.Option(help="What the set is, for the calibration file.")] = None,
) -> None:
    """APCER of each attack species (worst first) and BPCER, of every signal alone and of all together, with 95 % bounds.

    Single pictures feed only the signals that need one picture; videos and folders of frames feed all. Sequences are judged by the
    lane's rule: accepted is what is surely live. Where there are only pictures, which that rule never accepts, the still signals are
    fitted on one half of the set and their sum judged on the other, and the other way round: what calibrating here would give.
    """
    presentations = [*find_live(live), *find_attacks(attack)]
    judged = judge_all(presentations, frames_per_s=frames_per_s, texture=texture)
    report = summary(judged)
    if det is not None:
        _draw(det, judged)
    if calibrate is not None:
        _calibrate(calibrate, judged, described_as or f"{live} and {attack}")
    typer.echo(json.dumps(report) if as_json else in_words(report))


def find_live(folder: Path) -> list[Presentation]:
    """The live presentations below ``folder``. GateError when there are none."""
    found = [Presentation(path=path, species=LIVE) for path in _entries(folder)]
    if not found:
        raise GateError(
            f"{folder} holds no pictures, videos or folders of frames; give the folder of live presentations"
        )
    return found


def find_attacks(folder: Path) -> list[Presentation]:
    """The attacks below ``folder``, by species: each folder of pictures, or of folders, is one; pictures right in it are of its name."""
    direct = [path for path in _entries(folder) if path.is_file()]
    found = [Presentation(path=path, species=folder.name) for path in direct]
    for species in (path for path in _entries(folder) if path.is_dir()):
        found += [Presentation(path=path, species=species.name) for path in _entries(species)]
    if not found:
        raise GateError(f"{folder} holds no attacks; give a folder with one folder for each species")
    return found


def _entries(folder: Path) -> list[Path]:
    try:
        return sorted(path for path in folder.iterdir() if path.is_dir() or path.suffix.lower() in PICTURES | VIDEOS)
    except OSError as error:
        raise GateError(f"{folder} cannot be opened ({error.strerror}); give the path of a folder") from error


def judge_all(
    presentations: Sequence[Presentation], *, frames_per_s: float, texture: str | None = None
) -> list[Judged]:
    """Feed every presentation to the signals. ModelError when a model is not prepared, GateError for an unreadable picture."""
    import cv2

    from models.face import FaceDetector
    from models.manifest import FACE_DETECTOR
    from models.pad.watch import motion_signals, still_signals
    from models.session import ModelSession
    from models.store import ModelStore

    cv2.setNumThreads(1)
    store = ModelStore()
    detector = FaceDetector(ModelSession(store, FACE_DETECTOR, threads=1))
    still = [*still_signals(), *_texture_signals(store, texture)]
    moving = [*motion_signals(), *_expression_signals(store), *still]
    return [
        _judge(item, detector, still if item.is_still else moving, frames_per_s)
        for item in _with_progress(presentations)
    ]


def _texture_signals(store: Any, texture: str | None) -> list[PadSignal]:
    if texture is None:
        return []
    from models.pad.texture_model import TextureModelSignal
    from models.session import ModelSession

    return [TextureModelSignal(ModelSession(store, texture, threads=1))]


def _expression_signals(store: Any) -> list[PadSignal]:
    from models.face.eyes import EyeMesh
    from models.face.mesh import FaceMesh
    from models.manifest import EYE_MESH, FACE_MESH
    from models.pad.expression import ExpressionSignal
    from models.session import ModelSession

    mesh, eyes = (ModelSession(store, name, threads=1) for name in (FACE_MESH, EYE_MESH))
    return [ExpressionSignal(FaceMesh(mesh), EyeMesh(eyes))]


def _judge(item: Presentation, detector: FaceDetector, signals: Sequence[PadSignal], frames_per_s: float) -> Judged:
    from models.pad.watch import PadWatch

    watch = PadWatch(signals)
    watch.reset()
    seen = 0
    for image, at_ns in frames_of(item.path, frames_per_s):
        faces, shown = detector.detect(image), image
        if not faces and item.is_still:
            shown = with_margin(image)
            faces = detector.detect(shown)
        if faces:
            seen += 1
            watch.feed(shown, faces[0], at_ns)
    return Judged(presentation=item, scores=watch.scores, result=watch.judge() if seen else None)


def frames_of(path: Path, frames_per_s: float) -> Iterator[tuple[NDArray[np.uint8], int]]:
    """The frames of a presentation (uint8 BGR) with their times in nanoseconds. GateError for what cannot be read."""
    import cv2
    import numpy as np

    if path.is_dir():
        files = sorted(file for file in path.iterdir() if file.suffix.lower() in PICTURES)
        if not files:
            raise GateError(f"{path} holds no frames; put the pictures of one presentation into each folder")
        for i, file in enumerate(files):
            yield load_image(file), round(i * 1e9 / frames_per_s)
    elif path.suffix.lower() in PICTURES:
        yield load_image(path), 0
    else:
        video = cv2.VideoCapture(str(path))
        rate = video.get(cv2.CAP_PROP_FPS) or frames_per_s
        count = 0
        try:
            while video.grab():
                yield video.retrieve()[1].astype(np.uint8, copy=False), round(count * 1e9 / rate)
                count += 1
        finally:
            video.release()
        if count == 0:
            raise GateError(f"{path} is not a video that can be read; give an MP4, AVI or MOV file")


def with_margin(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """A tight crop with its edge drawn out, so that the detector sees a whole head."""
    import cv2
    import numpy as np

    margin = round(_MARGIN_RATIO * max(image.shape[:2]))
    wide = cv2.copyMakeBorder(image, margin, margin, margin, margin, cv2.BORDER_REPLICATE)
    return wide.astype(np.uint8, copy=False)


def _draw(path: Path, judged: Sequence[Judged]) -> None:
    import cv2
    import numpy as np

    from models.face.det_curve import draw_det
    from models.face.rates import ScoreCounts

    curves = {}
    for species in species_of(judged):
        live, attacks = ScoreCounts(), ScoreCounts()
        for item in judged:
            if item.result is not None and item.presentation.species in (LIVE, species):
                squashed = np.tanh(np.array([item.result.llr / 8], np.float32))
                (live if item.presentation.species == LIVE else attacks).add(squashed)
        curves[species] = live, attacks
    try:
        picture = draw_det(curves, across="APCER", up="BPCER")
    except ValueError as error:
        raise GateError(f"{path} was not drawn: {error}") from error
    _, data = cv2.imencode(".png", picture)
    _write(path, data.tobytes())


def _calibrate(path: Path, judged: Sequence[Judged], described_as: str) -> None:
    import numpy as np
    import tomli_w

    from models.pad.fusion import default_calibration, fit

    told = [item for item in judged if item.result is not None]
    before = default_calibration()
    fitted = {}
    for name in signal_names(told):
        pairs = [(item.presentation.species, item.scores.get(name)) for item in told]
        live = np.array([score for species, score in pairs if species == LIVE and score is not None], np.float64)
        attacks = np.array([score for species, score in pairs if species != LIVE and score is not None], np.float64)
        known = before.signal.get(name)
        try:
            new = fit(live, attacks, shows_life=known.shows_life if known else False, measured_on=described_as)
        except ValueError as error:
            print(f"{name} is left as it was: {error}", file=sys.stderr)
            if known is None:
                continue
            new = known
        fitted[name] = new.model_dump()
    document = {"limits": before.limits.model_dump(), "signal": fitted}
    _write(path, tomli_w.dumps(document).encode())


def _write(path: Path, data: bytes) -> None:
    try:
        path.write_bytes(data)
    except OSError as error:
        raise GateError(f"{path} cannot be written ({error.strerror}); name a file in a writable folder") from error


def _with_progress(presentations: Sequence[Presentation]) -> Iterable[Presentation]:
    from rich.console import Console
    from rich.progress import track

    console = Console(stderr=True)
    yield from track(presentations, "Judging", console=console, disable=not console.is_terminal)
