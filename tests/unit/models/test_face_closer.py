"""The closer look: what covers a face, closes its eyes or turns it is noticed, and what people wear every day is not."""

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from models.face import CloserLook, EyeMesh, Face, FaceDetector, FaceMesh, Hint, Mesh, assess
from models.face.expression import measure_expression
from models.face.mesh import INNER_LIPS, LEFT_EYE, OVAL, RIGHT_EYE
from models.face.pose import head_pose
from models.manifest import EYE_MESH, FACE_MESH
from models.session import ModelSession
from models.store import ModelStore
from simulator.photos import PersonPhotos

Draw = Callable[[np.ndarray, Mesh], np.ndarray]

# From the root of the nose over the cheeks to the jaw.
_MASK_EDGE = (
    *(195, 126, 101, 118, 50, 123, 93, 132, 58, 172, 136, 150, 149, 176, 148),
    *(152, 377, 400, 378, 379, 365, 397, 288, 361, 323, 352, 280, 347, 330, 355),
)


@pytest.fixture(scope="module")
def face_mesh(store: ModelStore) -> FaceMesh:
    return FaceMesh(ModelSession(store, FACE_MESH))


@pytest.fixture(scope="module")
def closer(store: ModelStore, face_mesh: FaceMesh) -> CloserLook:
    return CloserLook(face_mesh, EyeMesh(ModelSession(store, EYE_MESH)))


def filled(image: np.ndarray, outline: np.ndarray, colour: tuple[int, int, int]) -> np.ndarray:
    """The outline filled with a colour that keeps some of the light that fell on the face."""
    inside = np.zeros(image.shape[:2], np.float32)
    cv2.fillPoly(inside, [np.round(outline).astype(np.int32)], 1.0, cv2.LINE_AA)
    light = cv2.GaussianBlur(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY).astype(np.float32), (0, 0), 15)
    shaded = np.clip(light / max(float(np.median(light[inside > 0.5])), 1.0), 0.6, 1.4)[..., None] * colour
    return np.clip(image * (1 - inside[..., None]) + shaded * inside[..., None], 0, 255).astype(np.uint8)


def masked(colour: tuple[int, int, int]) -> Draw:
    return lambda image, mesh: filled(image, mesh.points_px[list(_MASK_EDGE)], colour)


def dark_glasses(image: np.ndarray, mesh: Mesh) -> np.ndarray:
    right, left = (mesh.points_px[list(group)].mean(axis=0) for group in (RIGHT_EYE, LEFT_EYE))
    eyes = float(np.linalg.norm(left - right))
    for eye in (right, left):
        angles = np.linspace(0, 2 * np.pi, 40)
        lens = eye + [0, 0.06 * eyes] + eyes * np.column_stack([0.36 * np.cos(angles), 0.27 * np.sin(angles)])
        image = filled(image, lens, (20, 18, 18))
    return image


def headscarf(image: np.ndarray, mesh: Mesh) -> np.ndarray:
    oval = mesh.points_px[list(OVAL)]
    scarf = filled(image, oval.mean(axis=0) + 1.6 * (oval - oval.mean(axis=0)), (60, 40, 90))
    inside = np.zeros(image.shape[:2], np.uint8)
    cv2.fillPoly(inside, [np.round(oval).astype(np.int32)], 1)
    return np.where(inside[..., None] == 1, image, scarf).astype(np.uint8)


def clear_glasses(image: np.ndarray, mesh: Mesh) -> np.ndarray:
    right, left = (mesh.points_px[list(group)].mean(axis=0) for group in (RIGHT_EYE, LEFT_EYE))
    eyes = float(np.linalg.norm(left - right))
    drawn = image.copy()
    for eye in (right, left):
        centre = tuple(int(value) for value in eye + np.array([0, 0.06 * eyes]))
        axes = (int(0.34 * eyes), int(0.25 * eyes))
        cv2.ellipse(drawn, centre, axes, 0, 0, 360, (25, 25, 25), max(1, int(0.03 * eyes)), cv2.LINE_AA)
    return drawn


def closed_eyes(image: np.ndarray, mesh: Mesh) -> np.ndarray:
    """Lids painted over both eyes, in the colour of the lid above, with a line of lashes."""
    for group, lid in ((RIGHT_EYE, 223), (LEFT_EYE, 443)):
        rim = mesh.points_px[list(group)]
        x, y = (int(value) for value in mesh.points_px[lid])
        colour = tuple(int(value) for value in image[y, x])
        image = filled(image, rim.mean(axis=0) + 1.5 * (rim - rim.mean(axis=0)), colour)
        lower = np.round(mesh.points_px[[group[0], *group[-1:8:-1], group[8]]]).astype(np.int32)
        cv2.polylines(image, [lower], False, (30, 30, 40), max(1, int(np.ptp(rim[:, 0]) / 15)), cv2.LINE_AA)
    return image


