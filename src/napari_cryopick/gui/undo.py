"""Going back and forth between the states of a thing."""

from __future__ import annotations

from collections import deque
from collections.abc import Hashable
from typing import Generic, TypeVar

State = TypeVar("State")


class History(Generic[State]):
    """States in the order in which they came about, with one of them current.

    Parameters
    ----------
    state
        The first one.
    limit
        How many steps back are remembered.
    """

    def __init__(self, state: State, limit: int = 100) -> None:
        self._past: deque[State] = deque(maxlen=limit)
        self._future: list[State] = []
        self._kind: Hashable | None = None
        self.current = state

    def record(self, state: State, kind: Hashable | None = None) -> None:
        """Make `state` current; steps of the same kind, one after the other, count as one."""
        if kind is None or kind != self._kind:
            self._past.append(self.current)
        self._kind = kind
        self._future.clear()
        self.current = state

    def undo(self) -> State | None:
        """Go one step back, and give the state there or None if there is no such step."""
        if not self._past:
            return None
        self._future.append(self.current)
        return self._go_to(self._past.pop())

    def redo(self) -> State | None:
        """Go one step forth, and give the state there or None if there is no such step."""
        if not self._future:
            return None
        self._past.append(self.current)
        return self._go_to(self._future.pop())

    def _go_to(self, state: State) -> State:
        self._kind = None
        self.current = state
        return state
