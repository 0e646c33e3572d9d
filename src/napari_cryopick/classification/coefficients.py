"""Particles as their low Fourier coefficients: compact, and turned and shifted by plain products.

A particle is a row of 2F real numbers: the factors of F cosines, then of F sines, around the centre
of its box, an orthonormal basis of all waves up to `CYCLES` per box.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

BOX_DIAMETERS = 1.5
"""Edge of a box in particle diameters: room for shifts by a quarter diameter."""

BOX_PX = 42
"""Edge of a box in pixels of its own, 28 for a diameter."""

CYCLES = 12
"""Finest wave per box, an eighth of a diameter: beyond, single particles hold little but noise."""

ANGLES = 36
"""Angles in half a turn: 5° move the rim of a particle by half a wave of the finest at most."""

TINY = torch.finfo(torch.float32).tiny
"""What keeps a quotient finite."""

MASK = 0.5, 0.7
"""Radii in diameters between which a reference fades: beyond are neighbours."""


@dataclass(frozen=True)
class Basis:
    """Waves, and what turns their factors, on a device."""

    device: torch.device

    @cached_property
    def frequencies(self) -> Tensor:
        """(F, 2) cycles per box along y and x, of one half of the plane, without the mean."""
        steps = np.arange(-CYCLES, CYCLES + 1)
        y, x = (axis.ravel() for axis in np.meshgrid(steps, steps, indexing="ij"))
        half = (x > 0) | ((x == 0) & (y > 0))
        chosen = half & (np.hypot(y, x) <= CYCLES)
        return torch.tensor(np.stack([y, x], 1)[chosen], dtype=torch.float32, device=self.device)

    @cached_property
    def rings(self) -> Tensor:
        """(2F,) cycles per box, rounded, of each factor, less one."""
        rounded: Tensor = self.frequencies.norm(dim=1).round().long()
        return rounded.repeat(2) - 1

    def ring_means(self, values: Tensor) -> Tensor:
        """Return the (n, CYCLES) means of (n, 2F) values over rings of equal resolution."""
        sums = values.new_zeros(len(values), CYCLES).index_add_(1, self.rings, values)
        means: Tensor = sums / torch.bincount(self.rings, minlength=CYCLES)
        return means

    @cached_property
    def waves(self) -> Tensor:
        """(pixels, 2F) orthonormal cosines and sines."""
        return self._waves(0.0)

    @cached_property
    def rotations(self) -> Tensor:
        """(ANGLES, 2F, 2F) matrices that turn a masked image by steps up to half a turn."""
        masked = self.waves.T * self.mask()
        turns = (self._waves(math.pi * step / ANGLES) for step in range(ANGLES))
        return torch.stack([masked @ turned for turned in turns])

    def analyse(self, boxes: NDArray[np.float32]) -> Tensor:
        """Return the (n, 2F) factors of (n, BOX_PX, BOX_PX) images, in half precision."""
        pixels = torch.from_numpy(boxes.reshape(-1, BOX_PX**2)).to(self.device)
        return (pixels @ self.waves).clamp(-6e4, 6e4).half().cpu()

    def pixels(self, factors: Tensor) -> Tensor:
        """Return the (n, BOX_PX, BOX_PX) images of (n, 2F) factors."""
        return (factors @ self.waves.T).reshape(-1, BOX_PX, BOX_PX)

    def images(self, factors: Tensor) -> NDArray[np.float32]:
        """Return the (n, BOX_PX, BOX_PX) images of (n, 2F) factors, on the CPU."""
        return np.asarray(self.pixels(factors).cpu().numpy())

    def phases(self, shifts: Tensor) -> Tensor:
        """Return the (..., F) phases in radians of shifts (..., 2) in pixels along y and x."""
        return shifts @ self.frequencies.T * (2 * math.pi / BOX_PX)

    def _places(self) -> Tensor:
        axis = torch.arange(BOX_PX, dtype=torch.float32, device=self.device) - BOX_PX // 2
        return torch.cartesian_prod(axis, axis)

    def _waves(self, angle: float) -> Tensor:
        c, s = math.cos(angle), math.sin(angle)
        turn = torch.tensor([[c, s], [-s, c]], dtype=torch.float32, device=self.device)
        phase = self._places() @ (self.frequencies @ turn).T * (2 * math.pi / BOX_PX)
        return torch.cat([phase.cos(), phase.sin()], dim=1) * (math.sqrt(2) / BOX_PX)

    def mask(self) -> Tensor:
        """Return the (pixels,) weights that leave of a box what belongs to its particle."""
        radius = self._places().norm(dim=1) / BOX_PX * BOX_DIAMETERS
        inner, outer = MASK
        edge = ((radius - inner) / (outer - inner)).clamp(0, 1)
        weights: Tensor = (1 + (math.pi * edge).cos()) / 2
        return weights


def shifted(factors: Tensor, phases: Tensor) -> Tensor:
    """Move images (..., 2F) by shifts that are given as phases (..., F)."""
    cosines, sines = factors.chunk(2, dim=-1)
    c, s = phases.cos(), phases.sin()
    return torch.cat([cosines * c - sines * s, cosines * s + sines * c], dim=-1)


def turned_half(factors: Tensor, which: Tensor) -> Tensor:
    """Turn images (n, 2F) by half a turn where an (n,) mask says so: sines change their sign."""
    cosines, sines = factors.chunk(2, dim=-1)
    return torch.cat([cosines, torch.where(which[:, None], -sines, sines)], dim=-1)


def batches(count: int, size: int) -> Iterator[slice]:
    """Yield so many rows at once."""
    return (slice(first, first + size) for first in range(0, count, size))
