"""The labelled sets of the benchmarks and how picks are scored on them; README.md says more."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from napari_cryopick.detection import PredictSettings
from napari_cryopick.detection.events import Predicted
from napari_cryopick.detection.predict import predict_many
from napari_cryopick.io import find_micrographs, match_picks, read_picks
from napari_cryopick.metrics.particles import ParticleScores, score_particles
from napari_cryopick.picks import Picks


@dataclass(frozen=True)
class LabelledSet:
    """A folder of micrographs with labels, and labels that count neither as right nor as wrong."""

    folder: str
    diameter_angstrom: float
    pixel_size_angstrom: float
    labels: str = "particles.star"
    ignored: str = ""

    @property
    def diameter_px(self) -> float:
        return self.diameter_angstrom / self.pixel_size_angstrom

    def micrographs(self, data: Path) -> list[Path]:
        """Return the micrographs of the set, in the order of their names."""
        return find_micrographs([data / self.folder / "micrographs"])

    def truth(self, data: Path) -> dict[Path, Picks]:
        """Return the labels by micrograph; there may be none on some."""
        nothing = {path: Picks.at([]) for path in self.micrographs(data)}
        return nothing | self._read(data, self.labels)

    def to_ignore(self, data: Path) -> dict[Path, Picks]:
        """Return the labels to ignore by micrograph."""
        return self._read(data, self.ignored) if self.ignored else {}

    def _read(self, data: Path, name: str) -> dict[Path, Picks]:
        return match_picks(read_picks(data / self.folder / name), self.micrographs(data))


APOFERRITIN = LabelledSet("apoferritin", 126, 1.5)
CONSENSUS = replace(APOFERRITIN, labels="consensus.star", ignored="only_one_person.star")
SINGLE_FRAMES = replace(APOFERRITIN, folder="apoferritin_single_frame")
GALACTOSIDASE = LabelledSet("beta_galactosidase", 191, 1.77)
T20S = LabelledSet("t20s_proteasome", 150, 7.84)
T20S_CERTAIN = replace(T20S, ignored="uncertain.star")

GALACTOSIDASE_BORDER = 1.15
"""Diameters from the edge within which nobody has labelled β-galactosidase (`limits.py`)."""


def predictions(
    labelled: LabelledSet,
    micrographs: Sequence[Path],
    model: str,
    stretch: float = 1.0,
    border: float | None = None,
) -> tuple[dict[Path, Picks], float]:
    """Return all picks by micrograph, however unlikely, and the model's own threshold.

    `stretch` multiplies the diameter, `border` (in true diameters) replaces the model's own.
    """
    settings = PredictSettings(
        diameter_angstrom=labelled.diameter_angstrom * stretch,
        pixel_size_angstrom=labelled.pixel_size_angstrom,
        border=border and border / stretch,
        model=model,
        threshold=0,
    )
    events = [e for e in predict_many(micrographs, settings) if isinstance(e, Predicted)]
    return {event.path: event.picks for event in events}, events[0].threshold


def score(
    labelled: LabelledSet, data: Path, found: dict[Path, Picks], threshold: float | None
) -> ParticleScores:
    """Score the picks of those micrographs for which there are any."""
    truth = labelled.truth(data)
    return score_particles(
        found,
        {path: truth[path] for path in found},
        labelled.diameter_px,
        labelled.pixel_size_angstrom,
        threshold,
        labelled.to_ignore(data),
    )


def clicks(picks: Picks, count: int | None, rng: np.random.Generator) -> Picks:
    """Draw so many picks at random, as a person would click on some particles; None takes all."""
    if count is None:
        return picks
    return picks[rng.choice(len(picks), min(count, len(picks)), replace=False)]


def spread(values: Iterable[float], digits: int = 3) -> str:
    """Return the mean of values and their range."""
    numbers = list(values)
    low, high = min(numbers), max(numbers)
    return f"{np.mean(numbers):.{digits}f} ({low:.{digits}f}–{high:.{digits}f})"


def parser(description: str) -> argparse.ArgumentParser:
    """Return a parser for a benchmark on labelled sets."""
    arguments = argparse.ArgumentParser(description=description)
    arguments.add_argument("data", type=Path, help="folder of labelled sets, see README.md")
    return arguments


def write_json(file: Path | None, figures: object) -> None:
    """Write figures to a file, if one is named."""
    if file:
        file.write_text(json.dumps(figures, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
