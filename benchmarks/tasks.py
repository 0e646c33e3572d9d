"""What benchmarks share that train on real micrographs, and pick others."""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from napari_cryopick.detection.events import Predicted
from napari_cryopick.detection.predict import predict_many
from napari_cryopick.detection.settings import PredictSettings
from napari_cryopick.metrics.particles import ParticleScores, score_particles
from napari_cryopick.picks import Picks

EVERY_PICK = 0.01


def parse_arguments(description: str) -> argparse.Namespace:
    """Where the micrographs are, how many seeds of which tasks to run, and where to write them."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("data", type=Path)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--only", default="", help="part of a task's name")
    parser.add_argument("--json", type=Path)
    return parser.parse_args()


def score_model(
    model: Path,
    micrographs: Sequence[Path],
    truth: Mapping[Path, Picks],
    sizes: Mapping[str, float],
    diameter_angstrom: float,
) -> ParticleScores:
    """Pick micrographs, and hold the picks at the model's own threshold against all particles."""
    settings: Any = {**sizes, "model": str(model), "threshold": EVERY_PICK}
    events = predict_many(micrographs, PredictSettings(**settings))
    found = [event for event in events if isinstance(event, Predicted)]
    return score_particles(
        {event.path: event.picks for event in found},
        {path: truth[path] for path in micrographs},
        diameter_angstrom / sizes["pixel_size_angstrom"],
        sizes["pixel_size_angstrom"],
        threshold=found[0].threshold,
    )


def write_json(file: Path | None, figures: object) -> None:
    """Keep figures, if asked to."""
    if file:
        file.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
