"""The folder of a run: everything on disk before anything is told or drawn.

RUN/settings.yaml  labels.sha256  events.jsonl  report.html
RUN/iteration_0_supervised/{model.safetensors, metrics.json, picks.star}
RUN/iteration_1_selftrain/…
RUN/best -> the accepted iteration
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from shutil import rmtree
from typing import Any

import yaml
from pydantic import BaseModel

from ..errors import CryopickError
from ..io import PickSet, atomic_path, write_picks, writing_in
from ..io.files import sweep, without_nan
from ..model.registry import BEST, WEIGHTS
from ..model.weights import Model, save_weights
from ..picks import Picks
from ..training.events import TrainingEvent
from .read import told_by_the_end

SUPERVISED = "iteration_0_supervised"
METRICS, LABELS = "metrics.json", "labels.sha256"
CONTINUABLE = {"rounds", "ensemble", "device"}
"""Settings that may be others when a run goes on."""


def iteration_name(number: int) -> str:
    """The folder of the supervised start (0) or of a round of self-training."""
    return f"iteration_{number}_selftrain" if number else SUPERVISED


@dataclass(frozen=True)
class RunFolder:
    """A run on disk."""

    path: Path

    @classmethod
    def create(cls, path: Path, settings: BaseModel, labels: str) -> RunFolder:
        """Begin a run in a folder that holds none, or one that came to nothing.

        Parameters
        ----------
        labels
            Fingerprint of what the run learns from.

        Raises
        ------
        CryopickError
            If a trained model is there already, or the folder cannot be written to.
        """
        if (path / BEST).exists():
            raise CryopickError(f"{path} already holds a run; choose another output folder.")
        with writing_in(path):
            (path / "events.jsonl").unlink(missing_ok=True)
            for iteration in path.glob("iteration_*_*"):
                rmtree(iteration)
        _write(path / LABELS, labels + "\n")
        return cls(path)._with_settings(settings)

    @classmethod
    def resume(cls, path: Path, settings: BaseModel, labels: str) -> RunFolder:
        """Go on with a run that was killed or stopped, or add rounds to one that was finished.

        One that was killed before its first file was written begins anew.

        Raises
        ------
        CryopickError
            If it was begun with other settings or labels.
        """
        file = path / "settings.yaml"
        if not file.exists():
            return cls.create(path, settings, labels)
        before = yaml.safe_load(file.read_text(encoding="utf-8"))
        for name, value in settings.model_dump(mode="json").items():
            if name not in CONTINUABLE and before.get(name) != value:
                raise CryopickError(
                    f"{path} was begun with {name} = {before.get(name)}, not {value}; go on with "
                    "the same settings, or choose another output folder."
                )
        known = path / LABELS
        if known.exists() and known.read_text(encoding="utf-8").strip() != labels:
            raise CryopickError(
                f"{path} was begun with other picks, labels or micrographs; choose another output "
                "folder for a new run."
            )
        sweep(path)
        return cls(path)._with_settings(settings)

    def _with_settings(self, settings: BaseModel) -> RunFolder:
        text = yaml.safe_dump(settings.model_dump(mode="json"), sort_keys=False)
        _write(self.path / "settings.yaml", text)
        return self

    def weights(self, iteration: str) -> Path:
        return self.path / iteration / WEIGHTS

    def metrics(self, iteration: str) -> dict[str, Any] | None:
        """The figures of an iteration that was finished; None of any other."""
        file = self.path / iteration / METRICS
        if not file.exists():
            return None
        figures: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
        return figures

    def done(self) -> list[dict[str, Any]]:
        """Figures of the iterations that were finished, from the supervised start on."""
        found: list[dict[str, Any]] = []
        while (figures := self.metrics(iteration_name(len(found)))) and "number" in figures:
            if figures.get("stopped"):
                break
            found.append(figures)
        return found

    def forget_ensembles(self) -> None:
        """Remove what was joined of earlier iterations, now that there will be others."""
        for ensemble in self.path.glob("iteration_*_ensemble"):
            rmtree(ensemble)

    def save_model(self, iteration: str, model: Model, file: str = WEIGHTS) -> Path:
        path = self.path / iteration / file
        save_weights(path, model)
        return path

    def save_metrics(self, iteration: str, metrics: Mapping[str, object]) -> None:
        _write(
            self.path / iteration / METRICS,
            json.dumps(without_nan(metrics), indent=2) + "\n",
        )

    def save_picks(self, iteration: str, picks: Mapping[Path, Picks], pixel_size: float) -> None:
        by_name = {str(path): table for path, table in picks.items()}
        write_picks(self.path / iteration / "picks.star", PickSet(by_name, pixel_size))

    def accept(self, iteration: str) -> None:
        """Point `best` at an iteration."""
        with atomic_path(self.path / BEST) as link:
            link.symlink_to(iteration, target_is_directory=True)

    def ended_with(self, iteration: str) -> bool:
        """Whether it once came to its end with this one, so that going on means more rounds."""
        return iteration in told_by_the_end(self.path / "events.jsonl")

    def log(self, event: TrainingEvent) -> None:
        """Append an event to events.jsonl."""
        line = json.dumps(without_nan({"event": type(event).__name__} | asdict(event)), default=str)
        with (
            writing_in(self.path),
            (self.path / "events.jsonl").open("a", encoding="utf-8") as file,
        ):
            file.write(line + "\n")


def _write(path: Path, text: str) -> None:
    with atomic_path(path) as part:
        part.write_text(text, encoding="utf-8")
