"""Work on all cores, with results that do not depend on how many there are."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

from numpy.random import Generator

from ..model.threads import cores

Item = TypeVar("Item")
Result = TypeVar("Result")

BAND_ROWS = 128
"""Rows worked on at a time. Changing it changes which random numbers a pixel gets."""


def map_parallel(function: Callable[[Item], Result], items: Sequence[Item]) -> list[Result]:
    """Return the results for all items, computed in parallel."""
    with ThreadPoolExecutor(cores()) as pool:
        return list(pool.map(function, items))


def bands(rows: int) -> list[slice]:
    """Return slices that together cover all rows."""
    return [slice(start, min(start + BAND_ROWS, rows)) for start in range(0, rows, BAND_ROWS)]


def for_random_bands(
    rows: int, rng: Generator, function: Callable[[slice, Generator], None]
) -> None:
    """Call a function in parallel with bands and a random generator for each."""
    parts = bands(rows)
    jobs = list(zip(parts, rng.spawn(len(parts)), strict=True))
    map_parallel(lambda job: function(*job), jobs)


def map_in_order(
    function: Callable[[Item], Result], items: Iterable[Item], at_once: int
) -> Iterator[Result]:
    """Yield results in order, with at most `at_once` in the making or waiting to be taken."""
    with ThreadPoolExecutor(at_once) as pool:
        waiting: deque[Future[Result]] = deque()
        try:
            for item in items:
                waiting.append(pool.submit(function, item))
                if len(waiting) == at_once:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            pool.shutdown(cancel_futures=True)
