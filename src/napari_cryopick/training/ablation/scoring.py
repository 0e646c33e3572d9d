"""How good a model is on micrographs that no training has seen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...detection.events import Failed, Predicted
from ...detection.inference import predict_maps
from ...detection.predict import predict_many
from ...detection.settings import PredictSettings
from ...errors import CryopickError
from ...imaging.prepare import Rescaling
from ...metrics.curves import score_curve
from ...metrics.particles import score_particles
from ...metrics.pixels import disc_mask, score_pixels
from ...model.device import choose_device
from ...model.registry import load_model
from ...model.unet import PARTICLE_PX
from ...picks import Picks, Status
from ..examples import Example
from ..settings import TrainSettings
from .scores import Scores

FIXED = 0.5
EVERY_PICK = 0.01


@dataclass(frozen=True, eq=False)
class Evidence:
    """What a model makes of the test micrographs, and what is true there."""

    found: Mapping[Path, Picks]
    truth: Mapping[Path, Picks]
    area: NDArray[np.float32]
    discs: NDArray[np.bool_]
    diameter_px: float
    pixel_threshold: float
    particle_threshold: float

    def scores(self, adaptive: bool) -> Scores:
        """The figures, cut where held-out labels say or at `FIXED`."""
        pixel_cut = self.pixel_threshold if adaptive else FIXED
        particle_cut = self.particle_threshold if adaptive else FIXED
        pixels = score_pixels(self.area, self.discs, threshold=pixel_cut)
        particles = score_particles(
            self.found, self.truth, self.diameter_px, threshold=particle_cut
        )
        return Scores(
            pixels.f1,
            pixels.iou,
            pixels.roc_auc,
            particles.macro.f1,
            particles.average_precision,
            pixel_cut,
            particle_cut,
        )


def examine(
    model: Path,
    test: Sequence[Path],
    truth: Mapping[Path, Picks],
    examples: Sequence[Example],
    settings: TrainSettings,
    stop: Event,
) -> Evidence | None:
    """Have a model pick the test micrographs; None if stopped.

    Parameters
    ----------
    examples
        Those that its training had, with what was held out of them.
    """
    found: dict[Path, Picks] = {}
    area, discs, diameters = [], [], []
    wanted = _prediction(model, settings)
    for event in predict_many(test, wanted, stop):
        if isinstance(event, Failed):
            raise CryopickError(event.message)
        found[event.path] = event.picks
        area.append(event.maps.area.ravel())
        discs.append(_discs(event, truth[event.path]).ravel())
        diameters.append(PARTICLE_PX / event.maps.scale)
    if len(found) < len(test):
        return None
    return Evidence(
        found,
        {path: truth[path] for path in test},
        np.concatenate(area),
        np.concatenate(discs),
        float(np.median(diameters)),
        *_adaptive(model, examples, settings),
    )


def _prediction(model: Path, settings: TrainSettings) -> PredictSettings:
    return PredictSettings(
        diameter_angstrom=settings.diameter_angstrom,
        pixel_size_angstrom=settings.pixel_size_angstrom,
        model=str(model),
        threshold=EVERY_PICK,
        device=settings.device,
    )


def _discs(event: Predicted, truth: Picks) -> NDArray[np.bool_]:
    return _mask(event.maps.area.shape, truth, Rescaling(event.maps.scale))


def _mask(shape: Any, picks: Picks, rescaling: Rescaling) -> NDArray[np.bool_]:
    """Discs of the particles' diameter at the network's scale."""
    positions = rescaling.to_network(picks.with_status(Status.OK).positions)
    return disc_mask(tuple(shape), positions, PARTICLE_PX / 2)


def _adaptive(
    file: Path, examples: Sequence[Example], settings: TrainSettings
) -> tuple[float, float]:
    """Where held-out labels say that the area map and the picks be cut."""
    model = load_model(file)
    network = model.network.to(choose_device(settings.device))
    area, discs = [np.empty(0, np.float32)], [np.empty(0, np.bool_)]
    for example in examples:
        if example.picks is None or not example.held_out_rows.any():
            continue
        rows = example.held_out_rows
        maps = predict_maps(network, example.image, example.rescaling.factor)
        mask = _mask(example.image.shape, example.picks, example.rescaling)
        area.append(maps.area[rows].ravel())
        discs.append(mask[rows].ravel())
    truth = np.concatenate(discs)
    best_f1, cut = score_curve(np.concatenate(area), truth, int(truth.sum())).best_f1
    return (cut if best_f1 > 0 else FIXED), model.card.threshold
