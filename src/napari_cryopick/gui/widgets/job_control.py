"""The button that runs and stops a job, how far it is, and a sentence about it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from math import ceil
from typing import Any

from napari.utils.theme import get_theme
from qtpy.QtCore import QObject, Qt, Signal
from qtpy.QtWidgets import QLabel, QProgressBar, QPushButton

from .jobs import Job, Refused, Turns, Work

ERROR_COLOUR = "#ff6b6b"

OnEvent = Callable[[Any], Iterator[None]]


class JobControl(QObject):
    """Three widgets about one job at a time; whoever owns them lays them out.

    Parameters
    ----------
    text
        What the button says while nothing runs; then it stops.
    theme
        Name of napari's theme.
    """

    asked = Signal()
    begun = Signal()
    ended = Signal()

    def __init__(self, text: str, theme: str, parent: QObject) -> None:
        super().__init__(parent)
        self._text = text
        self._turns = Turns(self)
        self.job: Job | None = None
        self.button = _primary_button(text, theme)
        self.progress = _quiet_progress()
        self.status = QLabel()
        self.status.setWordWrap(True)
        self.status.setAlignment(Qt.AlignmentFlag.AlignTop)
        self.status.setMinimumHeight(3 * self.status.fontMetrics().lineSpacing())
        self.button.clicked.connect(self._on_click)

    def start(self, work: Work, on_event: OnEvent) -> None:
        """Run some work; what `on_event` does with its events is done step by step."""
        job = self.job = Job(work, self)
        job.happened.connect(lambda event: self._turns.add(self._take(event, on_event)))
        job.ended.connect(lambda: self._turns.add(self._end()))
        self.button.setText("Stop")
        self.progress.setRange(0, 0)
        self.progress.setFormat("")
        self.progress.show()
        self.tell("Loading…")
        self.begun.emit()
        job.start()

    def stop(self) -> None:
        """Ask for the end of the work; what was reached is kept."""
        if self.job is not None:
            self.job.stop()
            self.button.setText("Stopping…")
            self.button.setEnabled(False)

    def leave(self) -> None:
        """Ask for the end of the work, and show nothing any more."""
        if self.job is not None:
            self.job.abandon()

    def tell(self, sentence: str, wrong: bool = False) -> None:
        """Show a sentence; in red if something is wrong."""
        self.status.setText(sentence)
        self.status.setStyleSheet(f"color: {ERROR_COLOUR}" if wrong else "")

    def show_progress(self, done: int, total: int, seconds_left: float) -> None:
        """How far the work is."""
        self.progress.setRange(0, total)
        self.progress.setValue(done)
        self.progress.setFormat(f"{done} of {total}, {duration(seconds_left)} left")

    def _on_click(self) -> None:
        if self.job is None:
            self.asked.emit()
        else:
            self.stop()

    def _take(self, event: Any, on_event: OnEvent) -> Iterator[None]:
        if isinstance(event, Refused):
            self.tell(event.message, wrong=True)
        else:
            yield from on_event(event)

    def _end(self) -> Iterator[None]:
        self.job = None
        self.button.setText(self._text)
        self.button.setEnabled(True)
        self.progress.hide()
        self.ended.emit()
        yield


def duration(seconds: float) -> str:
    """Roughly, as a person would say it."""
    if seconds < 90:
        return f"{ceil(seconds)} s"
    return f"{round(seconds / 60)} min"


def _primary_button(text: str, theme: str) -> QPushButton:
    button = QPushButton(text)
    colour = get_theme(theme).current.as_hex()
    button.setStyleSheet(
        f"QPushButton {{ background: {colour}; color: white; font-weight: bold; }}"
        "QPushButton:disabled { background: palette(mid); }"
    )
    button.setMinimumHeight(30)
    return button


def _quiet_progress() -> QProgressBar:
    """A progress bar whose coming and going moves nothing else."""
    progress = QProgressBar()
    policy = progress.sizePolicy()
    policy.setRetainSizeWhenHidden(True)
    progress.setSizePolicy(policy)
    progress.hide()
    return progress
