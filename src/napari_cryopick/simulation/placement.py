"""Whole particles, fragments and aggregates, placed in the ice."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from .parallel import map_parallel
from .particle_model import ParticleModel, preferred_rotations, random_rotations
from .settings import SimulationSettings
from .specimen import Specimen, add, particle_mask, project

_TRIES, _BOXES = 20, 64
"""Positions tried before a particle is left out, and projections in memory at a time."""


def place_particles(
    specimen: Specimen,
    models: list[ParticleModel],
    count: int,
    settings: SimulationSettings,
    rng: Generator,
) -> tuple[NDArray[np.float64], NDArray[np.intp]]:
    """Place about so many particles; return (n, 2) centres (y, x) in pixels, (n,) their models."""
    kinds = rng.integers(len(models), size=count)
    diameters = np.array([one.diameter_angstrom for one in models]) / specimen.pixel_size_angstrom
    clustering = rng.uniform(*settings.clustering)
    positions, which = draw_positions(
        diameters[kinds], specimen.shape, rng, settings.spacing, clustering, settings.overlapping
    )
    kinds = kinds[which]
    for kind, model in enumerate(models):
        mine = positions[kinds == kind]
        rotations = random_rotations(len(mine), rng)
        if settings.orientations == "preferred":
            chosen = rng.uniform(size=len(mine)) < settings.preferred_share
            rotations[chosen] = preferred_rotations(
                int(chosen.sum()), model.axes, settings.preferred_spread_degrees, rng
            )
        _project_all(specimen, [model] * len(mine), mine, rotations, whole=True)
    return positions, kinds


def draw_positions(
    diameters_px: NDArray,
    shape: tuple[int, int],
    rng: Generator,
    spacing: float = 0.9,
    clustering: float = 0.0,
    overlapping: float = 0.0,
) -> tuple[NDArray[np.float64], NDArray[np.intp]]:
    """Draw (m, 2) positions (y, x) in pixels, and (m,) indices of the particles that fit.

    Centres keep a `spacing` in mean diameters of the two. Of the particles a share is tried beside
    one that is there already, another keeps no distance.
    """
    positions, sizes = np.empty((len(diameters_px), 2)), np.empty(len(diameters_px))
    which: list[int] = []
    for index, diameter in enumerate(diameters_px):
        n, free = len(which), rng.uniform() < overlapping
        for _ in range(_TRIES):
            if n > 0 and rng.uniform() < clustering:
                other, angle = rng.integers(n), rng.uniform(0, 2 * np.pi)
                away = rng.uniform(0.95, 1.5) * (sizes[other] + diameter) / 2  # nearly touching
                candidate = positions[other] + away * np.array([np.sin(angle), np.cos(angle)])
            else:
                candidate = rng.uniform(size=2) * shape - 0.5
            apart = np.hypot(*(positions[:n] - candidate).T)
            if free or (apart >= spacing * (sizes[:n] + diameter) / 2).all():
                positions[n], sizes[n] = candidate, diameter
                which.append(index)
                break
    return positions[: len(which)], np.array(which, dtype=np.intp)


def place_fragments(
    specimen: Specimen, models: list[ParticleModel], count: int, rng: Generator
) -> None:
    """Place broken particles anywhere."""
    parts = [models[int(rng.integers(len(models)))].fragment(rng) for _ in range(count)]
    positions = rng.uniform(size=(count, 2)) * specimen.shape
    _project_all(specimen, parts, positions, random_rotations(count, rng), whole=False)


def place_aggregate(specimen: Specimen, models: list[ParticleModel], rng: Generator) -> None:
    """Heap 8 to 40 of one kind, whole and broken, onto each other; nobody should pick them."""
    model = models[int(rng.integers(len(models)))]
    count = int(rng.integers(8, 40))
    diameter_px = model.diameter_angstrom / specimen.pixel_size_angstrom
    reach = 0.35 * diameter_px * np.sqrt(count)  # twice as full as one layer
    edge = int(2 * reach + 2 * diameter_px)
    heap = Specimen((edge, edge), specimen.pixel_size_angstrom)
    radius, angle = np.sqrt(rng.uniform(size=count)), rng.uniform(0, 2 * np.pi, count)
    disc = np.column_stack([radius * np.sin(angle), radius * np.cos(angle)])
    positions = edge / 2 + reach * disc * rng.uniform(0.5, 1, 2)
    parts = [model if rng.uniform() < 0.5 else model.fragment(rng) for _ in range(count)]
    _project_all(heap, parts, positions, random_rotations(count, rng), whole=True)
    y, x = rng.integers(0, specimen.shape) - edge // 2
    add(heap.protein, (int(y), int(x)), specimen.protein)
    add(heap.particles, (int(y), int(x)), specimen.contamination)


def _project_all(
    specimen: Specimen,
    models: list[ParticleModel],
    positions: NDArray,
    rotations: NDArray,
    whole: bool,
) -> None:
    """Add projections to the protein, and to the mask of particles if they are whole."""
    size = specimen.pixel_size_angstrom

    def make(index: int) -> tuple[NDArray, tuple[int, int], NDArray | None]:
        box, corner = project(models[index], rotations[index], positions[index], size)
        return box, corner, particle_mask(box, size) if whole else None

    for start in range(0, len(models), _BOXES):
        jobs = range(start, min(start + _BOXES, len(models)))
        for box, corner, mask in map_parallel(make, jobs):
            add(box, corner, specimen.protein)
            if mask is not None:
                add(mask, corner, specimen.particles)