def looked_at(closer: CloserLook, detector: FaceDetector, image: np.ndarray) -> dict[str, tuple[float, bool, Hint]]:
    quality = closer.look(image, detector.detect(image)[0])
    return {part.name: (part.value, part.is_ok, part.hint) for part in quality.components}


def portraits(people: list[PersonPhotos]) -> list[np.ndarray]:
    return [person.portrait.load() for person in people]


def test_a_portrait_passes(closer: CloserLook, detector: FaceDetector, people: list[PersonPhotos]) -> None:
    for person in people:
        for photo in person.photos:
            image = photo.load()
            face = detector.detect(image)[0]
            failed = closer.assess(image, face, assess(image, face, [face])).failed
            assert {part.name for part in failed} <= {part.name for part in assess(image, face, [face]).failed}, photo


@pytest.mark.parametrize("colour", [(235, 235, 232), (205, 180, 120), (38, 36, 36), (95, 55, 40)])
def test_a_mask_is_noticed(
    closer: CloserLook,
    face_mesh: FaceMesh,
    detector: FaceDetector,
    people: list[PersonPhotos],
    colour: tuple[int, int, int],
) -> None:
    for image in portraits(people):
        drawn = masked(colour)(image, face_mesh.look(image, detector.detect(image)[0]))
        seen = looked_at(closer, detector, drawn)
        assert not seen["mask_ratio"][1], seen
        assert next(hint for _, is_ok, hint in seen.values() if not is_ok) is Hint.REMOVE_MASK


def test_dark_glasses_are_noticed(
    closer: CloserLook, face_mesh: FaceMesh, detector: FaceDetector, people: list[PersonPhotos]
) -> None:
    for image in portraits(people):
        drawn = dark_glasses(image, face_mesh.look(image, detector.detect(image)[0]))
        seen = looked_at(closer, detector, drawn)
        assert not seen["dark_glasses"][1], seen
        assert next(hint for _, is_ok, hint in seen.values() if not is_ok) is Hint.REMOVE_GLASSES


@pytest.mark.parametrize("wear", [headscarf, clear_glasses])
def test_what_people_wear_every_day_covers_nothing(
    closer: CloserLook, face_mesh: FaceMesh, detector: FaceDetector, people: list[PersonPhotos], wear: Draw
) -> None:
    for image in portraits(people):
        seen = looked_at(closer, detector, wear(image, face_mesh.look(image, detector.detect(image)[0])))
        assert seen["mask_ratio"][1], seen
        assert seen["dark_glasses"][1], seen
        assert seen["eye_opening_ratio"][1], seen


def test_closed_eyes_are_told_from_open_ones(
    closer: CloserLook, face_mesh: FaceMesh, detector: FaceDetector, people: list[PersonPhotos]
) -> None:
    opened, closed = [], []
    for image in portraits(people):
        drawn = closed_eyes(image.copy(), face_mesh.look(image, detector.detect(image)[0]))
        opened.append(looked_at(closer, detector, image)["eye_opening_ratio"][0])
        closed.append(looked_at(closer, detector, drawn)["eye_opening_ratio"][0])
    assert min(opened) > 0.15
    assert np.median(closed) < 0.6 * np.median(opened)


REAL = {
    "eye_opening_ratio": ("Ray_Allen_0002.jpg", "Raghad_Saddam_Hussein_0002.jpg"),
    "mask_ratio": ("Frank_Bell_0001.jpg",),
    "dark_glasses": ("Keanu_Reeves_0007.jpg", "Michelangelo_Antonioni_0001.jpg"),
}
"""Pictures of Labeled Faces in the Wild in which this is wrong."""


def test_closed_eyes_covered_faces_and_dark_glasses(
    closer: CloserLook, face_mesh: FaceMesh, detector: FaceDetector, people: list[PersonPhotos]
) -> None:
    """Real pictures where the development data are at hand, else the packages' own with masks and glasses drawn on them."""
    folder = Path(os.environ.get("TONGGUAN_DATA", "nowhere")) / "face" / "lfw-dev" / "images"
    if folder.is_dir():
        files = {path.name: path for path in folder.rglob("*.jpg")}
        cases = [(part, cv2.imread(str(files[name]))) for part, names in REAL.items() for name in names]
    else:
        faces = [(image, face_mesh.look(image, detector.detect(image)[0])) for image in portraits(people)]
        cases = [("mask_ratio", masked((38, 36, 36))(image, mesh)) for image, mesh in faces]
        cases += [("dark_glasses", dark_glasses(image, mesh)) for image, mesh in faces]
    for number, (component, image) in enumerate(cases):
        assert not looked_at(closer, detector, image)[component][1], (number, component)


