"""Codes in pictures, as a document camera sees them."""

import cv2
import numpy as np
import pytest
import zxingcpp
from numpy.typing import NDArray

from drivers.codes import Symbology
from drivers.codes.zxing import ZxingReader

TEXT = "M1DESMARAIS/LUC       EABC123 YULFRAAC 0834 326J001A0025 100"
FORMATS = {
    Symbology.PDF417: zxingcpp.BarcodeFormat.PDF417,
    Symbology.AZTEC: zxingcpp.BarcodeFormat.Aztec,
    Symbology.QR: zxingcpp.BarcodeFormat.QRCode,
    Symbology.DATA_MATRIX: zxingcpp.BarcodeFormat.DataMatrix,
}


def printed(symbology: Symbology, text: str = TEXT, scale: int = 4) -> NDArray[np.uint8]:
    return np.array(zxingcpp.create_barcode(text, FORMATS[symbology]).to_image(scale=scale))


def frame(*codes: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """A dim, noisy frame, 1280x960 BGR, with the codes one below the other."""
    seen = np.full((960, 1280), 205, np.uint8)
    y = 60
    for code in codes:
        seen[y : y + code.shape[0], 200 : 200 + code.shape[1]] = code // 2 + 60
        y += code.shape[0] + 60
    noise = np.random.default_rng(1).normal(0, 6, seen.shape)
    return cv2.cvtColor(np.clip(cv2.GaussianBlur(seen, (3, 3), 0) + noise, 0, 255).astype(np.uint8), cv2.COLOR_GRAY2BGR)


@pytest.mark.parametrize("symbology", FORMATS)
@pytest.mark.parametrize("turns", range(4))
def test_every_kind_is_read_in_every_direction(symbology: Symbology, turns: int) -> None:
    (code,) = ZxingReader().read(np.rot90(frame(printed(symbology)), turns))
    assert (code.symbology, code.text) == (symbology, TEXT)


def test_skewed_code_is_read_and_its_corners_are_where_it_is() -> None:
    straight = frame(printed(Symbology.AZTEC, scale=6))
    turn = cv2.getRotationMatrix2D((640, 480), 17, 1.0)
    (before,) = ZxingReader().read(straight)
    (after,) = ZxingReader().read(cv2.warpAffine(straight, turn, (1280, 960), borderValue=(205, 205, 205)))
    assert after.text == TEXT
    expected = cv2.transform(np.array([before.corners_px], np.float32), turn)[0]
    assert np.abs(expected - np.array(after.corners_px)).max() < 12


def test_all_codes_of_a_picture_are_read() -> None:
    codes = ZxingReader().read(frame(printed(Symbology.QR, "one"), printed(Symbology.PDF417, TEXT, 3)))
    assert {code.text for code in codes} == {"one", TEXT}


def test_linear_codes_must_be_asked_for() -> None:
    tag = np.array(zxingcpp.create_barcode("0014123456", zxingcpp.BarcodeFormat.ITF).to_image(scale=3))
    assert ZxingReader().read(frame(tag)) == ()
    (code,) = ZxingReader((Symbology.ITF,)).read(frame(tag))
    assert (code.symbology, code.text) == (Symbology.ITF, "0014123456")


def test_picture_without_code_has_none() -> None:
    assert ZxingReader().read(frame()) == ()
    assert ZxingReader().read(np.zeros((0, 0), np.uint8)) == ()


def test_wrong_array_is_our_mistake() -> None:
    with pytest.raises(ValueError, match="float64"):
        ZxingReader().read(np.zeros((4, 4)))  # type: ignore[arg-type]
