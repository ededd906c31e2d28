"""What the console hands the viewer: which pictures, in which form, with which words."""

import struct

import cv2
import numpy as np
import pytest

from gate.console.hub_models import AttachmentView
from gate.console.view import ScanView, scan_views
from gate.console.viewer import element
from gate.console.viewer.plain import is_plain_png, plain_png


def png(picture: "np.ndarray[tuple[int, ...], np.dtype[np.uint8 | np.uint16]]") -> bytes:
    return cv2.imencode(".png", picture)[1].tobytes()


def attachment(kind: str, letter: str, *, is_available: bool = True) -> AttachmentView:
    return AttachmentView(kind=kind, sha256=letter * 64, media_type="image/png", is_available=is_available)


def view(high: str, low: str | None = None) -> ScanView:
    return ScanView(sha256=high * 64, low=None if low is None else low * 64)


@pytest.mark.parametrize(
    ("kinds", "wanted"),
    [
        ([("page", "p")], []),
        ([("xray", "a"), ("xray_high", "b"), ("xray_low", "c")], [view("b", "c"), view("a")]),
        ([("xray_high", "b")], [view("b")]),
        ([("xray_low", "c")], []),
        (
            [
                ("xray", "a"),
                ("xray", "d"),
                ("xray_high", "b"),
                ("xray_low", "c"),
                ("xray_high", "e"),
                ("xray_low", "f"),
            ],
            [view("b", "c"), view("e", "f"), view("a"), view("d")],
        ),
        (
            [("xray", "a"), ("xray_high", "b"), ("live", "p"), ("xray", "d"), ("xray_high", "e")],
            [view("e"), view("d"), view("b"), view("a")],
        ),
    ],
)
def test_views_are_paired_and_the_newest_scan_comes_first(kinds: list[tuple[str, str]], wanted: list[ScanView]) -> None:
    assert list(scan_views([attachment(kind, letter) for kind, letter in kinds])) == wanted


def test_a_picture_that_has_not_arrived_is_no_view() -> None:
    items = [attachment("xray_high", "b"), attachment("xray_low", "c", is_available=False)]
    assert scan_views(items) == (view("b"),)
    assert scan_views([attachment("xray_high", "b", is_available=False), attachment("xray_low", "c")]) == ()


def test_grey_of_sixteen_bits_passes_untouched() -> None:
    content = png(np.arange(64 * 64, dtype=np.uint16).reshape(64, 64) * 16)
    assert is_plain_png(content)
    assert plain_png(content) is content


def test_transparency_is_taken_out_and_the_picture_kept() -> None:
    colours = np.random.default_rng(1).integers(0, 256, (32, 48, 4), dtype=np.uint8)
    content = png(colours)
    assert not is_plain_png(content)
    plain = plain_png(content)
    assert plain is not None
    assert is_plain_png(plain)
    shown = cv2.imdecode(np.frombuffer(plain, np.uint8), cv2.IMREAD_UNCHANGED)
    assert np.array_equal(shown, colours[:, :, :3])


def test_what_is_no_picture_or_too_large_to_decode_is_refused() -> None:
    content = png(np.zeros((8, 8, 4), np.uint8))
    huge = content[:16] + struct.pack(">II", 60_000, 60_000) + content[24:]
    for bad in (b"", b"GIF89a", content[:40], huge):
        assert plain_png(bad) is None


def test_every_language_has_every_word(monkeypatch: pytest.MonkeyPatch) -> None:
    texts = element.load_texts()
    assert set(texts) == set(element.LANGUAGES)
    monkeypatch.setattr(element.tomllib, "loads", lambda _text: {"en": {"a": "x", "b": {"c": "y"}}, "zh": {"a": "x"}})
    with pytest.raises(ValueError, match=r"zh: b\.c"):
        element.load_texts.__wrapped__()


def test_every_command_of_the_script_has_its_words() -> None:
    script = (element.resources.files("gate.console.viewer") / "static" / "commands.js").read_text(encoding="utf-8")
    names = {line.split('name: "')[1].split('"')[0] for line in script.splitlines() if 'name: "' in line}
    assert names == set(element.load_texts()["en"]["commands"])
