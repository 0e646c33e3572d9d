"""How large the particles are, where nobody says: what a model makes of a few sizes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from threading import Event
from time import perf_counter

import numpy as np
from numpy.typing import NDArray

from ..errors import CryopickError
from ..imaging.prepare import prepare
from ..io import read_micrograph, require_pixel_size
from ..micrograph import Micrograph
from ..network.architectures import AREA_RADIUS
from ..network.device import choose_device
from ..network.weights import Model
from ..network.zoo import load_model
from ..picks import Status
from .events import Estimated, EstimationEvent, Looked
from .infer import predict_maps
from .maps import Maps
from .pick import pick

CANDIDATES_ANGSTROM = tuple(float(d) for d in np.geomspace(70.0, 420.0, 6).round())
FEWEST_ACROSS = 4
"""A micrograph is at least so many particles wide."""

TOLERANCE = 0.25
"""How far a size may be off for its picks to count, as a logarithm."""

LOOKED_AT = 3
"""Micrographs, spread over all of them, that an estimate rests on."""

Look = tuple[NDArray[np.float64], NDArray[np.float64]]


def estimate_diameter(
    paths: Sequence[Path],
    model: str,
    pixel_size_angstrom: float | None = None,
    device: str = "auto",
    stop: Event | None = None,
) -> Iterator[EstimationEvent]:
    """Estimate the particle diameter from a few of some micrographs.

    Parameters
    ----------
    model
        A name, a weights file or a run folder.
    pixel_size_angstrom
        In place of what the files say.
    stop
        Once set, nothing more is looked at, and there is no estimate.

    Yields
    ------
    Looked, Estimated
        One for each look at a micrograph, then the estimate.

    Raises
    ------
    CryopickError
        If nothing like particles of any size is found, or a micrograph cannot be used.
    """
    loaded = load_model(model)
    loaded.network.to(choose_device(device))
    chosen = np.unique(np.linspace(0, len(paths) - 1, LOOKED_AT).round().astype(int))
    micrographs = [read_micrograph(paths[i], pixel_size_angstrom) for i in chosen]
    for micrograph in micrographs:
        require_pixel_size(micrograph)
    yield from largest_agreement(loaded, micrographs, stop)


def largest_agreement(
    model: Model, micrographs: Sequence[Micrograph], stop: Event | None = None
) -> Iterator[EstimationEvent]:
    """Try a few sizes; the one at which particles are most, and as large as that, is refined."""
    tried: list[Estimated] = []
    begun, total = perf_counter(), (len(CANDIDATES_ANGSTROM) + 1) * len(micrographs)
    for diameter in _sizes_to_try(tried):
        looks: list[Look] = []
        for micrograph in micrographs:
            looks.append(_look(model, micrograph, diameter))
            done = len(tried) * len(micrographs) + len(looks)
            left = (perf_counter() - begun) / done * (total - done)
            yield Looked(done - 1, total, diameter, left)
            if stop is not None and stop.is_set():
                return
        tried.append(_agreement(looks, diameter))
    yield _best(tried)


def _sizes_to_try(tried: Sequence[Estimated]) -> Iterator[float]:
    """All candidates, then what the best of them came to."""
    yield from CANDIDATES_ANGSTROM
    yield _best(tried).angstrom


def _best(tried: Sequence[Estimated]) -> Estimated:
    best = max(tried, key=lambda found: found.particles)
    if best.particles < 1:
        raise CryopickError(
            "No particles of any size were found to estimate the diameter from; give it."
        )
    return best


def _agreement(looks: Sequence[Look], diameter_angstrom: float) -> Estimated:
    """Particles that are about so large, and how large they are."""
    scores, sizes = (np.concatenate(column) for column in zip(*looks, strict=True))
    logarithms = np.log(np.maximum(sizes, 1e-3))
    fitting = scores * np.exp(-0.5 * (logarithms / TOLERANCE) ** 2)
    if not fitting.sum():
        return Estimated(diameter_angstrom, 0.0, len(looks))
    size = np.exp(np.average(logarithms, weights=fitting))
    return Estimated(float(diameter_angstrom * size), float(fitting.sum()), len(looks))


def _look(model: Model, micrograph: Micrograph, diameter_angstrom: float) -> Look:
    """Scores of picks, and their diameters over the one that was tried."""
    card = model.card
    nothing = np.empty(0), np.empty(0)
    across = min(micrograph.shape) * (micrograph.pixel_size_angstrom or 0) / diameter_angstrom
    if across < FEWEST_ACROSS:
        return nothing
    image, rescaling = prepare(micrograph, diameter_angstrom, card.particle_px)
    maps = predict_maps(model.network, image, rescaling.factor)
    picks = pick(maps, card, micrograph.shape).with_status(Status.OK)
    centres = rescaling.to_network(picks.positions)
    return picks.scores, _sizes(maps, centres, card.particle_px)


def _sizes(maps: Maps, centres: NDArray, particle_px: float) -> NDArray[np.float64]:
    """Diameters at (n, 2) centres over the usual one: where the area map falls to a half."""
    radii = np.arange(0.0, particle_px, 0.5)
    angles = np.linspace(0, 2 * np.pi, 16, endpoint=False)
    ring = np.stack([np.sin(angles), np.cos(angles)], axis=-1)
    at = centres[:, None, None] + radii[:, None, None] * ring
    y, x = np.clip(np.rint(at).astype(int), 0, np.array(maps.area.shape) - 1).transpose(3, 0, 1, 2)
    profile = np.median(maps.area[y, x], axis=-1)
    edge = radii[np.argmax(profile < 0.5, axis=1)]
    return np.asarray(edge / (AREA_RADIUS * particle_px))
