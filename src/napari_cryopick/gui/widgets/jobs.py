"""Long work in a thread of its own, reported to a dock event by event."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from math import ceil
from typing import Any

from napari.layers import Image
from napari.qt.threading import create_worker
from napari.utils.events import Event
from napari.utils.theme import get_theme
from qtpy.QtCore import QObject, Qt, QTimer, Signal
from qtpy.QtWidgets import QLabel, QProgressBar, QPushButton
from superqt.utils import qthrottled

from ...errors import CryopickError
from ...model.threads import leave_a_core, wait_passively
from .layout import Dock

ERROR_COLOUR = "#ff6b6b"

Work = Callable[[threading.Event], Iterator[Any]]
"""Given a stop token, yields events; runs in a thread, where it imports what is heavy."""

OnEvent = Callable[[Any], Iterator[None]]
"""Shows an event in the window's own thread, and yields between steps that take long."""


@dataclass(frozen=True)
class JobError:
    """The work cannot be done, for a reason given in one sentence."""

    message: str


class Job(QObject):
    """One piece of work that runs to its end in a thread, yielding events."""

    happened = Signal(object)
    ended = Signal()

    def __init__(self, work: Work, parent: QObject | None = None) -> None:
        super().__init__(parent)
        wait_passively()
        self._stop = threading.Event()
        self._worker = create_worker(_events, work, self._stop, _ignore_errors=True)
        self._worker.yielded.connect(self.happened)
        self._worker.finished.connect(self.ended)
        self.destroyed.connect(self._stop.set)

    def start(self) -> None:
        """Begin; events follow."""
        self._worker.start()

    def stop(self) -> None:
        """Ask for the end; what was reached is kept, and the last events still follow."""
        self._stop.set()

    def abandon(self) -> None:
        """Ask for the end, and report nothing any more."""
        self._stop.set()
        self.blockSignals(True)


def _events(work: Work, stop: threading.Event) -> Iterator[Any]:
    """Yield any error too: a RuntimeError, like torch's, would leave the worker unfinished."""
    try:
        yield from work(stop)
    except CryopickError as error:
        yield JobError(str(error))
    except Exception as error:
        yield JobError(f"Something went wrong: {error}")


def _beside_the_window(work: Work, stop: threading.Event) -> Iterator[Any]:
    with leave_a_core():
        yield from work(stop)


class LatestWorker(QObject):
    """Fetches something in a thread; of several requests, only the last is answered."""

    done = Signal(object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._job: Job | None = None

    def ask(self, fetch: Callable[[], object]) -> None:
        """Have something fetched; `done` gives it, or a `JobError`."""
        self.leave()
        self._job = Job(lambda _: iter([fetch()]), self)
        self._job.happened.connect(self.done)
        self._job.start()

    def leave(self) -> None:
        """Do not answer what was asked for any more."""
        if self._job is not None:
            self._job.abandon()


class StepQueue(QObject):
    """Generators whose steps the window's own thread takes, one at each turn of its event loop."""

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


class JobControl(QObject):
    """A button that runs and stops a job about an image, its progress, and a sentence about it."""

    asked = Signal()
    changed = Signal()

    def __init__(self, text: str, dock: Dock) -> None:
        super().__init__(dock)
        self._text = text
        self._steps = StepQueue(self)
        self.about: Any = None
        self.running: Job | None = None
        self.button = _primary_button(text, dock.viewer.theme)
        self.progress = QProgressBar(visible=False)
        policy = self.progress.sizePolicy()
        policy.setRetainSizeWhenHidden(True)
        self.progress.setSizePolicy(policy)
        self.status = QLabel(wordWrap=True, alignment=Qt.AlignmentFlag.AlignTop)
        self.status.setTextFormat(Qt.TextFormat.PlainText)  # names may look like HTML
        self.status.setMinimumHeight(3 * self.status.fontMetrics().lineSpacing())
        self.button.clicked.connect(lambda: self.stop() if self.running else self.asked.emit())
        dock.closed.connect(self._abandon)
        dock.follow(dock.viewer.layers.events.removed, self._on_removed)

    def run(self, make: Callable[[], tuple[Image, Work]], on_event: OnEvent) -> None:
        """Start the work that `make` returns with its image, or say why there is none.

        What `on_event` does with the events is done step by step.
        """
        try:
            self.about, work = make()
        except CryopickError as error:
            self.say(str(error), wrong=True)
            return
        job = self.running = Job(partial(_beside_the_window, work), self)
        job.happened.connect(lambda event: self._steps.add(self._take(event, on_event)))
        job.ended.connect(lambda: self._steps.add(self._end()))
        self.button.setText("Stop")
        self.progress.setRange(0, 0)
        self.progress.setFormat("")
        self.progress.show()
        self.say("Loading…")
        self.changed.emit()
        job.start()

    def stop(self) -> None:
        """Ask for the end of the work; what was reached is kept."""
        if self.running is not None:
            self.running.stop()
            self.button.setText("Stopping…")
            self.button.setEnabled(False)

    def say(self, sentence: str, wrong: bool = False) -> None:
        """Show a sentence; in red if something is wrong."""
        self.status.setText(sentence)
        self.status.setStyleSheet(f"color: {ERROR_COLOUR}" if wrong else "")

    def show_progress(self, done: int, total: int, seconds_left: float) -> None:
        """Show how far the work is."""
        self.progress.setRange(0, total)
        self.progress.setValue(done)
        self.progress.setFormat(f"{done} of {total}, {duration(seconds_left)} left")

    def _abandon(self) -> None:
        if self.running is not None:
            self.running.abandon()

    def _on_removed(self, event: Event) -> None:
        if self.running is not None and event.value == self.about:
            self.stop()
            self.say("Stopped, because the micrographs were removed.")

    def _take(self, event: object, on_event: OnEvent) -> Iterator[None]:
        if isinstance(event, JobError):
            self.say(event.message, wrong=True)
        else:
            yield from on_event(event)

    def _end(self) -> Iterator[None]:
        self.running = None
        self.button.setText(self._text)
        self.button.setEnabled(True)
        self.progress.hide()
        self.changed.emit()
        yield


def throttled(function: Callable[[], None], parent: QObject, pause_ms: int = 100) -> Any:
    """Return a function that calls another one a moment later, once for any number of calls."""
    return qthrottled(lambda: function(), timeout=pause_ms, leading=False, parent=parent)


def duration(seconds: float) -> str:
    """Return a rough duration, as a person would say it."""
    return f"{ceil(seconds)} s" if seconds < 90 else f"{round(seconds / 60)} min"


def pluralise(number: int, noun: str) -> str:
    """Return "1 pick" or "12 picks"."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def _primary_button(text: str, theme: str) -> QPushButton:
    button = QPushButton(text, minimumHeight=30)
    colour = get_theme(theme).current.as_hex()
    button.setStyleSheet(
        f"QPushButton {{ background: {colour}; color: white; font-weight: bold; }}"
        "QPushButton:disabled { background: palette(mid); }"
    )
    return button
