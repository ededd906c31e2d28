"""Pictures in the form that the viewer's script reads (``static/png.js``): what is in it already goes through untouched."""

import cv2
import numpy as np

PNG = "image/png"
MAX_PIXELS = 100_000_000
_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_IHDR = slice(16, 29)
_GREY, _TRUECOLOUR = 0, 2


def is_plain_png(content: bytes) -> bool:
    """Whether ``content`` begins as a PNG of grey with 8 or 16 bits or of colours with 8, without alpha, not interlaced."""
    head = content[_IHDR]
    if not content.startswith(_SIGNATURE) or content[12:16] != b"IHDR" or len(head) < 13:
        return False
    depth, colour, interlace = head[8], head[9], head[12]
    is_shown = (colour == _GREY and depth in (8, 16)) or (colour == _TRUECOLOUR and depth == 8)
    return is_shown and interlace == 0


def plain_png(content: bytes) -> bytes | None:
    """The same picture as a plain PNG; None when it cannot be decoded or is too large. Depth is kept for grey, colours become 8 bits."""
    if is_plain_png(content):
        return content
    if not _is_sized(content):
        return None
    try:
        picture = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_ANYDEPTH | cv2.IMREAD_ANYCOLOR)
    except cv2.error:
        return None
    if picture is None:
        return None
    if picture.ndim == 3 and picture.dtype == np.uint16:
        picture = (picture // 256).astype(np.uint8)
    return cv2.imencode(".png", picture, [cv2.IMWRITE_PNG_COMPRESSION, 1])[1].tobytes()


def _is_sized(content: bytes) -> bool:
    width, height = int.from_bytes(content[16:20], "big"), int.from_bytes(content[20:24], "big")
    return content.startswith(_SIGNATURE) and 0 < width * height <= MAX_PIXELS
