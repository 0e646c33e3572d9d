"""Estimate the particle diameter: predict a few micrographs at several sizes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import product
from pathlib import Path
from threading import Event
from time import perf_counter

import numpy as np
from numpy.typing import NDArray

from ..errors import CryopickError
from ..imaging.prepare import Rescaling
from ..io import check_pixels, read_micrograph, require_pixel_size
from ..micrograph import Micrograph
from ..model.device import choose_device
from ..model.registry import load_model
from ..model.unet import AREA_RADIUS
from ..model.weights import Model
from ..picks import Status
from . import PredictSettings
from .events import DiameterEvent, DiameterProgress, DiameterResult, Maps
from .predict import predict

CANDIDATES_ANGSTROM = tuple(float(d) for d in np.geomspace(70.0, 420.0, 6).round())
"""Sizes that are tried, 1.43 times apart: models find particles up to a fifth off in size."""

SIZE_TOLERANCE = 0.25
"""Standard deviation, as a logarithm, of how far a pick's size may be from the candidate; below the
0.36 between two candidates."""

MIN_SCORE = 0.7
"""From which on a pick counts: in noise, many that are less likely add up."""

MIN_PARTICLES_ACROSS = 4
"""Candidates of which fewer fit side by side into a micrograph are left out: hardly any particle
would be whole."""

MAX_MICROGRAPHS = 3
"""Spread over all of them, that an estimate rests on: 18 predictions, seconds on a CPU."""


MOST_TRIED = 30
"""Of which the first usable ones are taken: seconds, even where none is."""


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
    paths, pixel_size_angstrom
        Files of the micrographs, and their pixel size in place of that in the files.
    model, device
        As in `PredictSettings`.
    stop
        Once set, no further micrograph is predicted, and there is no estimate.

    Yields
    ------
    DiameterProgress, DiameterResult
        One for each micrograph at each size, then the estimate.

    Raises
    ------
    CryopickError
        If nothing like particles of any size is found, or no micrograph can be used.
    """
    loaded = load_model(model)
    loaded.network.to(choose_device(device))
    micrographs = _usable(paths, pixel_size_angstrom)
    begun, n = perf_counter(), len(micrographs)
    total = n * len(CANDIDATES_ANGSTROM)
    fitting: list[float] = []
    for done, (diameter, micrograph) in enumerate(product(CANDIDATES_ANGSTROM, micrographs), 1):
        fitting.append(_count_fitting(loaded, micrograph, diameter))
        left = (perf_counter() - begun) / done * (total - done)
        yield DiameterProgress(done - 1, total, diameter, left)
        if stop is not None and stop.is_set():
            return
    particles = [sum(fitting[i : i + n]) for i in range(0, total, n)]
    if max(particles) < n:
        raise CryopickError(
            "No particles of any size were found to estimate the diameter from; give it."
        )
    yield DiameterResult(_vertex(particles), max(particles), n)


def _usable(paths: Sequence[Path], pixel_size_angstrom: float | None) -> list[Micrograph]:
    """Read a few micrographs spread over all; others take the place of unusable ones."""
    read: list[Micrograph] = []
    problems: list[CryopickError] = []
    for path in dict.fromkeys(_spread(paths, MAX_MICROGRAPHS) + _spread(paths, MOST_TRIED)):
        if len(read) < MAX_MICROGRAPHS:
            try:
                micrograph = read_micrograph(path, pixel_size_angstrom)
                require_pixel_size(micrograph)
                check_pixels(micrograph)
                read.append(micrograph)
            except CryopickError as error:
                problems.append(error)
    if not read:
        raise problems[0]
    return read


def _spread(paths: Sequence[Path], count: int) -> list[Path]:
    return [paths[i] for i in np.linspace(0, len(paths) - 1, count).round().astype(int)]


def _vertex(particles: Sequence[float]) -> float:
    """Return the diameter with most particles: the vertex of a parabola through the best."""
    best = int(np.argmax(particles))
    at = float(best)
    if 0 < best < len(particles) - 1:
        below, most, above = particles[best - 1 : best + 2]
        at += 0.5 * (below - above) / (below - 2 * most + above)
    steps = np.arange(len(particles))
    return float(np.exp(np.interp(at, steps, np.log(CANDIDATES_ANGSTROM))))


def _count_fitting(model: Model, micrograph: Micrograph, diameter_angstrom: float) -> float:
    """Predict a micrograph at one size, and return how many particles are about as large."""
    across = min(micrograph.shape) * require_pixel_size(micrograph) / diameter_angstrom
    if across < MIN_PARTICLES_ACROSS:
        return 0.0
    picks, maps = predict(model, micrograph, PredictSettings(diameter_angstrom=diameter_angstrom))
    picks = picks.with_status(Status.OK)
    picks = picks[picks.scores >= MIN_SCORE]
    centres = Rescaling(maps.scale).to_network(picks.positions)
    ratios = _diameters(maps, centres, model.card.particle_px)
    deviations = np.log(np.maximum(ratios, 1e-3)) / SIZE_TOLERANCE
    return float((picks.scores * np.exp(-0.5 * deviations**2)).sum())


def _diameters(maps: Maps, centres: NDArray, particle_px: float) -> NDArray[np.float64]:
    """Return diameters at (n, 2) centres over `particle_px`: where the area map falls to a half."""
    radii = np.arange(0.0, particle_px, 0.5)
    angles = np.linspace(0, 2 * np.pi, 16, endpoint=False)
    ring = np.stack([np.sin(angles), np.cos(angles)], axis=-1)
    at = centres[:, None, None] + radii[:, None, None] * ring
    y, x = np.clip(np.rint(at).astype(int), 0, np.array(maps.area.shape) - 1).transpose(3, 0, 1, 2)
    profile = np.median(maps.area[y, x], axis=-1)
    edge = radii[np.argmax(profile < 0.5, axis=1)]
    return np.asarray(edge / (AREA_RADIUS * particle_px))
