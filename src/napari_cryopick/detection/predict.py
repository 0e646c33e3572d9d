"""Predict micrographs, one event each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from threading import Event
from time import perf_counter

from ..errors import CryopickError
from ..imaging.prepare import prepare
from ..io import read_micrograph
from ..micrograph import Failed, Micrograph
from ..model.device import choose_device
from ..model.registry import load_model
from ..model.weights import Model
from ..picks import Picks, Status
from . import PredictSettings
from .events import Maps, Predicted, PredictionEvent
from .inference import predict_maps
from .peaks import pick


def predict_many(
    micrographs: Sequence[Path], settings: PredictSettings, stop: Event | None = None
) -> Iterator[PredictionEvent]:
    """Pick micrographs one after the other; what goes wrong with one leaves the others alone.

    Parameters
    ----------
    micrographs
        Their files.
    settings
        Particle diameter in Å, model, threshold and so on.
    stop
        Once set, no further micrograph is begun.

    Yields
    ------
    Predicted or Failed
        One for each micrograph.

    Raises
    ------
    CryopickError
        If there is no such model or device.
    """
    model = load_model(settings.model)
    model.network.to(choose_device(settings.device))
    for index, path in enumerate(micrographs):
        if stop is not None and stop.is_set():
            return
        try:
            yield _predicted(model, settings, index, len(micrographs), path)
        except CryopickError as error:
            yield Failed(index, len(micrographs), path, str(error))
        except (MemoryError, RuntimeError) as error:  # of torch, where memory or a device fails
            reason = str(error).partition("\n")[0].rstrip(".")
            message = f"{path} cannot be predicted: {reason}."
            yield Failed(index, len(micrographs), path, message)


def _predicted(
    model: Model, settings: PredictSettings, index: int, total: int, path: Path
) -> Predicted:
    begun, own = perf_counter(), model.card.threshold
    micrograph = read_micrograph(path, settings.pixel_size_angstrom)
    picks, maps = predict(model, micrograph, settings)
    kept = picks[picks.scores >= (own if settings.threshold is None else settings.threshold)]
    scores, sd = picks.with_status(Status.OK).scores, model.card.calibration.offset_sd
    seconds = perf_counter() - begun
    return Predicted(index, total, path, micrograph, kept, maps, own, scores, sd, seconds)


def predict(model: Model, micrograph: Micrograph, settings: PredictSettings) -> tuple[Picks, Maps]:
    """Return all picks of a micrograph, best first and unlikely ones too, and the maps behind them.

    The network stays on its device; model, device, threshold and pixel size in the settings are
    not looked at.
    """
    card = model.card
    border = card.border if settings.border is None else settings.border
    image, rescaling, margins = prepare(micrograph, settings.diameter_angstrom, card.particle_px)
    maps = predict_maps(model.network, image, rescaling.factor, settings.averaging, margins)
    picks = pick(
        maps, micrograph.shape, card.particle_px, card.calibration, border, settings.min_distance
    )
    return picks, maps
