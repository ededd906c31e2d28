"""What the viewer asks the hub: pictures that are passed on while they arrive, marks, the scan before."""

import json
from collections.abc import AsyncIterator

import httpx
import pytest

from gate.console import hub_client
from gate.console.hub_client import HubClient, LinkLost, PictureStream, Refusal
from gate.console.hub_models import LastScan, MarkKind, MarkPage

MARK = {
    "mark_id": "m1",
    "number": 1,
    "picture": "a" * 64,
    "kind": "box",
    "x": 1.5,
    "y": 2.0,
    "width": 3.0,
    "height": 4.0,
    "text": "bottle",
    "role": "customs",
    "author": "li",
    "author_name": "Li Wei",
    "at_ms": 7,
}


def client_of(answer: httpx.Response, asked: list[httpx.Request] | None = None) -> HubClient:
    def handle(request: httpx.Request) -> httpx.Response:
        if asked is not None:
            asked.append(request)
        return answer

    return HubClient("http://hub.test", transport=httpx.MockTransport(handle))


class Breaking(httpx.AsyncByteStream):
    """A hub that ends in the middle of a picture."""

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield b"first"
        raise httpx.ReadError("gone")


async def read(stream: PictureStream) -> bytes:
    return b"".join([chunk async for chunk in stream.chunks()])


async def test_a_picture_is_passed_on_as_it_is() -> None:
    asked: list[httpx.Request] = []
    client = client_of(httpx.Response(200, content=b"x" * 3000, headers={"content-type": "image/png"}), asked)
    stream = await client.stream_picture("t", "a" * 64)
    assert isinstance(stream, PictureStream)
    assert stream.media_type == "image/png"
    assert await read(stream) == b"x" * 3000
    assert asked[0].url.path == f"/api/v1/evidence/{'a' * 64}"
    assert asked[0].headers["authorization"] == "Bearer t"
    await client.close()


async def test_a_picture_that_breaks_off_or_is_too_large_ends_early(monkeypatch: pytest.MonkeyPatch) -> None:
    broken = await client_of(httpx.Response(200, stream=Breaking())).stream_picture("t", "a" * 64)
    assert isinstance(broken, PictureStream)
    assert await read(broken) in (b"", b"first")
    monkeypatch.setattr(hub_client, "_MAX_PICTURE_BYTES", 100)
    large = await client_of(httpx.Response(200, content=b"x" * 101)).stream_picture("t", "a" * 64)
    assert isinstance(large, PictureStream)
    assert await read(large) == b""


@pytest.mark.parametrize(("status", "wanted"), [(403, Refusal), (404, Refusal), (503, LinkLost)])
async def test_a_picture_that_is_not_given_is_a_value(status: int, wanted: type) -> None:
    assert isinstance(await client_of(httpx.Response(status, json={})).stream_picture("t", "a" * 64), wanted)


async def test_a_mark_is_sent_with_its_picture_shape_words_and_role() -> None:
    asked: list[httpx.Request] = []
    client = client_of(httpx.Response(201, json={"marks": [MARK]}), asked)
    answer = await client.draw_mark(
        "t", "c1", picture="a" * 64, kind=MarkKind.BOX, box_px=(1.5, 2.0, 3.0, 4.0), text="bottle", role="customs"
    )
    assert isinstance(answer, MarkPage)
    assert answer.marks[0].author_name == "Li Wei"
    assert (asked[0].method, asked[0].url.path) == ("POST", "/api/v1/cases/c1/marks")
    wanted = {name: MARK[name] for name in ("picture", "kind", "x", "y", "width", "height", "text", "role")}
    assert json.loads(asked[0].content) == wanted
    await client.erase_mark("t", "c1", "m1")
    assert (asked[1].method, asked[1].url.path) == ("DELETE", "/api/v1/cases/c1/marks/m1")


async def test_no_scan_before_is_an_answer() -> None:
    client = client_of(httpx.Response(200, json={"taken_ms": None, "attachments": []}))
    assert await client.last_scan("t", "c1") == LastScan()
