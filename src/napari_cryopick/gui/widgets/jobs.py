"""Long work in a thread of its own, told to a panel event by event."""

from __future__ import annotations

import ctypes
import gc
import os
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from itertools import islice
from pathlib import Path
from threading import get_native_id
from typing import Any

from napari.qt.threading import create_worker
from qtpy.QtCore import QObject, QTimer, Signal

from ...errors import CryopickError


@contextmanager
def window_first() -> Iterator[None]:
    """What runs in here, and in threads that it starts, gives way to the window.

    All objects are searched for garbage a hundred times less often meanwhile.
    """
    if sys.platform == "linux":
        os.setpriority(os.PRIO_PROCESS, get_native_id(), 5)
    interval, (young, middle, old) = sys.getswitchinterval(), gc.get_threshold()
    sys.setswitchinterval(0.0005)
    gc.set_threshold(young, middle, 100 * old)
    try:
        yield
    finally:
        sys.setswitchinterval(interval)
        gc.set_threshold(young, middle, old)


@contextmanager
def gentle_imports() -> Iterator[None]:
    """Imports in here, torch among them, stop no other thread for long."""
    _load_torch_libraries()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.unfreeze()
        gc.enable()


def _load_torch_libraries() -> None:
    """Load what `import torch` will need, through a call that leaves the lock to others."""
    torch = find_spec("torch")
    if "torch" in sys.modules or os.name == "nt" or torch is None or torch.origin is None:
        return
    load = ctypes.CDLL(None).dlopen
    load.argtypes, load.restype = [ctypes.c_char_p, ctypes.c_int], ctypes.c_void_p
    suffix = ".dylib" if sys.platform == "darwin" else ".so"
    folder = Path(torch.origin).parent / "lib"
    for name, scope in (("libtorch_global_deps", os.RTLD_GLOBAL), ("libtorch_cpu", 0)):
        load(os.fsencode(folder / (name + suffix)), os.RTLD_NOW | scope)


Work = Callable[[threading.Event], Iterator[Any]]


@dataclass(frozen=True)
class Refused:
    """The work cannot be done, for a reason told in one sentence."""

    message: str


class Job(QObject):
    """One piece of work that yields events and looks at a stop token.

    Parameters
    ----------
    work
        Called in a thread with the stop token; its iterator is run there to the end.
    """

    happened = Signal(object)
    ended = Signal()

    def __init__(self, work: Work, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._stop = threading.Event()
        self._worker = create_worker(_events, work, self._stop, _ignore_errors=True)
        self._worker.yielded.connect(self.happened)
        self._worker.errored.connect(self._on_error)
        self._worker.finished.connect(self.ended)
        self.destroyed.connect(self._stop.set)

    def start(self) -> None:
        """Begin; events follow."""
        self._worker.start()

    def stop(self) -> None:
        """Ask for the end; what was reached is kept, and the last events still follow."""
        self._stop.set()

    def _on_error(self, error: Exception) -> None:
        self.happened.emit(Refused(f"Something went wrong: {error}"))

    def abandon(self) -> None:
        """Ask for the end, and tell nothing any more."""
        self._stop.set()
        self.blockSignals(True)


class Errand(QObject):
    """Something that is fetched in a thread; of several asked for, only the last is told."""

    done = Signal(object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._asked = 0

    def ask(self, fetch: Callable[[], Any]) -> None:
        """Have it fetched; `done` tells what, or `Refused` if there is no such thing."""
        self._asked += 1
        worker = create_worker(_numbered, self._asked, fetch, _ignore_errors=True)
        worker.returned.connect(self._on_fetched)
        worker.errored.connect(self._on_error)
        worker.start()

    def forget(self) -> None:
        """Tell nothing any more of what was asked for."""
        self._asked += 1

    def _on_fetched(self, numbered: tuple[int, Any]) -> None:
        number, found = numbered
        if number == self._asked:
            self.done.emit(found)

    def _on_error(self, error: Exception) -> None:
        self.done.emit(Refused(f"Something went wrong: {error}"))


class Turns(QObject):
    """Work for the window's own thread, one step at each turn of its event loop.

    What would stop the window for long if done at once is written as a generator that yields
    between steps.
    """

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._waiting: deque[Iterator[None]] = deque()
        self._timer = QTimer(self, interval=0)
        self._timer.timeout.connect(self._take)

    def add(self, steps: Iterator[None]) -> None:
        """Do these steps after all that are waiting."""
        self._waiting.append(steps)
        self._timer.start()

    def _take(self) -> None:
        for _ in self._waiting[0]:
            return
        self._waiting.popleft()
        if not self._waiting:
            self._timer.stop()


class Soon(QObject):
    """A function that is called once, a moment after it was asked for however often."""

    def __init__(self, function: Callable[[], None], parent: QObject, pause_ms: int = 100) -> None:
        super().__init__(parent)
        self._timer = QTimer(self, singleShot=True, interval=pause_ms)
        self._timer.timeout.connect(function)

    def ask(self, event: Any = None) -> None:
        """Have it called."""
        if not self._timer.isActive():
            self._timer.start()


def _numbered(number: int, fetch: Callable[[], Any]) -> tuple[int, Any]:
    try:
        return number, fetch()
    except CryopickError as error:
        return number, Refused(str(error))


def _events(work: Work, stop: threading.Event) -> Iterator[Any]:
    try:
        events = work(stop)
        with window_first():
            with gentle_imports():
                yield from islice(events, 1)
            yield from events
    except CryopickError as error:
        yield Refused(str(error))
