"""The course of a run, from the events it has logged."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from math import isfinite, nan
from pathlib import Path
from typing import Any

_TAIL_BYTES = 1 << 16


@dataclass(eq=False)
class RunLog:
    """What of `events.jsonl` a report shows.

    Attributes
    ----------
    started, finished
        Fields of these events; empty where there was none.
    losses
        Total loss by step; of a step taken twice, in a run that was resumed, the later one.
    ends
        The step at which an iteration was judged, by its number; one that a resumed run takes up
        as it is keeps its place.
    pseudo_labels
        Fields of the event, by number of the iteration.
    """

    started: Mapping[str, Any] = field(default_factory=dict)
    finished: Mapping[str, Any] = field(default_factory=dict)
    losses: dict[int, float] = field(default_factory=dict)
    ends: dict[int, int] = field(default_factory=dict)
    pseudo_labels: dict[int, Mapping[str, Any]] = field(default_factory=dict)


def read_log(path: Path, notes: list[str]) -> RunLog:
    """Read a log, also one whose last line was cut off; notes say what is left out."""
    log = RunLog()
    step = 0
    for event in _events(path, notes):
        match event.get("event"):
            case "Started":
                log.started, log.finished, step = event, {}, 0
            case "Step":
                step = whole(event.get("step")) or step
                log.losses[step] = _total(event)
            case "Iteration" if step:
                log.ends[whole(event.get("number")) or 0] = step
            case "PseudoLabelled":
                log.pseudo_labels[whole(event.get("iteration")) or 0] = event
            case "Finished":
                log.finished = event
    return log


def is_finished(path: Path) -> bool:
    """Whether a run has come to its end, and not because it was stopped.

    Its last event tells, and no more than that is read.
    """
    try:
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - _TAIL_BYTES))
            lines = file.read().splitlines()
    except OSError:
        return False
    return bool(lines) and _is_end(_parse(lines[-1]) or {})


def told_by_the_end(path: Path) -> set[str]:
    """Names of the iterations that a run had come to when it last ended without being stopped.

    It may have gone on since.
    """
    told: set[str] = set()
    by_the_end: set[str] = set()
    for event in _events(path, []):
        if event.get("event") == "Iteration":
            told.add(str(event.get("name")))
        elif _is_end(event):
            by_the_end = set(told)
    return by_the_end


def number(value: object) -> float:
    """A finite number as it is, NaN for everything else."""
    if isinstance(value, (int, float)) and not isinstance(value, bool) and isfinite(value):
        return float(value)
    return nan


def whole(value: object) -> int | None:
    """A whole number, None for everything else."""
    return int(value) if isinstance(value, (int, float)) and isfinite(value) else None


def _events(path: Path, notes: list[str]) -> Iterator[Mapping[str, Any]]:
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        notes.append(f"The loss is left out: {path.name} is missing or cannot be read.")
        return
    events = [_parse(line) for line in lines]
    broken = events.count(None)
    if broken:
        notes.append(f"Broken lines of {path.name} are left out: {broken} of {len(lines)}.")
    yield from (event for event in events if event is not None)


def _is_end(event: Mapping[str, Any]) -> bool:
    return event.get("event") == "Finished" and not event.get("stopped")


def _parse(line: str | bytes) -> Mapping[str, Any] | None:
    try:
        event = json.loads(line)
    except ValueError:
        return None
    return event if isinstance(event, dict) else None


def _total(event: Mapping[str, Any]) -> float:
    losses = event.get("losses")
    return number(losses.get("total")) if isinstance(losses, dict) else nan
