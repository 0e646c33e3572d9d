"""Whole particles, fragments and aggregates, placed in the ice."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .parallel import map_parallel
from .particle_model import ParticleModel, preferred_rotations, random_axes, random_rotations
from .settings import SimulationSettings
from .specimen import Specimen, add, particle_mask, project

_TRIES = 20
"""After so many positions that are taken a particle is left out."""


class Placements(NamedTuple):
    """Where whole particles are: (n, 2) centres (y, x) in pixels, (n,) indices of their models."""

    positions: NDArray[np.float64]
    kinds: NDArray[np.intp]


def draw_positions(
    diameters_px: NDArray,
    shape: tuple[int, int],
    rng: np.random.Generator,
    spacing: float = 0.9,
    clustering: float = 0.0,
    overlapping: float = 0.0,
) -> tuple[NDArray[np.float64], NDArray[np.intp]]:
    """Draw positions of particles, as many as fit.

    Parameters
    ----------
    diameters_px
        (n,) diameters of the particles.
    spacing
        Minimum distance of two centres, in mean diameters of the two.
    clustering
        Share of particles that are tried beside one that is there already.
    overlapping
        Share that keeps no distance.

    Returns
    -------
    positions, which
        (m, 2) positions (y, x) in pixels, and (m,) indices of the particles that fitted.
    """
    positions, sizes = np.empty((len(diameters_px), 2)), np.empty(len(diameters_px))
    which: list[int] = []
    for index, diameter in enumerate(diameters_px):
        n, free = len(which), rng.uniform() < overlapping
        for _ in range(_TRIES):
            if n > 0 and rng.uniform() < clustering:
                candidate = _beside(positions[:n], sizes[:n], diameter, rng)
            else:
                candidate = rng.uniform(size=2) * shape - 0.5
            apart = np.hypot(*(positions[:n] - candidate).T)
            if free or (apart >= spacing * (sizes[:n] + diameter) / 2).all():
                positions[n], sizes[n] = candidate, diameter
                which.append(index)
                break
    return positions[: len(which)], np.array(which, dtype=np.intp)


def _beside(
    positions: NDArray, sizes: NDArray, diameter: float, rng: np.random.Generator
) -> NDArray[np.float64]:
    """Return a position that nearly touches one of the particles."""
    chosen = rng.integers(len(positions))
    angle = rng.uniform(0, 2 * np.pi)
    distance = rng.uniform(0.95, 1.5) * (sizes[chosen] + diameter) / 2
    return np.asarray(positions[chosen] + distance * np.array([np.sin(angle), np.cos(angle)]))


def place_particles(
    specimen: Specimen,
    models: Sequence[ParticleModel],
    axes: Sequence[NDArray],
    count: int,
    settings: SimulationSettings,
    rng: np.random.Generator,
) -> Placements:
    """Place about so many particles in an area, of all models equally many."""
    kinds = rng.integers(len(models), size=count)
    diameters = np.array([one.diameter_angstrom for one in models]) / specimen.pixel_size_angstrom
    clustering = rng.uniform(*settings.clustering)
    positions, which = draw_positions(
        diameters[kinds], specimen.shape, rng, settings.spacing, clustering, settings.overlapping
    )
    kinds = kinds[which]
    for kind, model in enumerate(models):
        mine = positions[kinds == kind]
        rotations = _orientations(len(mine), axes[kind], settings, rng)
        _project_all(specimen, [model] * len(mine), mine, rotations, whole=True)
    return Placements(positions, kinds)


def place_fragments(
    specimen: Specimen, models: Sequence[ParticleModel], count: int, rng: np.random.Generator
) -> None:
    """Place broken particles anywhere."""
    parts = [draw_model(models, rng).fragment(rng) for _ in range(count)]
    positions = rng.uniform(size=(count, 2)) * specimen.shape
    _project_all(specimen, parts, positions, random_rotations(count, rng), whole=False)


def place_aggregate(specimen: Specimen, model: ParticleModel, rng: np.random.Generator) -> None:
    """Heap 8 to 40 particles, whole and broken, onto each other; nobody should pick them."""
    count = int(rng.integers(8, 40))
    diameter_px = model.diameter_angstrom / specimen.pixel_size_angstrom
    reach = 0.35 * diameter_px * np.sqrt(count)  # twice as full as one layer
    edge = int(2 * reach + 2 * diameter_px)
    heap = Specimen((edge, edge), specimen.pixel_size_angstrom)
    positions = edge / 2 + reach * _in_disc(count, rng) * rng.uniform(0.5, 1, 2)
    parts = [model if rng.uniform() < 0.5 else model.fragment(rng) for _ in range(count)]
    _project_all(heap, parts, positions, random_rotations(count, rng), whole=True)
    y, x = rng.integers(0, specimen.shape) - edge // 2
    add(heap.protein, (int(y), int(x)), specimen.protein)
    add(heap.particles, (int(y), int(x)), specimen.contamination)


def draw_model(models: Sequence[ParticleModel], rng: np.random.Generator) -> ParticleModel:
    """Return any of the models."""
    return models[int(rng.integers(len(models)))]


def _in_disc(count: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """Return points (count, 2) that fill the unit disc evenly."""
    radius, angle = np.sqrt(rng.uniform(size=count)), rng.uniform(0, 2 * np.pi, count)
    return np.column_stack([radius * np.sin(angle), radius * np.cos(angle)])


def preferred_axes(
    models: Sequence[ParticleModel], settings: SimulationSettings, rng: np.random.Generator
) -> list[NDArray]:
    """Return the axes (n, 3) that each model turns to the beam where orientations are preferred."""
    return [random_axes(settings.preferred_views, rng) for _ in models]


def _orientations(
    count: int, axes: NDArray, settings: SimulationSettings, rng: np.random.Generator
) -> NDArray[np.float64]:
    """Return rotation matrices (count, 3, 3), uniform or preferred."""
    rotations = random_rotations(count, rng)
    if settings.orientations == "preferred":
        preferring = rng.uniform(size=count) < settings.preferred_share
        rotations[preferring] = preferred_rotations(
            int(preferring.sum()), axes, settings.preferred_spread_degrees, rng
        )
    return rotations


def _project_all(
    specimen: Specimen,
    models: Sequence[ParticleModel],
    positions: NDArray,
    rotations: NDArray,
    *,
    whole: bool,
) -> None:
    """Add projections to the protein, and to the mask of particles if they are whole."""
    size = specimen.pixel_size_angstrom

    def make(index: int) -> tuple[NDArray, tuple[int, int], NDArray | None]:
        box, corner = project(models[index], rotations[index], positions[index], size)
        return box, corner, particle_mask(box, size) if whole else None

    for start in range(0, len(models), 64):  # boxes in memory
        jobs = range(start, min(start + 64, len(models)))
        for box, corner, mask in map_parallel(make, jobs):
            add(box, corner, specimen.protein)
            if mask is not None:
                add(mask, corner, specimen.particles)
