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
from typing import TYPE_CHECKING, Any

import yaml

from ..errors import CryopickError
from ..io import atomic_path, write_picks, writing_in
from ..io.files import sweep, without_nan
from ..model.registry import BEST, WEIGHTS
from ..picks import PickSet, common_value
from ..training.events import Iteration, TrainingEvent
from ..training.settings import TrainSettings
from .read import EVENTS_FILE, METRICS_FILE, PICKS_FILE, SETTINGS_FILE, write_text

if TYPE_CHECKING:
    from ..training.examples import Example
    from ..training.loop import EarlierModel, TrainedModel

LABELS_FILE = "labels.sha256"
CONTINUABLE = {"rounds", "ensemble", "device"}
"""Settings that may change when a run is resumed."""


@dataclass(frozen=True)
class RunFolder:
    """A run on disk."""

    path: Path

    @classmethod
    def create(cls, path: Path, settings: TrainSettings, labels: str) -> RunFolder:
        """Begin a run in a folder that holds no model yet.

        Parameters
        ----------
        labels
            Fingerprint of the labels.

        Raises
        ------
        CryopickError
            If a trained model is there already, or the folder cannot be written to.
        """
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
        """Go on with a run that was killed or stopped, or add rounds to a finished one.

        Raises
        ------
        CryopickError
            If it was begun with other settings or labels.
        """
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

    def finished(self) -> list[dict[str, Any]]:
        """Return the metrics of finished iterations, from the initial model on."""
        found: list[dict[str, Any]] = []
        for folder in sorted(self.path.glob("iteration_*_s*"), key=_number):
            file = folder / METRICS_FILE
            metrics = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
            if metrics.get("number") != len(found) or metrics.get("stopped"):
                break
            found.append(metrics)
        return found

    def earlier(self) -> list[EarlierModel]:
        """Load the finished iterations; forget ensembles, which further rounds will change.

        Raises
        ------
        CryopickError
            If the weights of one are missing.
        """
        from ..model.weights import load_weights
        from ..training.loop import EarlierModel

        for ensemble in self.path.glob("iteration_*_ensemble"):
            rmtree(ensemble)
        finished = self.finished()
        for metrics in finished:
            if metrics["accepted"]:
                self._accept(metrics["name"])
        return [
            EarlierModel(load_weights(self.weights(one["name"])).network, one["accepted"])
            for one in finished
        ]

    def save(
        self, model: TrainedModel, settings: TrainSettings, examples: Sequence[Example]
    ) -> Iteration:
        """Write weights, picks and, when all else is there, metrics; return the event."""
        from ..model.weights import save_weights
        from ..training.loop import model_of

        name = f"iteration_{model.number}_{model.kind}"
        save_weights(
            self.weights(name), model_of(model.network, model.result, settings, examples[0].border)
        )
        picks = {str(path): table for path, table in model.result.kept.items()}
        size = common_value(example.pixel_size_angstrom for example in examples)
        write_picks(
            self.path / name / PICKS_FILE,
            PickSet(picks, size, diameter_angstrom=settings.diameter_angstrom),
        )
        metrics = {"name": name, **_metrics(model, settings)}
        write_text(
            self.path / name / METRICS_FILE, json.dumps(without_nan(metrics), indent=2) + "\n"
        )
        if model.accepted:
            self._accept(name)
        return Iteration(
            model.number,
            name,
            self.weights(name),
            model.result.f1,
            model.result.average_precision,
            model.result.threshold,
            model.result.count,
            model.accepted,
            model.reason,
        )

    def log(self, event: TrainingEvent) -> None:
        """Append an event to events.jsonl."""
        fields: Mapping[str, Any] = {"event": type(event).__name__} | asdict(event)
        with writing_in(self.path), (self.path / EVENTS_FILE).open("a", encoding="utf-8") as file:
            file.write(json.dumps(without_nan(fields), default=str) + "\n")

    def weights(self, iteration: str) -> Path:
        """Return the weights file of an iteration."""
        return self.path / iteration / WEIGHTS

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


def _number(folder: Path) -> int:
    number = folder.name.split("_")[1]
    return int(number) if number.isdecimal() else -1
