"""Many open screens without many browsers: clients that speak the console's own protocol and get every update that a browser would.

Each opens the page over HTTP as a browser does, connects to the socket that the page names, acknowledges like a page (every 3 s), and
notes when a mark that it looks for first arrives. What a browser does with an update (drawing it) is not in it; a few real browsers
beside them show that.
"""

from __future__ import annotations

import ast
import asyncio
import json
import re
import threading
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import httpx
import socketio

from gate.errors import GateError

_QUERY = re.compile(r"query:\s*(\{.*?\}),\s*\n")
_ELEMENTS = re.compile(r"parseElements\(String\.raw`(.*?)`\)", re.DOTALL)
_ACKNOWLEDGE_S = 3.0
_OPEN_LIMIT_S = 180.0

Seen = dict[str, float]
"""When each mark was first seen, Unix time in milliseconds."""


@dataclass(slots=True, kw_only=True)
class CrowdScreen:
    """One open screen: its page's path, whose cookie it shows, and what it has seen."""

    path: str
    user: str
    seen: Seen = field(default_factory=dict)
    updates: int = 0
    next_id: int = 0


class ScreenCrowd:
    """Opens screens on a thread of its own and lets them listen until it is closed.

    ``marks`` finds the marks in one update (as text), e.g. by a regular expression.
    """

    def __init__(self, url: str, cookies: Mapping[str, str], marks: Callable[[str], Sequence[str]]) -> None:
        self._url = url
        self._cookies = cookies
        self._marks = marks
        self._loop = asyncio.new_event_loop()
        self._sockets: list[socketio.AsyncClient] = []
        self._tasks: list[asyncio.Task[None]] = []
        self._thread = threading.Thread(target=self._loop.run_forever, name="screen crowd", daemon=True)
        self.screens: list[CrowdScreen] = []

    def open(self, screens: Sequence[CrowdScreen]) -> None:
        """Open these screens, one after the other; returns when all are connected. GateError when one does not come."""
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._open_all(screens), self._loop).result(_OPEN_LIMIT_S)

    def close(self) -> None:
        """Close all sockets and end the thread."""
        if self._thread.is_alive():
            asyncio.run_coroutine_threadsafe(self._close_all(), self._loop).result(30)
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join(10)
        self._loop.close()

    async def _open_all(self, screens: Sequence[CrowdScreen]) -> None:
        for screen in screens:
            await self._open(screen)
            self.screens.append(screen)

    async def _open(self, screen: CrowdScreen) -> None:
        cookie = self._cookies[screen.user]
        headers = {"Cookie": cookie, "Accept-Language": "en"}
        async with httpx.AsyncClient(base_url=self._url, trust_env=False, timeout=30) as http:
            answer = await http.get(screen.path, headers=headers)
            page = answer.text
        found, elements = _QUERY.search(page), _ELEMENTS.search(page)
        if found is None or elements is None:
            raise GateError(
                f"the console's page {screen.path} is not as expected (HTTP {answer.status_code}): is NiceGUI another version?"
            )
        query = _literal(found.group(1))
        query |= {"document_id": str(uuid.uuid4()), "tab_id": str(uuid.uuid4())}
        client = socketio.AsyncClient(reconnection=False)
        client.on("update", lambda data: self._take(screen, data))
        client.on("run_javascript", lambda data: self._take(screen, data))
        words = "&".join(f"{name}={str(value).lower() if value is True else value}" for name, value in query.items())
        await client.connect(
            f"{self._url}?{words}",
            headers=headers,
            transports=["websocket"],
            socketio_path="/_nicegui_ws/socket.io",
            wait_timeout=30,
        )
        self._sockets.append(client)
        self._tasks.append(self._loop.create_task(self._acknowledge(client, screen, query["client_id"])))
        await _say_ready(client, query["client_id"], elements.group(1))

    def _take(self, screen: CrowdScreen, data: Any) -> None:
        at_ms = time.time() * 1000
        screen.updates += 1
        if isinstance(data, dict) and isinstance(data.get("_id"), int):
            screen.next_id = data["_id"] + 1
        for mark in self._marks(data["code"] if isinstance(data, dict) and "code" in data else str(data)):
            screen.seen.setdefault(mark, at_ms)

    async def _acknowledge(self, client: socketio.AsyncClient, screen: CrowdScreen, client_id: str) -> None:
        """A page tells how far it has come, so that the server forgets what it kept for a reconnection."""
        while client.connected:
            await asyncio.sleep(_ACKNOWLEDGE_S)
            if client.connected:
                await client.emit("ack", {"client_id": client_id, "next_message_id": screen.next_id})

    async def _close_all(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for client in self._sockets:
            await client.disconnect()


async def _say_ready(client: socketio.AsyncClient, client_id: str, elements: str) -> None:
    """The row of lanes says that it is there when a browser has built it; here nobody builds it."""
    for identifier, element in json.loads(_unescaped(elements)).items():
        for event in element.get("events", []):
            if event["type"] == "ready":
                told = {"id": int(identifier), "client_id": client_id, "listener_id": event["listener_id"], "args": []}
                await client.emit("event", told)


def _literal(text: str) -> dict[str, Any]:
    """The page writes the query as a JavaScript object of plain values, which may look like Python's."""
    read = ast.literal_eval(re.sub(r"\b(true|false)\b", lambda found: found.group().title(), text))
    if not isinstance(read, dict):
        raise GateError("the console's page is not as expected: is NiceGUI another version?")
    return read


def _unescaped(elements: str) -> str:
    """What NiceGUI's own ``parseElements`` undoes."""
    for name, char in (("lt", "<"), ("gt", ">"), ("#96", "`"), ("#36", "$"), ("amp", "&")):
        elements = elements.replace(f"&{name};", char)
    return elements
