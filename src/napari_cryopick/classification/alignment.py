"""Align particles in the plane with references: every angle, shifts up to a quarter diameter."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import torch
from torch import Tensor

from .coefficients import ANGLES, BOX_DIAMETERS, BOX_PX, TINY, Basis, shifted

LONGEST_SHIFT_PX = BOX_PX / BOX_DIAMETERS / 4
"""A quarter of a diameter."""

COARSE_CYCLES, COARSE_PX, COARSE_ANGLES = 8, 2, 2
"""The first search is over waves up to so many per box, every second pixel and angle."""

FINE_PX = 0.5
"""Step of the second search, around the best pose of the first."""


@dataclass(frozen=True, eq=False)
class Poses:
    """How n particles lie with respect to references.

    Attributes
    ----------
    classes
        (n,) numbers of references, from 0.
    steps, flips
        (n,) angles in steps of half a turn, and whether half a turn is added.
    shifts
        (n, 2) shifts of the particle from the centre, along y and x in pixels.
    products
        (n,) scalar products of particle and reference.
    """

    classes: Tensor
    steps: Tensor
    flips: Tensor
    shifts: Tensor
    products: Tensor

    @classmethod
    def joined(cls, parts: Sequence[Poses]) -> Poses:
        """Return the poses of several batches as one."""
        names = [field.name for field in fields(cls)]
        return cls(*(torch.cat([getattr(part, name) for part in parts]) for name in names))


class Aligner:
    """The search for the best of (K, 2F) references, which are turned to all angles once.

    What is compared is the logarithm of the likelihood in white noise of variance 1, up to a
    constant: the scalar product less half the square of the reference. As in Scheres et al.
    (2005), J. Mol. Biol. 348:139, but with the best pose in place of the sum over all.
    """

    def __init__(self, basis: Basis, references: Tensor) -> None:
        self._references = torch.einsum("kf,agf->kag", references, basis.rotations)
        self._half_squares = self._references.square().sum(dim=2).mean(dim=1) / 2
        low = torch.nonzero(basis.frequencies.norm(dim=1) <= COARSE_CYCLES)[:, 0]
        self._low = torch.cat([low, low + len(basis.frequencies)])
        coarse = self._references[:, ::COARSE_ANGLES, self._low].flatten(0, 1)
        self._cosines, self._sines = coarse.T.contiguous().chunk(2)
        self._coarse = _grid(LONGEST_SHIFT_PX, COARSE_PX).to(basis.device)
        self._fine = _grid(COARSE_PX / 2, FINE_PX, square=True).to(basis.device)
        self._basis = basis
        self._coarse_phases = basis.phases(-self._coarse)[:, low]
        self._fine_phases = basis.phases(-self._fine)

    def align(
        self,
        particles: Tensor,
        temperature: float = 0.0,
        random: torch.Generator | None = None,
    ) -> Poses:
        """Find class and pose of (b, 2F) particles.

        The class is drawn with the probability that its likelihood has at a `temperature`; at 0
        it is the most likely one.
        """
        likelihoods, places, steps = self._search(particles)
        if temperature:
            noise = torch.empty(likelihoods.shape).exponential_(generator=random)
            likelihoods -= temperature * noise.clamp_min(TINY).log().to(likelihoods.device)
        chosen = likelihoods.argmax(dim=1, keepdim=True)
        place, step = places.gather(1, chosen)[:, 0], steps.gather(1, chosen)[:, 0]
        return self._refine(particles, chosen[:, 0], step, self._coarse[place])

    def correlations(self, particles: Tensor, poses: Poses) -> Tensor:
        """Return the (b,) correlations of particles with their references."""
        squares = 2 * self._half_squares[poses.classes] * particles.square().sum(dim=1)
        return poses.products / squares.clamp_min(TINY).sqrt()

    def _search(self, particles: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return likelihood, shift and angle of the best coarse pose in each class, (b, K) each."""
        moved = shifted(particles[:, None, self._low], self._coarse_phases).flatten(0, 1)
        products = _either_way(moved, self._cosines, self._sines)
        shape = len(particles), len(self._coarse), len(self._references), -1
        best, steps = products.view(shape).max(dim=3)
        best, places = best.max(dim=1)
        steps = steps.gather(1, places[:, None])[:, 0] * COARSE_ANGLES
        return best - self._half_squares, places, steps

    def _refine(self, particles: Tensor, classes: Tensor, steps: Tensor, shifts: Tensor) -> Poses:
        """Search angles and shifts around coarse poses."""
        near = torch.arange(1 - COARSE_ANGLES, COARSE_ANGLES, device=steps.device)
        angles = (steps[:, None] + near) % ANGLES
        references = self._references[classes[:, None], angles].transpose(1, 2)
        centred = shifted(particles, self._basis.phases(-shifts))
        moved = shifted(centred[:, None], self._fine_phases)
        cosines, sines = references.chunk(2, dim=1)
        products = _either_way(moved, cosines, sines).flatten(1)
        best, places = products.max(dim=1)
        rows = torch.arange(len(particles), device=steps.device)
        place, angle = places // len(near), places % len(near)
        along_sines = (moved[rows, place] * references[rows, :, angle]).chunk(2, dim=1)[1]
        flips = along_sines.sum(dim=1) < 0
        return Poses(classes, angles[rows, angle], flips, shifts + self._fine[place], best)


def _either_way(particles: Tensor, cosines: Tensor, sines: Tensor) -> Tensor:
    """Return products with references as they are or half a turn on, whichever is larger.

    Half a turn changes the sign of every sine.
    """
    along_cosines, along_sines = particles.chunk(2, dim=-1)
    return (along_sines @ sines).abs_().add_(along_cosines @ cosines)


def _grid(reach_px: float, step_px: float, square: bool = False) -> Tensor:
    """Return (n, 2) shifts up to `reach_px`, in all directions or along each axis."""
    count = int(reach_px / step_px + 1e-6)
    axis = step_px * torch.arange(-count, count + 1)
    shifts = torch.cartesian_prod(axis, axis).float()
    return shifts if square else shifts[shifts.norm(dim=1) <= reach_px]
