"""The files of a run folder, and what they hold, read without torch."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import count
from math import nan
from pathlib import Path
from typing import Annotated, Any

import yaml
from pydantic import AliasPath, BaseModel, BeforeValidator, ConfigDict, Field

from ..errors import CryopickError
from ..io import PickSet, atomic_path, read_picks
from ..io.files import reading
from ..model.registry import best_iteration

SETTINGS_FILE, EVENTS_FILE = "settings.yaml", "events.jsonl"
METRICS_FILE, PICKS_FILE = "metrics.json", "picks.star"
_ITERATION = re.compile(r"iteration_(\d+)_\w+")

Nullable = Annotated[float, BeforeValidator(lambda value: nan if value is None else value)]
"""A number that is null in JSON where it is not known, and NaN here."""


class RunIteration(BaseModel):
    """The initial model of a run (number 0), a round of self-training or the ensemble.

    It is `finished` if its metrics are there and can be read. Precision, recall, F1 and average
    precision are measured on held-out labels; what is unknown is NaN or None. `micrographs` are
    the paths of those that were searched, `count` the picks on them.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    number: int
    path: Path
    finished: bool = True
    best: bool = False
    accepted: bool | None = None
    reason: str = ""
    stopped: bool = False
    complete: bool | None = None
    f1: Nullable = nan
    precision: Nullable = nan
    recall: Nullable = nan
    average_precision: Nullable = nan
    expected_precision: Nullable = Field(nan, validation_alias=AliasPath("expected", "precision"))
    expected_recall: Nullable = Field(nan, validation_alias=AliasPath("expected", "recall"))
    threshold: Nullable = nan
    count: int | None = None
    micrographs: tuple[str, ...] = ()
    pixels: dict[str, Nullable] | None = None
    pseudo_labels: dict[str, Any] | None = None
    seconds: Nullable = nan

    @property
    def is_ensemble(self) -> bool:
        """Whether it joins the models of earlier iterations."""
        return is_ensemble(self.path.name)

    @property
    def title(self) -> str:
        """What to call it in a table."""
        if not self.number:
            return "initial model"
        return "ensemble" if self.is_ensemble else f"round {self.number}"

    @property
    def phrase(self) -> str:
        """What to call it within a sentence."""
        return self.title if self.title.startswith("round") else f"the {self.title}"

    def picks(self) -> PickSet:
        """Read its picks."""
        return read_picks(self.path / PICKS_FILE)


@dataclass(eq=False)
class RunData:
    """What a run folder holds; what is missing or broken is left out.

    Attributes
    ----------
    started, finished
        Fields of the last events of these kinds.
    losses, iteration_ends
        Total loss by step, and the last step of each iteration that took any.
    """

    path: Path
    settings: Mapping[str, Any]
    iterations: list[RunIteration]
    started: Mapping[str, Any] = field(default_factory=dict)
    finished: Mapping[str, Any] = field(default_factory=dict)
    losses: dict[int, float] = field(default_factory=dict)
    iteration_ends: set[int] = field(default_factory=set)

    @property
    def best(self) -> RunIteration | None:
        """The iteration that `best` leads to, or else the one accepted last."""
        candidates = [one for one in self.iterations if one.best or one.accepted]
        return max(candidates, key=lambda one: (one.best, one.number), default=None)


def read_run(path: Path) -> RunData:
    """Read a run, finished or not.

    Raises
    ------
    CryopickError
        If the folder does not exist or holds no run.
    """
    with reading(path, "a training run"):
        names = {file.name for file in path.iterdir()}
    run, step = RunData(path, read_settings(path), list(_iterations(path))), 0
    if not run.iterations and names.isdisjoint((SETTINGS_FILE, EVENTS_FILE)):
        raise CryopickError(f"{path} holds no run; give the folder that a training wrote.")
    for event in _events(path):
        match event:
            case {"event": "Started"}:
                run.started, run.finished, step = event, {}, 0
            case {"event": "Step", "step": int(step), "losses": {"total": float(loss)}}:
                run.losses[step] = loss
            case {"event": "Iteration"} if step:
                run.iteration_ends.add(step)
            case {"event": "Finished"}:
                run.finished = event
    return run


def read_settings(run: Path) -> dict[str, Any]:
    """Read the settings a run was started with; none if they are missing or broken."""
    try:
        settings = yaml.safe_load((run / SETTINGS_FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError, yaml.YAMLError):
        return {}
    return settings if isinstance(settings, dict) else {}


def iterations(run: Path) -> list[RunIteration]:
    """Read the finished iterations of a run, by number."""
    return [one for one in _iterations(run) if one.finished]


def is_ensemble(name: str) -> bool:
    """Whether the iteration of this name joins the models of earlier ones."""
    return name.endswith("_ensemble")


def _iterations(run: Path) -> Iterator[RunIteration]:
    matches = [(_ITERATION.fullmatch(folder.name), folder) for folder in run.glob("iteration_*")]
    best = best_iteration(run).resolve().name
    for number, folder in sorted((int(match[1]), folder) for match, folder in matches if match):
        known = {"number": number, "path": folder, "best": folder.name == best}
        try:
            metrics = json.loads((folder / METRICS_FILE).read_text(encoding="utf-8"))
            yield RunIteration.model_validate({"accepted": True} | metrics | known)
        except (OSError, ValueError, TypeError):
            reason = f"Its {METRICS_FILE} is missing or broken."
            yield RunIteration.model_validate(known | {"finished": False, "reason": reason})


def _events(run: Path, first: int = 0) -> Iterator[dict[str, Any]]:
    """Read the events of a run from a line on; a line that was cut off is left out."""
    file = run / EVENTS_FILE
    for line in file.read_bytes().splitlines()[first:] if file.is_file() else ():
        with suppress(ValueError):
            yield json.loads(line)


@dataclass(frozen=True)
class SelfTrainingRun:
    """A run of self-training: its settings, and how many rounds are finished."""

    path: Path
    settings: dict[str, Any]
    finished: bool
    rounds: int

    def can_resume(self, rounds: int) -> bool:
        """Whether it was interrupted, or had fewer rounds than are asked for."""
        return not self.finished or self.rounds < rounds


def latest_self_training(folder: Path) -> SelfTrainingRun | None:
    """Find the run of self-training in a folder of runs that was begun last."""
    written = {path.parent: path.stat().st_mtime_ns for path in folder.glob(f"*/{SETTINGS_FILE}")}
    for run in sorted(written, key=written.__getitem__, reverse=True):
        settings = read_settings(run)
        if "rounds" in settings:
            rounds = [one.number for one in iterations(run) if not one.is_ensemble]
            last = next(_events(run, -1), {})
            finished = last.get("event") == "Finished" and not last.get("stopped")
            return SelfTrainingRun(run, settings, finished, max(rounds, default=0))
    return None


def runs_beside(micrograph: Path) -> Path:
    """Return the default folder for runs about micrographs."""
    return micrograph.absolute().parent.parent / "cryopick_runs"


def new_run(folder: Path) -> Path:
    """Return the first of run_1, run_2, … that is free."""
    return next(run for n in count(1) if not (run := folder / f"run_{n}").exists())


def write_text(path: Path, text: str) -> None:
    """Write a text file of a run, whole or not at all."""
    with atomic_path(path) as part:
        part.write_text(text, encoding="utf-8")
