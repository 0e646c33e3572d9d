"""Predicting many micrographs, one event each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from threading import Event
from time import perf_counter

from ..errors import CryopickError
from ..imaging.prepare import prepare
from ..io import read_micrograph
from ..micrograph import Micrograph
from ..model.device import choose_device
from ..model.registry import load_model
from ..model.weights import Model
from ..picks import Picks, Status
from .events import Failed, Maps, Predicted, PredictionEvent
from .inference import predict_maps
from .peaks import pick
from .settings import PredictSettings


def predict_many(
    micrographs: Sequence[Path], settings: PredictSettings, stop: Event | None = None
) -> Iterator[PredictionEvent]:
    """Pick micrographs one after the other; what goes wrong with one leaves the others alone.

    Parameters
    ----------
    micrographs
        Their files.
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
        begun = perf_counter()
        try:
            micrograph = read_micrograph(path, settings.pixel_size_angstrom)
            picks, maps = predict(model, micrograph, settings)
            kept = picks[picks.scores >= _threshold(model, settings)]
        except CryopickError as error:
            yield Failed(index, len(micrographs), path, str(error))
        else:
            seconds = perf_counter() - begun
            yield Predicted(
                index,
                len(micrographs),
                path,
                micrograph,
                kept,
                maps,
                model.card.threshold,
                float(picks.with_status(Status.OK).scores.sum()),
                seconds,
            )


def predict(model: Model, micrograph: Micrograph, settings: PredictSettings) -> tuple[Picks, Maps]:
    """All picks of one micrograph, the unlikely ones too, and the maps that they come of."""
    card = model.card
    if settings.border is not None:
        card = card.model_copy(update={"border": settings.border})
    image, rescaling = prepare(micrograph, settings.diameter_angstrom, card.particle_px)
    maps = predict_maps(model.network, image, rescaling.factor, settings.averaging)
    return pick(maps, card, micrograph.shape, settings.min_distance), maps


def _threshold(model: Model, settings: PredictSettings) -> float:
    return model.card.threshold if settings.threshold is None else settings.threshold
