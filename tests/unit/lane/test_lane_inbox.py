"""One order of everything that happens to a lane."""

import asyncio
import contextlib

import pytest

from gate.lane.inbox import Inbox


async def test_items_are_taken_in_their_order_and_none_before_it_runs() -> None:
    taken: list[int] = []
    inbox: Inbox[int] = Inbox(taken.append)
    inbox.put(1)
    await asyncio.sleep(0)
    assert (taken, inbox.is_empty) == ([], False)
    running = asyncio.create_task(inbox.run())
    await asyncio.sleep(0)
    inbox.put(2)
    assert taken == []  # put() itself hands nothing on
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert (taken, inbox.is_empty) == ([1, 2], True)
    running.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await running


async def test_what_an_item_brings_about_comes_after_what_was_there() -> None:
    taken: list[str] = []

    def take(item: str) -> None:
        taken.append(item)
        if item == "a":
            inbox.put("c")

    inbox: Inbox[str] = Inbox(take)
    inbox.put("a")
    inbox.put("b")
    running = asyncio.create_task(inbox.run())
    for _ in range(4):
        await asyncio.sleep(0)
    assert taken == ["a", "b", "c"]
    running.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await running


async def test_an_error_ends_it_and_nothing_more_is_taken() -> None:
    taken: list[int] = []

    def take(item: int) -> None:
        if item == 2:
            raise ZeroDivisionError("a bug")
        taken.append(item)

    inbox: Inbox[int] = Inbox(take)
    for item in (1, 2, 3):
        inbox.put(item)
    with pytest.raises(ZeroDivisionError):
        await inbox.run()
    inbox.put(4)
    await asyncio.sleep(0)
    assert taken == [1]
