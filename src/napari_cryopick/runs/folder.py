"""The folder of a run: everything is on disk before it is reported.

RUN/settings.yaml  labels.sha256  events.jsonl  report.html
RUN/iteration_0_supervised/{model.safetensors, metrics.json, picks.star}
RUN/iteration_1_selftrain/…
RUN/best -> the accepted iteration (a text file with its name where links do not work)
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from shutil import rmtree
from typing import Any

import yaml

from ..errors import CryopickError
from ..io import atomic_path, write_picks, writing_in
from ..io.files import sweep, without_nan
from ..model.registry import BEST, WEIGHTS, best_iteration
from ..model.weights import load_weights, save_weights
from ..picks import PickSet, common_value
from ..training.events import Iteration, TrainingEvent
from ..training.examples import Example
from ..training.loop import EarlierModel, TrainedModel, model_of
from ..training.settings import TrainSettings
from .read import (
    EVENTS_FILE,
    METRICS_FILE,
    PICKS_FILE,
    SETTINGS_FILE,
    RunIteration,
    iterations,
    write_text,
)

LABELS_FILE = "labels.sha256"
CONTINUABLE = {"rounds", "ensemble", "device"}
"""Settings that may change when a run is resumed."""


@dataclass(frozen=True)
class RunFolder:
    """A run on disk."""

    path: Path

    @classmethod
    def create(cls, path: Path, settings: TrainSettings, labels: str) -> RunFolder:
        """Begin a run, with a fingerprint of its labels, in a folder that holds no model yet."""
        if (path / BEST).exists():
            raise CryopickError(f"{path} already holds a run; choose another output folder.")
        with writing_in(path):
            (path / EVENTS_FILE).unlink(missing_ok=True)
            if (path / SETTINGS_FILE).exists():
                for iteration in path.glob("iteration_*_*"):
                    rmtree(iteration)
        write_text(path / LABELS_FILE, labels + "\n")
        return cls(path)._with_settings(settings)

    @classmethod
    def resume(cls, path: Path, settings: TrainSettings, labels: str) -> RunFolder:
        """Go on with a run that was begun with the same settings and labels."""
        file = path / SETTINGS_FILE
        if not file.exists():
            return cls.create(path, settings, labels)
        before = yaml.safe_load(file.read_text(encoding="utf-8"))
        for name, value in settings.model_dump(mode="json").items():
            if name not in CONTINUABLE and before.get(name) != value:
                raise CryopickError(
                    f"{path} was begun with {name} = {before.get(name)}, not {value}; resume it "
                    "with the same settings, or choose another output folder."
                )
        known = path / LABELS_FILE
        if known.exists() and known.read_text(encoding="utf-8").strip() != labels:
            raise CryopickError(
                f"{path} was begun with other picks, labels or micrographs; choose another output "
                "folder for a new run."
            )
        sweep(path)
        return cls(path)._with_settings(settings)

    @property
    def best(self) -> Path:
        """The weights of the best iteration."""
        return self.path / best_iteration(self.path).resolve().name / WEIGHTS

    def finished(self) -> list[RunIteration]:
        """Return the finished iterations, from the initial model on without a gap."""
        found = [one for one in iterations(self.path) if not one.is_ensemble and not one.stopped]
        return [one for number, one in enumerate(found) if one.number == number]

    def earlier(self) -> list[EarlierModel]:
        """Load the finished iterations; forget ensembles, which further rounds will change."""
        for ensemble in self.path.glob("iteration_*_ensemble"):
            rmtree(ensemble)
        finished = self.finished()
        for one in finished:
            if one.accepted:
                self._accept(one.path.name)
        return [
            EarlierModel(load_weights(one.path / WEIGHTS).network, bool(one.accepted))
            for one in finished
        ]

    def save(
        self, model: TrainedModel, settings: TrainSettings, examples: Sequence[Example]
    ) -> Iteration:
        """Write weights, picks and, when all else is there, metrics; return the event."""
        name, result = f"iteration_{model.number}_{model.kind}", model.result
        folder, border = self.path / name, examples[0].border
        save_weights(folder / WEIGHTS, model_of(model.network, result, settings, border))
        picks = {str(path): table for path, table in result.kept.items()}
        size = common_value(example.pixel_size_angstrom for example in examples)
        kept = PickSet(picks, size, diameter_angstrom=settings.diameter_angstrom)
        write_picks(folder / PICKS_FILE, kept)
        metrics = {"name": name, **_metrics(model, settings)}
        write_text(folder / METRICS_FILE, json.dumps(without_nan(metrics), indent=2) + "\n")
        if model.accepted:
            self._accept(name)
        figures = result.f1, result.average_precision, result.threshold, result.count
        path, accepted = folder / WEIGHTS, model.accepted
        return Iteration(model.number, name, path, *figures, accepted, model.reason)

    def log(self, event: TrainingEvent) -> None:
        """Append an event to events.jsonl."""
        fields: Mapping[str, Any] = {"event": type(event).__name__} | asdict(event)
        with writing_in(self.path), (self.path / EVENTS_FILE).open("a", encoding="utf-8") as file:
            file.write(json.dumps(without_nan(fields), default=str) + "\n")

    def _accept(self, iteration: str) -> None:
        """Point `best` at an iteration."""
        with atomic_path(self.path / BEST) as link:
            try:
                link.symlink_to(iteration, target_is_directory=True)
            except OSError:
                link.write_text(iteration + "\n", encoding="utf-8")

    def _with_settings(self, settings: TrainSettings) -> RunFolder:
        text = yaml.safe_dump(settings.model_dump(mode="json"), sort_keys=False)
        write_text(self.path / SETTINGS_FILE, text)
        return self


def _metrics(model: TrainedModel, settings: TrainSettings) -> dict[str, Any]:
    """Return everything that metrics.json says of an iteration but its name."""
    result = model.result
    return {
        "number": model.number,
        "accepted": model.accepted,
        "reason": model.reason,
        "stopped": model.stopped,
        "seconds": model.seconds,
        "complete": settings.complete,
        **result.figures,
        "count": result.count,
        "micrographs": [str(path) for path in result.picks],
        "calibration": result.calibration.model_dump(),
        "expected": asdict(result.expected),
        "pixels": result.pixels.to_dict() if result.pixels else None,
        "pseudo_labels": asdict(model.pseudo_labels) if model.pseudo_labels else None,
        "held_out_picks": result.held_out,
    }
