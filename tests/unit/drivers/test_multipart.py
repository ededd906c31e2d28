"""MJPEG's framing, cut anywhere, with and without lengths."""

from __future__ import annotations

import pytest

from drivers.camera.multipart import MultipartError, MultipartParser, boundary_of, parse_head

WITH_LENGTH = (
    b"--b\r\nContent-Type: image/jpeg\r\nContent-Length: 5\r\n\r\nab--b\r\n--b\r\nContent-Length: 2\r\n\r\ncd\r\n"
)
WITHOUT_LENGTH = b"preamble\r\n--b\r\nContent-Type: image/jpeg\r\n\r\nabc\r\n--b\r\nX: 1\r\n\r\nde\r\n--b\r\n"


@pytest.mark.parametrize("step", [1, 2, 3, 7, 1000])
def test_parts_come_whole_however_the_bytes_arrive(step: int) -> None:
    for stream, bodies in ((WITH_LENGTH, [b"ab--b", b"cd"]), (WITHOUT_LENGTH, [b"abc", b"de"])):
        parser = MultipartParser(b"--b")
        found = [part for i in range(0, len(stream), step) for part in parser.feed(stream[i : i + step])]
        assert [part.body for part in found] == bodies
        assert found[0].headers["content-type"] == "image/jpeg"


@pytest.mark.parametrize("content_type", ["boundary=b", "boundary=--b", 'boundary="b"', "charset=x; boundary=b"])
def test_boundary_as_cameras_write_it(content_type: str) -> None:
    assert boundary_of(f"multipart/x-mixed-replace; {content_type}") == b"--b"


@pytest.mark.parametrize("content_type", ["text/html", "", "multipart/x-mixed-replace"])
def test_other_answers_are_refused(content_type: str) -> None:
    with pytest.raises(MultipartError):
        boundary_of(content_type)


def test_picture_and_preamble_without_end_are_refused() -> None:
    for head in (b"--b\r\n\r\n", b"--b\r\nContent-Length: 999999\r\n\r\n"):
        parser = MultipartParser(b"--b", max_body_bytes=1000)
        with pytest.raises(MultipartError, match="more than 1000 bytes"):
            parser.feed(head + b"x" * 1001)
    with pytest.raises(MultipartError, match="no boundary"):
        MultipartParser(b"--b").feed(b"x" * 20_000)


def test_malformed_header_lines_are_left_out() -> None:
    assert parse_head(b"--b\r\nA: 1\r\nnonsense\r\nB : 2") == {"a": "1", "b": "2"}
