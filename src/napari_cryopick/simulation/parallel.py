"""All cores at work, with results that do not depend on how many there are."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

Item = TypeVar("Item")
Made = TypeVar("Made")

_BAND_ROWS = 128


def cores() -> int:
    """How many this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def bands(rows: int) -> list[slice]:
    """Rows in bands of a size that does not depend on the machine."""
    return [slice(start, min(start + _BAND_ROWS, rows)) for start in range(0, rows, _BAND_ROWS)]


def each(function: Callable[[Item], Made], items: Sequence[Item]) -> list[Made]:
    """The results for all items, worked on side by side."""
    if len(items) < 2 or cores() == 1:
        return [function(item) for item in items]
    with ThreadPoolExecutor(cores()) as pool:
        return list(pool.map(function, items))


def in_turn(
    function: Callable[[Item], Made], items: Iterable[Item], at_once: int
) -> Iterator[Made]:
    """Results in order, with at most so many being made or waiting to be taken."""
    with ThreadPoolExecutor(at_once) as pool:
        waiting: deque[Future[Made]] = deque()
        try:
            for item in items:
                waiting.append(pool.submit(function, item))
                if len(waiting) == at_once:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()
