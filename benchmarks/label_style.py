"""What do labels leave out? How near to the edges they come, and how pure the surest picks are.

    python benchmarks/label_style.py MICROGRAPHS PARTICLES --diameter Å --pixel-size Å --model RUN

If even the picks a model is surest of are often unlabelled, it is the labels that limit precision.
Prints the share of labelled particles among the best picks of all micrographs, and F1 at the
model's threshold, with the model's own border and with that of the labels.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from napari_cryopick.detection.events import Predicted
from napari_cryopick.detection.predict import predict_many
from napari_cryopick.detection.settings import PredictSettings
from napari_cryopick.io import find_micrographs, match_picks, read_header, read_picks
from napari_cryopick.metrics.matching import match
from napari_cryopick.metrics.particles import score_particles
from napari_cryopick.picks import Picks, Status
from napari_cryopick.training.holdout import kept_border

EVERY_PICK = 0.01
RANKS = (0.1, 0.25, 0.5, 0.75, 1.0)
"""Numbers of picks, over that of labels."""


def purity(found: dict[Path, Picks], truth: dict[Path, Picks], diameter_px: float) -> str:
    """Share of labelled particles among the best picks, by their number."""
    scores, hits = [], []
    for path, picks in found.items():
        kept = picks.with_status(Status.OK)
        hit = np.zeros(len(kept), bool)
        pairs = match(kept.positions, truth[path].positions, diameter_px / 2, kept.scores)
        hit[pairs.found] = True
        scores.append(kept.scores)
        hits.append(hit)
    ranked = np.concatenate(hits)[np.argsort(-np.concatenate(scores))]
    labels = sum(map(len, truth.values()))
    return ", ".join(f"{ranked[: round(share * labels)].mean():.3f}" for share in RANKS)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("micrographs")
    parser.add_argument("particles")
    parser.add_argument("--diameter", type=float, required=True)
    parser.add_argument("--pixel-size", type=float, required=True)
    parser.add_argument("--model", required=True)
    arguments = parser.parse_args()
    diameter_px = arguments.diameter / arguments.pixel_size
    truth = match_picks(
        read_picks(Path(arguments.particles)), find_micrographs([arguments.micrographs])
    )
    shapes = {path: read_header(path).shape for path in truth}
    border = kept_border(truth, shapes, dict.fromkeys(truth, diameter_px))
    print(f"Labels keep {border:.2f} diameters from the edges.")
    print(f"Labelled among the best {', '.join(map(str, RANKS))} times as many picks as labels:")
    for chosen in (None, border):
        settings = PredictSettings(
            diameter_angstrom=arguments.diameter,
            pixel_size_angstrom=arguments.pixel_size,
            model=arguments.model,
            threshold=EVERY_PICK,
            border=chosen,
        )
        events = [e for e in predict_many(list(truth), settings) if isinstance(e, Predicted)]
        found = {event.path: event.picks for event in events}
        scores = score_particles(found, truth, diameter_px, threshold=events[0].threshold)
        name = "own border" if chosen is None else "labels' border"
        print(
            f"{name:15} {purity(found, truth, diameter_px)}; F1 {scores.macro.f1:.3f}, at the best "
            f"threshold {scores.best_f1:.3f}, average precision {scores.average_precision:.3f}"
        )


if __name__ == "__main__":
    main()
