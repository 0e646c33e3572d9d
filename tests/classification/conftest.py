"""Particles of two shapes in noise, at random angles and places."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from napari_cryopick.classification.averaging import Stack
from napari_cryopick.classification.coefficients import BOX_PX, Basis

ARM = [(0, 0), (0, 4), (0, 8), (4, -3), (8, -6)]
BALL = [(-7, 0), (7, 0), (0, -7), (0, 7), (5, 5), (-5, -5)]
SHAPES = ARM, BALL
"""Where blobs lie around the centre, y and x in pixels."""


@dataclass(frozen=True, eq=False)
class Particles:
    """Images, and what is true of them."""

    images: NDArray[np.float32]
    shapes: NDArray[np.int_]
    angles: NDArray[np.float64]
    shifts: NDArray[np.float64]

    def stack(self, basis: Basis) -> Stack:
        return Stack(basis.analyse(self.images), basis)


def blobs(shape: int, angle: float, shift: NDArray) -> NDArray[np.float32]:
    """Draw a shape, turned counter-clockwise by degrees as it is shown, and moved."""
    y, x = np.indices((BOX_PX, BOX_PX)) - BOX_PX // 2
    c, s = np.cos(np.radians(angle)), np.sin(np.radians(angle))
    image = np.zeros((BOX_PX, BOX_PX))
    for py, px in SHAPES[shape]:
        down, right = c * py - s * px + shift[0], s * py + c * px + shift[1]
        image += np.exp(-((y - down) ** 2 + (x - right) ** 2) / 8)
    return image.astype(np.float32)


def particles(count: int, noise: float, seed: int = 0) -> Particles:
    """Draw so many of either shape, the second at every odd place."""
    random = np.random.default_rng(seed)
    shapes, angles = np.arange(count) % 2, random.uniform(0, 360, count)
    shifts = random.uniform(-3, 3, (count, 2))
    images = [blobs(*each) for each in zip(shapes, angles, shifts, strict=True)]
    noisy = np.array(images) + random.normal(0, noise, (count, BOX_PX, BOX_PX))
    return Particles(noisy.astype(np.float32), shapes, angles, shifts)


@pytest.fixture(scope="session")
def basis() -> Basis:
    """Waves on the CPU."""
    return Basis(torch.device("cpu"))
