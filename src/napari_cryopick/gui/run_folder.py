"""What lies in the folders of runs, read without torch."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

from ..evaluation.run_data import EVENTS, SETTINGS, RunIteration, read_iterations, read_settings
from ..evaluation.run_log import is_finished


@dataclass(frozen=True)
class SelfTraining:
    """A run of self-training: the settings it was started with, and how far it has come."""

    path: Path
    settings: dict[str, Any]
    finished: bool
    rounds: int

    def can_go_on(self, rounds: int) -> bool:
        """Whether it was interrupted, or had fewer rounds than are asked for.

        One that began with a structure is over.
        """
        return "structure" not in self.settings and (not self.finished or self.rounds < rounds)


def runs_beside(micrograph: Path) -> Path:
    """Where the runs about micrographs go, unless told otherwise."""
    return micrograph.absolute().parent.parent / "cryopick_runs"


def new_run(folder: Path) -> Path:
    """The first of run_1, run_2, … that is free."""
    return next(run for n in count(1) if not (run := folder / f"run_{n}").exists())


def iterations(run: Path) -> list[RunIteration]:
    """The iterations of a run that have been judged, in their order."""
    return [one for one in read_iterations(run, []) if one.judged]


def latest_self_training(folder: Path) -> SelfTraining | None:
    """The run of self-training in a folder of runs that was begun last."""
    written = {path.parent: path.stat().st_mtime_ns for path in folder.glob(f"*/{SETTINGS}")}
    for run in sorted(written, key=written.__getitem__, reverse=True):
        settings = read_settings(run, [])
        if "rounds" in settings:
            rounds = [one.number for one in iterations(run) if not one.is_ensemble]
            return SelfTraining(run, settings, is_finished(run / EVENTS), max(rounds, default=0))
    return None
