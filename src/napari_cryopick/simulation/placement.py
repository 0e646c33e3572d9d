"""Particles, broken ones and aggregates, laid into the ice."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import fft

from .body import Body, preferred_rotations, random_axes, random_rotations
from .parallel import each
from .projection import add, project, shadow
from .scene import Scene
from .settings import MicrographSettings

_TRIES = 20


def place(
    diameters_px: NDArray,
    shape: tuple[int, int],
    rng: np.random.Generator,
    spacing: float = 0.9,
    clustering: float = 0.0,
    overlapping: float = 0.0,
) -> tuple[NDArray[np.float64], NDArray[np.intp]]:
    """Positions of particles, as many as fit.

    Parameters
    ----------
    spacing
        Least distance of two centres, in mean diameters of the two.
    clustering
        Share of particles that are tried beside one that is there already.
    overlapping
        Share that keeps no distance.

    Returns
    -------
    positions, which
        (n, 2) positions (y, x) in pixels, and (n,) indices of the particles that found a place.
    """
    positions, sizes = np.empty((len(diameters_px), 2)), np.empty(len(diameters_px))
    which: list[int] = []
    for index, diameter in enumerate(diameters_px):
        n, free = len(which), rng.uniform() < overlapping
        for _ in range(_TRIES):
            beside = n > 0 and rng.uniform() < clustering
            candidate = (
                _beside(positions[:n], sizes[:n], diameter, rng)
                if beside
                else rng.uniform(size=2) * shape - 0.5
            )
            apart = np.hypot(*(positions[:n] - candidate).T)
            if free or (apart >= spacing * (sizes[:n] + diameter) / 2).all():
                positions[n], sizes[n] = candidate, diameter
                which.append(index)
                break
    return positions[: len(which)], np.array(which, dtype=np.intp)


def _beside(
    positions: NDArray, sizes: NDArray, diameter: float, rng: np.random.Generator
) -> NDArray[np.float64]:
    """A place that nearly touches one of the particles."""
    chosen = rng.integers(len(positions))
    angle = rng.uniform(0, 2 * np.pi)
    distance = rng.uniform(0.95, 1.5) * (sizes[chosen] + diameter) / 2
    return np.asarray(positions[chosen] + distance * np.array([np.sin(angle), np.cos(angle)]))


def fast_shape(shape: tuple[int, int], margin: int) -> tuple[int, int]:
    """At least this margin around a field, as an area that is quick to transform."""
    height, width = (fft.next_fast_len(edge + 2 * margin) for edge in shape)
    return height, width


@dataclass(frozen=True, eq=False)
class Crowd:
    """The whole particles of an area.

    Attributes
    ----------
    positions
        (n, 2) centres (y, x) in pixels.
    kinds
        (n,) indices of their bodies.
    """

    positions: NDArray[np.float64]
    kinds: NDArray[np.intp]


def add_particles(
    scene: Scene,
    bodies: Sequence[Body],
    axes: Sequence[NDArray],
    count: int,
    settings: MicrographSettings,
    rng: np.random.Generator,
) -> Crowd:
    """Lay about so many particles into an area, of all bodies alike."""
    kinds = rng.integers(len(bodies), size=count)
    diameters = np.array([body.diameter_angstrom for body in bodies]) / scene.pixel_size_angstrom
    clustering = rng.uniform(*settings.clustering)
    positions, which = place(
        diameters[kinds], scene.shape, rng, settings.spacing, clustering, settings.overlapping
    )
    kinds = kinds[which]
    for kind, body in enumerate(bodies):
        mine = positions[kinds == kind]
        lay(scene, [body] * len(mine), mine, orient(len(mine), axes[kind], settings, rng), True)
    return Crowd(positions, kinds)


def add_fragments(
    scene: Scene, bodies: Sequence[Body], count: int, rng: np.random.Generator
) -> None:
    """Lay broken particles anywhere."""
    parts = [one_of(bodies, rng).broken(rng) for _ in range(count)]
    positions = rng.uniform(size=(count, 2)) * scene.shape
    lay(scene, parts, positions, random_rotations(count, rng), False)


def add_aggregate(scene: Scene, body: Body, rng: np.random.Generator) -> None:
    """Heap 8 to 40 particles, whole and broken, onto each other; nobody should pick them."""
    count = int(rng.integers(8, 40))
    diameter_px = body.diameter_angstrom / scene.pixel_size_angstrom
    reach = 0.35 * diameter_px * np.sqrt(count)  # twice as full as one layer
    edge = int(2 * reach + 2 * diameter_px)
    heap = Scene.empty((edge, edge), scene.pixel_size_angstrom)
    positions = edge / 2 + reach * _in_disc(count, rng) * rng.uniform(0.5, 1, 2)
    parts = [body if rng.uniform() < 0.5 else body.broken(rng) for _ in range(count)]
    lay(heap, parts, positions, random_rotations(count, rng), True)
    y, x = rng.integers(0, scene.shape) - edge // 2
    add(heap.protein, (int(y), int(x)), scene.protein)
    add(heap.shadow, (int(y), int(x)), scene.contamination)


def one_of(bodies: Sequence[Body], rng: np.random.Generator) -> Body:
    """Any of them."""
    return bodies[int(rng.integers(len(bodies)))]


def _in_disc(count: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """Points (count, 2) that fill the unit disc evenly."""
    radius, angle = np.sqrt(rng.uniform(size=count)), rng.uniform(0, 2 * np.pi, count)
    return np.column_stack([radius * np.sin(angle), radius * np.cos(angle)])


def orient(
    count: int, axes: NDArray, settings: MicrographSettings, rng: np.random.Generator
) -> NDArray[np.float64]:
    """Rotations (count, 3, 3) as the settings want them."""
    rotations = random_rotations(count, rng)
    if settings.orientations == "preferred":
        preferring = rng.uniform(size=count) < settings.preferred_share
        rotations[preferring] = preferred_rotations(
            int(preferring.sum()), axes, settings.preferred_spread_degrees, rng
        )
    return rotations


def preferred_axes(
    bodies: Sequence[Body], settings: MicrographSettings, rng: np.random.Generator
) -> list[NDArray]:
    """The sides that each body turns to the beam when it has preferences."""
    return [random_axes(settings.preferred_views, rng) for _ in bodies]


def lay(
    scene: Scene, bodies: Sequence[Body], positions: NDArray, rotations: NDArray, whole: bool
) -> None:
    """Add bodies at positions to the map of protein, and to that of shadows if they are whole."""
    size = scene.pixel_size_angstrom

    def make(index: int) -> tuple[NDArray, tuple[int, int], NDArray | None]:
        box, corner = project(bodies[index], rotations[index], positions[index], size)
        return box, corner, shadow(box, size) if whole else None

    for start in range(0, len(bodies), 64):
        for box, corner, seen in each(make, range(start, min(start + 64, len(bodies)))):
            add(box, corner, scene.protein)
            if seen is not None:
                add(seen, corner, scene.shadow)
