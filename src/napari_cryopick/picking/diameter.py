"""How large the particles are, where nobody says: what a model makes of a few sizes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

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


@dataclass(frozen=True)
class Diameter:
    """An estimate, and how many particles of about this size speak for it."""

    angstrom: float
    particles: float


def estimate_diameter(
    paths: Sequence[Path],
    model: str,
    pixel_size_angstrom: float | None = None,
    device: str = "auto",
) -> Diameter:
    """Estimate the particle diameter from a few of some micrographs.

    Parameters
    ----------
    model
        A name, a weights file or a run folder.
    pixel_size_angstrom
        In place of what the files say.

    Raises
    ------
    CryopickError
        If nothing like particles of any size is found, or no micrograph can be used.
    """
    loaded = load_model(model)
    loaded.network.to(choose_device(device))
    chosen = np.unique(np.linspace(0, len(paths) - 1, LOOKED_AT).round().astype(int))
    micrographs = [read_micrograph(paths[i], pixel_size_angstrom) for i in chosen]
    for micrograph in micrographs:
        require_pixel_size(micrograph)
    return largest_agreement(loaded, micrographs)


def largest_agreement(model: Model, micrographs: Sequence[Micrograph]) -> Diameter:
    """Try a few sizes; the one at which particles are most, and as large as that, is refined."""
    tried = [_try(model, micrographs, diameter) for diameter in CANDIDATES_ANGSTROM]
    best = max(tried, key=lambda found: found.particles)
    if best.particles < 1:
        raise CryopickError(
            "No particles of any size were found to estimate the diameter from; give it."
        )
    return max(best, _try(model, micrographs, best.angstrom), key=lambda found: found.particles)


def _try(model: Model, micrographs: Sequence[Micrograph], diameter_angstrom: float) -> Diameter:
    """Particles that are about so large, and how large they are."""
    looks = [_look(model, each, diameter_angstrom) for each in micrographs]
    scores, sizes = (np.concatenate(column) for column in zip(*looks, strict=True))
    fitting = scores * np.exp(-0.5 * (np.log(np.maximum(sizes, 1e-3)) / TOLERANCE) ** 2)
    if not fitting.sum():
        return Diameter(diameter_angstrom, 0.0)
    size = np.exp(np.average(np.log(np.maximum(sizes, 1e-3)), weights=fitting))
    return Diameter(float(diameter_angstrom * size), float(fitting.sum()))


def _look(
    model: Model, micrograph: Micrograph, diameter_angstrom: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
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
