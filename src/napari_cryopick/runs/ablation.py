"""An ablation: the same data, and one part of a recipe more from row to row.

OUTPUT/ablation.md  ablation.csv
OUTPUT/seed_0/bce/                   a run, with the figures of an iteration in its test_….json
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from math import ceil
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from ..errors import CryopickError
from ..metrics.curves import score_curve
from ..metrics.particles import score_particles
from ..metrics.pixels import score_pixels
from ..model.registry import load_model
from ..picks import Picks
from ..training.events import Step
from ..training.settings import SCRATCH, SelfTrainSettings
from . import train
from .read import write_text

if TYPE_CHECKING:
    from ..training.validation import Prediction

TRAININGS: dict[str, dict[str, Any]] = {
    "bce": {"loss": "bce", "augmentation": 0.0, "rounds": 0},
    "focal-dice": {"loss": "focal-dice", "augmentation": 0.0, "rounds": 0},
    "self-training": {"loss": "focal-dice"},
}
"""What each training of a split changes of the settings."""

FIGURES = ("pixel F1", "pixel IoU", "pixel ROC-AUC", "particle F1", "AP")
FIXED_THRESHOLD = 0.5


class AblationRow(NamedTuple):
    """A model of a training; adaptive thresholds come from the labels held out of it."""

    name: str
    training: str
    iteration: int = 0
    adaptive: bool = True


class AblationSettings(SelfTrainSettings):
    """Settings of an ablation: of its trainings, and how they are compared."""

    seeds: int = Field(3, ge=1, description="Random splits into training and test micrographs.")
    scale: float = Field(
        1.0, gt=0, le=1, description="Share of all steps and epochs to take, for a quick look."
    )

    @classmethod
    def _defaults(cls, values: Mapping[str, Any]) -> dict[str, Any]:
        ours = {"complete": True, "keep_every_round": True, "initial_model": SCRATCH}
        return ours | super()._defaults(ours | dict(values))

    def of_training(self, name: str, seed: int) -> SelfTrainSettings:
        """Return the settings of one training of one split."""
        values = self.model_dump(exclude={"seeds", "scale"})
        for count in ("steps", "epochs", "round_steps", "round_epochs"):
            values[count] = ceil(self.scale * values[count])
        return SelfTrainSettings(**values | {"seed": self.seed + seed} | TRAININGS[name])


@dataclass(frozen=True)
class AblationProgress:
    """So many of all trainings are done, the one under way as a fraction."""

    training: str
    seed: int
    done: float
    total: int


def ablate(
    micrographs: Sequence[Path],
    picks: Mapping[Path, Picks],
    settings: AblationSettings,
    output: Path,
    stop: Event | None = None,
) -> Iterator[AblationProgress]:
    """Measure what each part of a recipe is worth, over several random splits.

    `picks` are every particle of the annotated micrographs; the others serve self-training. What
    is finished in the output folder is not repeated.
    """
    stop, scores = stop or Event(), list[dict[str, Any]]()
    jobs = [(seed, name) for seed in range(settings.seeds) for name in TRAININGS]
    for job, (seed, name) in enumerate(jobs):
        labelled, unlabelled, test = split(micrographs, picks, settings, seed)
        known, truth = ({path: picks[path] for path in part} for part in (labelled, test))
        chosen, run = settings.of_training(name, seed), output / f"seed_{seed}" / name
        for event in train(labelled + unlabelled, known, chosen, run, stop=stop, resume=True):
            if isinstance(event, Step):
                yield AblationProgress(name, seed, job + event.step / event.steps, len(jobs))
        if stop.is_set():
            break
        scores += [
            {"row": row.name} | _score(row, folder, known, truth, chosen)
            for row in ablation_rows(settings.rounds)
            for folder in run.glob(f"iteration_{row.iteration}_s*")
            if row.training == name
        ]
    _write_tables(output, scores, settings)


def ablation_rows(rounds: int) -> list[AblationRow]:
    """Return the rows of the table, each with one part more than the one above."""
    names = {n: f"+ self-training, iteration {n}" for n in range(1, rounds + 1)}
    return [
        AblationRow("Baseline (BCE)", "bce", adaptive=False),
        AblationRow("+ combined loss (focal + Dice)", "focal-dice", adaptive=False),
        AblationRow("+ adaptive thresholds", "focal-dice"),
        AblationRow("+ strong augmentation", "self-training"),
        *(AblationRow(name, "self-training", number) for number, name in names.items()),
    ]


def split(
    micrographs: Sequence[Path], annotated: Collection[Path], settings: AblationSettings, seed: int
) -> tuple[list[Path], list[Path], list[Path]]:
    """Return labelled, unlabelled and test micrographs, drawn at random.

    Half of the annotated micrographs are for tests. Where there are no others, half of the
    remaining labels are hidden for self-training.
    """
    known = [path for path in micrographs if path in annotated]
    others = [path for path in micrographs if path not in annotated]
    hide = bool(settings.rounds) and not others
    if len(known) < 2 + hide:
        raise CryopickError(
            f"{len(known)} annotated micrographs are too few to train and test on; "
            f"annotate at least {2 + hide}."
        )
    order = np.random.default_rng(settings.seed + seed).permutation(len(known))
    drawn = [known[i] for i in order]
    tests = len(known) // 2
    last = tests + ceil((len(known) - tests) / (1 + hide))
    return sorted(drawn[tests:last]), others + sorted(drawn[last:]), sorted(drawn[:tests])


def _score(
    row: AblationRow,
    folder: Path,
    labelled: Mapping[Path, Picks],
    truth: Mapping[Path, Picks],
    settings: SelfTrainSettings,
) -> dict[str, float]:
    """Score an iteration on test micrographs, or read what an earlier session has found."""
    from ..training.examples import load_examples
    from ..training.validation import calibrated, predict_examples

    file = folder / f"test_{'adaptive' if row.adaptive else 'fixed'}.json"
    if file.exists():
        return dict(json.loads(file.read_text(encoding="utf-8")))
    model = load_model(folder)
    pixel_threshold = particle_threshold = FIXED_THRESHOLD
    if row.adaptive:
        held_out = load_examples(list(labelled), labelled, {}, settings)
        area, discs = _area_and_discs(predict_examples(model.network, held_out), held_out=True)
        best_f1, best = score_curve(area, discs, int(discs.sum())).best_f1
        pixel_threshold = best if best_f1 else FIXED_THRESHOLD
        particle_threshold = model.card.threshold
    examples = load_examples(list(truth), truth, {}, settings)
    examples = [replace(example, border=model.card.border) for example in examples]
    predictions = predict_examples(model.network, examples)
    pixels = score_pixels(*_area_and_discs(predictions), threshold=pixel_threshold)
    found = calibrated(predictions, model.card.calibration).picks
    particles = score_particles(found, truth, examples[0].diameter_px, threshold=particle_threshold)
    values = pixels.f1, pixels.iou, pixels.roc_auc, particles.macro.f1, particles.average_precision
    figures = dict(zip(FIGURES, values, strict=True))
    write_text(file, json.dumps(figures))
    return figures


def _area_and_discs(
    predictions: Sequence[Prediction], held_out: bool = False
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Return all pixels of the area maps, and whether each lies within a particle."""
    from ..training.targets import distances

    area, discs = [], []
    for prediction in predictions:
        example = prediction.example
        wanted = example.held_out_rows if held_out else slice(None)
        centres = example.rescaling.to_network(example.particles.positions)
        mask = distances(example.map_shape, centres).numpy() <= example.particle_px / 2
        area.append(prediction.maps.area[wanted].ravel())
        discs.append(mask[wanted].ravel())
    return np.concatenate(area), np.concatenate(discs)


def _write_tables(
    folder: Path, scores: Sequence[Mapping[str, Any]], settings: AblationSettings
) -> None:
    """Write the mean, lowest and highest figures of each row over the seeds, in per cent."""
    import pandas as pd

    frame = pd.DataFrame(scores, columns=["row", *FIGURES])
    table = frame.groupby("row", sort=False)[list(FIGURES)].agg(["mean", "min", "max"]) * 100
    table.columns = [" ".join(names) for names in table.columns]
    write_text(folder / "ablation.csv", table.to_csv(float_format="%.4g"))
    lines = [
        "Per cent on test micrographs: mean (lowest–highest) over random splits.",
        f"Recipe: {settings.recipe or 'none'}; seeds: {settings.seeds}; scale: {settings.scale:g}.",
        "",
        f"| | {' | '.join(FIGURES)} |",
        "|---|" + "---:|" * len(FIGURES),
    ]
    for name, *values in table.itertuples():
        spreads = zip(values[0::3], values[1::3], values[2::3], strict=True)
        cells = (f"{mean:.1f} ({low:.1f}–{high:.1f})" for mean, low, high in spreads)
        lines.append(f"| {name} | {' | '.join(cells)} |")
    write_text(folder / "ablation.md", "\n".join(lines) + "\n")
