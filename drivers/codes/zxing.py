"""Codes by zxing-cpp (Apache-2.0), the reader that phones use: any rotation, perspective, light on dark, several at once."""

from __future__ import annotations

import numpy as np
import zxingcpp
from numpy.typing import NDArray

from drivers.codes.interface import Code, CodeReader, Symbology

_SYMBOLOGIES = {
    zxingcpp.BarcodeFormat.PDF417: Symbology.PDF417,
    zxingcpp.BarcodeFormat.CompactPDF417: Symbology.PDF417,
    zxingcpp.BarcodeFormat.Aztec: Symbology.AZTEC,
    zxingcpp.BarcodeFormat.AztecCode: Symbology.AZTEC,
    zxingcpp.BarcodeFormat.QRCode: Symbology.QR,
    zxingcpp.BarcodeFormat.QRCodeModel2: Symbology.QR,
    zxingcpp.BarcodeFormat.DataMatrix: Symbology.DATA_MATRIX,
    zxingcpp.BarcodeFormat.ITF: Symbology.ITF,
    zxingcpp.BarcodeFormat.Code128: Symbology.CODE_128,
}
_ALL = (Symbology.PDF417, Symbology.AZTEC, Symbology.QR, Symbology.DATA_MATRIX)
_WANTED = {
    Symbology.PDF417: zxingcpp.BarcodeFormat.PDF417,
    Symbology.AZTEC: zxingcpp.BarcodeFormat.Aztec,
    Symbology.QR: zxingcpp.BarcodeFormat.QRCode,
    Symbology.DATA_MATRIX: zxingcpp.BarcodeFormat.DataMatrix,
    Symbology.ITF: zxingcpp.BarcodeFormat.ITF,
    Symbology.CODE_128: zxingcpp.BarcodeFormat.Code128,
}


class ZxingReader(CodeReader):
    """By default the four kinds that a boarding pass may have.

    ITF and Code 128 have to be asked for: they correct no errors, ITF does not even find any, and stripes of print can pass for one.
    """

    def __init__(self, symbologies: tuple[Symbology, ...] = _ALL) -> None:
        self._formats = zxingcpp.BarcodeFormats([_WANTED[symbology] for symbology in symbologies])

    def read(self, image: NDArray[np.uint8]) -> tuple[Code, ...]:
        if image.dtype != np.uint8 or not (image.ndim == 2 or (image.ndim == 3 and image.shape[2] == 3)):
            raise ValueError(f"a picture is uint8, grey or BGR, not {image.dtype} {image.shape}")
        if image.size == 0:
            return ()
        found = zxingcpp.read_barcodes(
            np.ascontiguousarray(image), formats=self._formats, text_mode=zxingcpp.TextMode.Plain
        )
        return tuple(_code(barcode) for barcode in found if barcode.valid and barcode.format in _SYMBOLOGIES)


def _code(barcode: zxingcpp.Barcode) -> Code:
    at = barcode.position
    corners = (at.top_left, at.top_right, at.bottom_right, at.bottom_left)
    first, second, third, fourth = ((corner.x, corner.y) for corner in corners)
    return Code(symbology=_SYMBOLOGIES[barcode.format], text=barcode.text, corners_px=(first, second, third, fourth))
