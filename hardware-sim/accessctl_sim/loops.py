"""A device lives on an event loop in a thread of its own; whoever drives it calls in from outside.

The control lines, the Python API of the tests and the script of a site all come through `LoopThread.call`, so a
device's state is only ever touched on its own loop.
"""

from __future__ import annotations

import asyncio
import select
import selectors
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from typing import Any, TypeVar

T = TypeVar("T")


LONGEST_FINE_WAIT_S = 0.05
HIGHEST_SELECTABLE = 1023


class FineSelector(selectors.EpollSelector):
    """epoll rounds its waits up to milliseconds; `select` on its descriptor does not, so short ones go there."""

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """Wait as any selector; where `select` cannot take our descriptor, epoll's rounding stays."""
        if timeout is not None and 0 < timeout < LONGEST_FINE_WAIT_S and self.fileno() <= HIGHEST_SELECTABLE:
            select.select([self.fileno()], [], [], timeout)
            timeout = 0
        return super().select(timeout)


class LoopThread:
    """One event loop in one daemon thread. With `fine` its timers are good to microseconds, for latencies of 2 ms."""

    def __init__(self, name: str, *, fine: bool = False) -> None:
        self.loop = asyncio.SelectorEventLoop(FineSelector() if fine else selectors.DefaultSelector())
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        asyncio.set_event_loop(self.loop)
        self.loop.run_forever()

    def call(self, function: Callable[..., T], *args: Any, timeout: float = 30) -> T:
        """Run a plain function on the loop and wait for what it returns or raises."""
        result: Future[T] = Future()

        def run() -> None:
            try:
                result.set_result(function(*args))
            except BaseException as error:  # noqa: BLE001 - handed to the caller, who waits in another thread
                result.set_exception(error)

        self.loop.call_soon_threadsafe(run)
        return result.result(timeout)

    def run(self, coroutine: Coroutine[Any, Any, T], *, timeout: float = 30) -> T:
        """Run a coroutine on the loop and wait for it."""
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result(timeout)

    def close(self) -> None:
        """Cancel what still runs, end the thread, close the loop."""
        if self.loop.is_closed():
            return
        self.run(self._cancel_all())
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join(10)
        self.loop.close()

    async def _cancel_all(self) -> None:
        """Cancel until nothing runs: before Python 3.12, `wait_for` loses a cancellation that meets its result."""
        while tasks := asyncio.all_tasks() - {asyncio.current_task()}:
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks, timeout=0.2)
        await self.loop.shutdown_asyncgens()
