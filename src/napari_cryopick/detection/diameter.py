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
from ..model.device import choose_device
from ..model.registry import load_model
from ..model.unet import AREA_RADIUS
from ..model.weights import Model
from ..picks import Status
from .events import DiameterEvent, DiameterProgress, DiameterResult, Maps
from .inference import predict_maps
from .peaks import pick

CANDIDATES_ANGSTROM = tuple(float(d) for d in np.geomspace(70.0, 420.0, 6).round())
FEWEST_ACROSS = 4
"""A micrograph is at least so many particles wide."""

SURE = 0.7
"""Score from which on a pick counts: in noise, many that are less likely add up."""

FEWEST = 1
"""Particles of one size that there must be on a micrograph, on average."""

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
) -> Iterator[DiameterEvent]:
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
    DiameterProgress, DiameterResult
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
) -> Iterator[DiameterEvent]:
    """Try a few sizes, and find between them the one at which most particles are so large."""
    particles: list[float] = []
    begun, total = perf_counter(), len(CANDIDATES_ANGSTROM) * len(micrographs)
    for diameter in CANDIDATES_ANGSTROM:
        looks: list[Look] = []
        for micrograph in micrographs:
            looks.append(_look(model, micrograph, diameter))
            done = len(particles) * len(micrographs) + len(looks)
            left = (perf_counter() - begun) / done * (total - done)
            yield DiameterProgress(done - 1, total, diameter, left)
            if stop is not None and stop.is_set():
                return
        particles.append(_agreement(looks))
    if max(particles) < FEWEST * len(micrographs):
        raise CryopickError(
            "No particles of any size were found to estimate the diameter from; give it."
        )
    yield DiameterResult(_summit(particles), max(particles), len(micrographs))


def _agreement(looks: Sequence[Look]) -> float:
    """How many particles are about so large as was tried."""
    scores, sizes = (np.concatenate(column) for column in zip(*looks, strict=True))
    deviations = np.log(np.maximum(sizes, 1e-3)) / TOLERANCE
    return float((scores * np.exp(-0.5 * deviations**2))[scores >= SURE].sum())


def _summit(particles: Sequence[float]) -> float:
    """The diameter with most particles: a parabola through the best candidate and those beside."""
    best = int(np.argmax(particles))
    place = float(best)
    if 0 < best < len(particles) - 1:
        below, most, above = particles[best - 1 : best + 2]
        place += 0.5 * (below - above) / (below - 2 * most + above)
    steps = np.arange(len(particles))
    return float(np.exp(np.interp(place, steps, np.log(CANDIDATES_ANGSTROM))))


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
