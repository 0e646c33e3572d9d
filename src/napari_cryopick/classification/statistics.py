"""What is known of classes: how well their members agree."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from .alignment import Aligner, Poses
from .averaging import BATCH, Pass, Stack, average, references
from .coefficients import BOX_DIAMETERS, BOX_PX, CYCLES, TINY, Basis, batches
from .events import Classes
from .evidence import particle_probabilities

COARSE_START, PASSES = 2, 4
"""Waves per box that half averages begin with in common, and how often they are aligned. Beyond,
halves that are noise then agree no better than by chance from 5 waves on; halves of one alignment
agree to 0.9 there, as noise takes the shape of its reference."""

MOST = 300
"""Members of a half that are enough to judge by."""

AGREEMENT = 0.5
"""Fourier ring correlation that counts as agreement."""


def describe(
    last: Pass,
    scores: NDArray[np.float64],
    stack: Stack,
    basis: Basis,
    diameter_angstrom: float,
    seed: int,
) -> tuple[Classes, NDArray[np.int_]]:
    """Return the classes, largest first and without empty ones, and the (n,) numbers from 1.

    `scores` are those of the n particles, or NaN.
    """
    order = torch.argsort(last.counts, descending=True, stable=True)
    order = order[last.counts[order] > 0]
    numbers = 1 + (last.poses.classes[:, None] == order).int().argmax(dim=1).cpu().numpy()
    halves = half_set_agreement(stack, basis, numbers, last.averages[order], seed)
    cycles = agreed_cycles(halves)
    correlations = last.correlations.cpu().numpy()
    likely = particle_probabilities(scores, numbers, correlations)
    scored, distances = np.isfinite(scores), last.poses.shifts.square().sum(dim=1).cpu().numpy()
    pixel_size_angstrom = diameter_angstrom * BOX_DIAMETERS / BOX_PX
    resolutions = pixel_size_angstrom * BOX_PX / cycles
    classes = Classes(
        basis.images(last.averages[order] / stack.weights),
        pixel_size_angstrom,
        diameter_angstrom,
        last.counts[order].cpu().numpy(),
        _means(scores[scored], numbers[scored], len(order)),
        _means(correlations, numbers, len(order)),
        _means(likely[scored], numbers[scored], len(order)),
        pixel_size_angstrom * _means(distances, numbers, len(order)) ** 0.5,
        halves,
        resolutions,
    )
    return classes, numbers


def half_set_agreement(
    stack: Stack, basis: Basis, numbers: NDArray[np.int_], averages: Tensor, seed: int
) -> NDArray[np.float64]:
    """Return (K, CYCLES) Fourier ring correlations of the averages of two random halves.

    The halves are aligned without knowledge of each other, as in gold-standard refinement
    (Scheres and Chen 2012, Nat. Methods 9:853), from averages (K, 2F) cut off at `COARSE_START`.
    A single member agrees with nobody: 0.
    """
    random = np.random.default_rng(seed)
    agreement = np.zeros((len(averages), CYCLES))
    for k, whole in enumerate(averages):
        members = random.permutation(np.flatnonzero(numbers == k + 1))[: 2 * MOST]
        if len(members) > 1:
            start = (whole * (basis.rings < COARSE_START))[None]
            halves = map(torch.from_numpy, np.array_split(members, 2))
            one, other = (_aligned_average(stack, basis, half, start) for half in halves)
            pose = Aligner(basis, one[None]).align(other[None])
            (other,), _ = average(other[None], basis, torch.arange(1), pose, 1)
            agreement[k] = ring_correlations(basis, one, other).cpu().numpy()
    return agreement


def ring_correlations(basis: Basis, first: Tensor, second: Tensor) -> Tensor:
    """Return the (CYCLES,) correlations of two images (2F,) in rings of equal resolution."""
    products = torch.stack([first * second, first.square(), second.square()])
    common, one, other = basis.ring_means(products)
    correlations: Tensor = common / (one * other).sqrt().clamp_min(TINY)
    return correlations


def agreed_cycles(correlations: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the (K,) waves per box at which (K, r) ring correlations first fall below 0.5."""
    ends = np.ones(len(correlations)), -np.ones(len(correlations))
    whole = np.column_stack([ends[0], correlations, ends[1]])
    below, rows = (whole < AGREEMENT).argmax(axis=1), np.arange(len(whole))
    before, after = whole[rows, below - 1], whole[rows, below]
    crossing = below - 1 + (before - AGREEMENT) / (before - after)
    return np.asarray(np.minimum(crossing, correlations.shape[1]))


def _aligned_average(stack: Stack, basis: Basis, rows: Tensor, reference: Tensor) -> Tensor:
    """Return the average (2F,) of particles after a few passes of alignment."""
    for _ in range(PASSES):
        aligner = Aligner(basis, reference)
        poses = Poses.joined(
            [aligner.align(stack[rows[some]]) for some in batches(len(rows), BATCH)]
        )
        averages, counts = average(stack, basis, rows, poses, 1)
        reference = references(averages, counts, stack, basis)
    return averages[0]


def _means(values: NDArray, numbers: NDArray[np.int_], classes: int) -> NDArray[np.float64]:
    """Return the (K,) means over classes numbered from 1, NaN where there is none."""
    sums = np.bincount(numbers, values, minlength=classes + 1)[1:]
    counts = np.bincount(numbers, minlength=classes + 1)[1:]
    return np.asarray(np.divide(sums, counts, np.full(classes, np.nan), where=counts > 0))
