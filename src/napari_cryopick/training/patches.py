"""Patches of micrographs: half of them near particles, half anywhere, rotated and warped."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Generator, Tensor

from ..imaging.margins import Margins
from .targets import Target


@dataclass(frozen=True)
class TrainingImage:
    """One micrograph at the network's scale.

    `layers` (7, h, w) are the normalised image, then values and weights of its target; patches are
    sampled around (n, 2) `positions` in network pixels, and anywhere from `first` (y, x) on over
    an `extent` (h, w).
    """

    layers: Tensor
    positions: Tensor
    first: Tensor
    extent: Tensor

    @classmethod
    def of(
        cls, image: Tensor, target: Target, positions: Tensor, margins: Margins | None = None
    ) -> TrainingImage:
        """Stack a (h, w) image and its target; no patch is centred in its margins."""
        layers = torch.cat([image[None], target.values, target.weights])
        whole = torch.ones_like(image, dtype=torch.bool)
        inside = whole if margins is None else torch.from_numpy(margins.image)
        within = inside.nonzero()
        first = within.amin(dim=0).float()
        return cls(layers, positions, first, within.amax(dim=0) + 1 - first)


@dataclass(frozen=True)
class Batch:
    """(n, 1, h, w) images with (n, 3, h, w) values and weights."""

    images: Tensor
    values: Tensor
    weights: Tensor


LOG_SCALE = 0.2
"""Natural logarithm of the largest change of size, at strength 1."""

ELASTIC_PX = 1.5
"""Standard deviation of elastic shifts, at strength 1."""


def sample_batch(
    images: Sequence[TrainingImage], size: int, patch_px: int, strength: float, generator: Generator
) -> Batch:
    """Draw `size` patches of `patch_px` pixels, every second one near a pick."""
    picked = [image for image in images if len(image.positions)]
    patches = []
    for i in range(size):
        near_pick = i % 2 == 0 and bool(picked)
        pool = picked if near_pick else images
        image = pool[_integer(len(pool), generator)]
        centre = _centre(image, patch_px, near_pick, generator)
        patches.append(_cut(image, centre, patch_px, strength, generator))
    stack = torch.stack(patches)
    return Batch(stack[:, :1], stack[:, 1:4].clamp(0, 1), stack[:, 4:].clamp(0, 1))


def _centre(image: TrainingImage, patch_px: int, near_pick: bool, generator: Generator) -> Tensor:
    """Return a patch centre (y, x): within a third of a patch of some pick, or anywhere."""
    if near_pick:
        pick = image.positions[_integer(len(image.positions), generator)]
        return pick + (torch.rand(2, generator=generator) - 0.5) * patch_px * 2 / 3
    return image.first + torch.rand(2, generator=generator) * image.extent


def _cut(
    image: TrainingImage, centre: Tensor, patch_px: int, strength: float, generator: Generator
) -> Tensor:
    """Return a (7, patch, patch) patch; outside the micrograph image and weights are zero."""
    grid = _grid(patch_px, strength, generator) + centre
    h, w = image.layers.shape[1:]
    unit = torch.stack([(2 * grid[..., 1] + 1) / w - 1, (2 * grid[..., 0] + 1) / h - 1], dim=-1)
    layers = image.layers[None]
    pixels = F.grid_sample(layers[:, :1], unit[None], "bicubic", align_corners=False)
    target = F.grid_sample(layers[:, 1:], unit[None], "bilinear", align_corners=False)
    return torch.cat([pixels, target], dim=1)[0]


def _grid(patch_px: int, strength: float, generator: Generator) -> Tensor:
    """Return (patch, patch, 2) offsets (y, x) from the centre, flipped, turned, scaled and bent."""
    axis = torch.arange(patch_px, dtype=torch.float32) - (patch_px - 1) / 2
    grid = torch.stack(torch.meshgrid(axis, axis, indexing="ij"), dim=-1)
    if strength == 0:
        return grid
    draw = torch.rand(4, generator=generator) * 2 - 1
    angle = math.pi * draw[0]
    scale = torch.exp(LOG_SCALE * strength * draw[1])
    turn = torch.stack([angle.cos(), -angle.sin(), angle.sin(), angle.cos()]).reshape(2, 2)
    flip = torch.tensor([1.0, 1.0 if draw[2] > 0 else -1.0])
    bend = torch.randn(1, 2, 5, 5, generator=generator) * ELASTIC_PX * strength
    bend = F.interpolate(bend, size=(patch_px, patch_px), mode="bicubic", align_corners=True)
    return grid * flip @ turn * scale + bend[0].permute(1, 2, 0)


def _integer(below: int, generator: Generator) -> int:
    return int(torch.randint(below, (1,), generator=generator))
