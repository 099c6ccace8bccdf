"""The thread that devices live on ends, whatever its tasks do with a cancellation."""

import asyncio
import time

from accessctl_sim.loops import LoopThread


async def deaf_once() -> None:
    """Loses the first cancellation, as `asyncio.wait_for` does on Python 3.11 when its result comes at that moment."""
    try:
        await asyncio.sleep(60)
    except asyncio.CancelledError:
        await asyncio.sleep(60)


def test_a_lost_cancellation_does_not_keep_the_thread() -> None:
    thread = LoopThread("deaf")
    thread.call(lambda: thread.loop.create_task(deaf_once()))
    began = time.monotonic()
    thread.close()
    assert time.monotonic() - began < 30
    assert thread.loop.is_closed()