def test_a_mirrored_head_is_turned_the_other_way(
    face_mesh: FaceMesh, detector: FaceDetector, people: list[PersonPhotos]
) -> None:
    yaws, pitches = [], []
    for image in portraits(people):
        mirrored = np.ascontiguousarray(image[:, ::-1])
        one, other = (head_pose(face_mesh.look(view, detector.detect(view)[0])) for view in (image, mirrored))
        yaws.append(abs(one.yaw_deg + other.yaw_deg))
        pitches.append(abs(one.pitch_deg - other.pitch_deg))
    # Over 300 press pictures the medians are 2.2 and 1.5 degrees, and 95 % are within 6 and 4.3.
    assert np.median(yaws) < 5
    assert np.median(pitches) < 4


def test_the_poses_signs_are_as_they_say() -> None:
    points = np.zeros((468, 2), np.float32)
    depth = np.zeros(468, np.float32)
    for right, left in ((33, 263), (133, 362), (61, 291), (234, 454), (127, 356), (50, 280), (58, 288), (172, 397)):
        points[right], points[left] = (-1, 0), (1, 0)
    for right, left in ((70, 300), (98, 327)):
        points[right], points[left] = (-1, 0), (1, 0)
    points[10], points[152] = (0, -1), (0, 1)
    mesh = Mesh(points_px=points, depth=depth, confidence=1.0)
    level = head_pose(mesh)
    assert (level.yaw_deg, level.roll_deg) == (0, 0)
    # Their right side farther away: they look towards their own right.
    turned_depth = depth.copy()
    turned_depth[[33, 133, 61, 234, 127, 50, 58, 172, 70, 98]] = 1.0
    assert head_pose(replace(mesh, depth=turned_depth)).yaw_deg == pytest.approx(np.degrees(np.arctan(0.5)), abs=0.1)
    # The forehead farther away: the face looks up.
    up_depth = depth.copy()
    up_depth[10] = 1.0
    assert head_pose(replace(mesh, depth=up_depth)).pitch_deg > level.pitch_deg + 20
    tilted = points @ np.array([[np.cos(0.3), np.sin(0.3)], [-np.sin(0.3), np.cos(0.3)]], np.float32)
    assert head_pose(replace(mesh, points_px=tilted)).roll_deg == pytest.approx(np.degrees(0.3), abs=0.1)


def test_a_smile_or_an_open_mouth_ranks_lower_and_is_never_refused(
    closer: CloserLook, face_mesh: FaceMesh, detector: FaceDetector, people: list[PersonPhotos]
) -> None:
    images = [photo.load() for person in people for photo in person.photos]
    meshes = [face_mesh.look(image, detector.detect(image)[0]) for image in images]
    image, mesh = min(zip(images, meshes, strict=True), key=lambda seen: measure_expression(seen[1]).mouth_gap_ratio)
    face = detector.detect(image)[0]
    points = mesh.points_px.copy()
    lower = [14, 87, 317, 178, 402, 88, 318, 95, 324]
    assert set(lower) < set(INNER_LIPS)
    points[lower, 1] += 0.35 * face.inter_eye_px
    opened = replace(mesh, points_px=points)
    cheap = assess(image, face, [face])
    calm, shout = (cheap.extended(closer.look(image, face, mesh=each).components) for each in (mesh, opened))
    gap = next(part for part in shout.components if part.name == "mouth_gap_ratio")
    assert not gap.is_ok
    assert gap.hint not in shout.hints
    assert shout.is_ok == calm.is_ok
    assert shout.score < calm.score
    assert next(part for part in calm.components if part.name == "mouth_gap_ratio").is_ok


def test_a_face_that_is_none_is_refused(closer: CloserLook) -> None:
    landmarks = np.array([[120, 120], [180, 120], [150, 150], [125, 185], [175, 185]], np.float32)
    face = Face(box_px=np.array([90, 70, 120, 160], np.float32), landmarks_px=landmarks, score=0.9)
    parts = closer.look(np.full((300, 300, 3), 128, np.uint8), face).components
    assert next(part.name for part in parts if not part.is_ok) == "mesh_confidence"
