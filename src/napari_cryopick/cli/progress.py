"""Progress of long commands, and how they are stopped."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Event
from time import monotonic

from rich import progress

from .. import api
from ..picks import Picks
from ..training.class_marks import ClassMarks
from .terminal import echo, messages, require_writable


class Progress:
    """A bar with the time left on a terminal; elsewhere a plain line at every tenth of the work."""

    def __init__(self, title: str) -> None:
        self._title = title
        self._started = monotonic()
        self._tenth = 0
        self._bar = progress.Progress(
            progress.TextColumn("{task.description}"),
            progress.BarColumn(),
            progress.MofNCompleteColumn(),
            progress.TimeRemainingColumn(elapsed_when_finished=True),
            progress.TextColumn("{task.fields[note]}"),
            console=messages,
            disable=not messages.is_terminal,
        )
        self._task = self._bar.add_task(title, total=None, note="")

    def __enter__(self) -> Progress:
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()

    def update(self, done: int, total: int, note: str) -> None:
        """Show how much is done, and a note on it."""
        self._bar.update(self._task, completed=done, total=total, note=note)
        tenth = 10 * done // total
        if tenth > self._tenth and not messages.is_terminal:
            left = (monotonic() - self._started) / done * (total - done)
            echo(f"{self._title} {done}/{total}, {left:.0f} s left, {note}")
        self._tenth = tenth


@contextmanager
def stop_on_interrupt() -> Iterator[Event]:
    """Give a stop token that Ctrl-C sets; a second Ctrl-C exits at once."""
    stop = Event()

    def handle(*_: object) -> None:
        if stop.is_set():
            raise KeyboardInterrupt
        stop.set()
        os.write(2, b"\nStopping; what is done so far is kept.\n")

    before = signal.signal(signal.SIGINT, handle)
    try:
        yield stop
    finally:
        signal.signal(signal.SIGINT, before)


@contextmanager
def training_input(
    micrographs: Sequence[str],
    picks: Path | None,
    output: Path,
    endings: Sequence[str] = (),
    marks: ClassMarks | None = None,
) -> Iterator[tuple[list[Path], dict[Path, Picks], Event]]:
    """Give micrographs, their picks and a stop token that Ctrl-C sets; make the output folder."""
    inputs = api.training_input(micrographs, picks, endings, marks)
    require_writable(output)
    with stop_on_interrupt() as stop:
        yield *inputs, stop
