"""What lies in the folders of runs, read without torch."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from math import nan
from pathlib import Path
from typing import Any

from ..network.zoo import BEST

SETTINGS, EVENTS, METRICS, PICKS = "settings.yaml", "events.jsonl", "metrics.json", "picks.star"
_TAIL_BYTES = 1 << 16


@dataclass(frozen=True)
class Judged:
    """An iteration as its figures on disk tell; NaN or None where they do not.

    Attributes
    ----------
    complete
        Whether figures are measured on complete labels; otherwise they are estimated from clicks.
    best
        Whether it is the run's model now.
    """

    path: Path
    number: int
    f1: float
    average_precision: float
    threshold: float
    count: int | None
    accepted: bool
    reason: str
    complete: bool
    best: bool


@dataclass(frozen=True)
class SelfTraining:
    """A run of self-training: the settings it was started with, and how far it has come."""

    path: Path
    settings: dict[str, Any]
    finished: bool
    rounds: int

    def can_go_on(self, rounds: int) -> bool:
        """Whether it was interrupted, or had fewer rounds than are asked for."""
        return not self.finished or self.rounds < rounds


def runs_beside(micrograph: Path) -> Path:
    """Where the runs about micrographs go, unless told otherwise."""
    return micrograph.absolute().parent.parent / "cryopick_runs"


def new_run(folder: Path) -> Path:
    """The first of run_1, run_2, … that is free."""
    return next(run for n in count(1) if not (run := folder / f"run_{n}").exists())


def iterations(run: Path) -> list[Judged]:
    """The iterations of a run that have been judged, in their order."""
    best = (run / BEST).resolve()
    found = [_judged(path, metrics, best) for path, metrics in _metrics(run)]
    return sorted(found, key=lambda one: one.number)


def latest_self_training(folder: Path) -> SelfTraining | None:
    """The run of self-training in a folder of runs that was begun last."""
    written = {path: path.stat().st_mtime_ns for path in folder.glob(f"*/{SETTINGS}")}
    for path in sorted(written, key=written.__getitem__, reverse=True):
        settings = _settings(path)
        if "rounds" in settings:
            run = path.parent
            rounds = max((one.number for one in iterations(run)), default=0)
            return SelfTraining(run, settings, _is_finished(run / EVENTS), rounds)
    return None


def _metrics(run: Path) -> Iterator[tuple[Path, dict[str, Any]]]:
    """Folders of iterations and their figures, but for broken ones."""
    for path in run.glob(f"iteration_*/{METRICS}"):
        try:
            yield path.parent, json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            continue


def _judged(path: Path, metrics: dict[str, Any], best: Path) -> Judged:
    def figure(name: str) -> float:
        value = metrics.get(name)
        return nan if value is None else float(value)

    return Judged(
        path,
        int(metrics.get("number") or path.name.split("_")[1]),
        figure("f1"),
        figure("average_precision"),
        figure("threshold"),
        metrics.get("count"),
        bool(metrics.get("accepted", True)),
        metrics.get("reason") or "",
        bool(metrics.get("complete")),
        path.resolve() == best,
    )


def _settings(path: Path) -> dict[str, Any]:
    import yaml

    try:
        settings = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, yaml.YAMLError):
        return {}
    return settings if isinstance(settings, dict) else {}


def _is_finished(events: Path) -> bool:
    """Whether the last event says so; what comes before is of no interest."""
    try:
        with events.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - _TAIL_BYTES))
            lines = file.read().splitlines()
        return bool(json.loads(lines[-1])["event"] == "Finished")
    except (OSError, ValueError, LookupError):
        return False
