"""Cut particles out of a micrograph, and normalise them as RELION's *Extract* does."""

from __future__ import annotations

from math import ceil
from typing import cast

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.fft import fftfreq, irfft2, rfft2, rfftfreq

from .margins import find_margins
from .normalise import clip_outliers
from .prepare import Rescaling

RIM = 8
"""Pixels around a box that are shifted with it and cut off: shifts by Fourier transform take the
opposite edge for a neighbour, which rings for a few pixels."""


def cut_particles(
    pixels: NDArray, centres: NDArray, box_px: float, size: int
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Cut out square boxes around sub-pixel centres, resampled to `size` pixels on each edge.

    Parameters
    ----------
    pixels
        A raw (h, w) micrograph of any type.
    centres
        (n, 2) of (y, x) in micrograph pixels.
    box_px
        Edge of the boxes in micrograph pixels.
    size
        Edge of the boxes in pixels of their own; where they are larger than the micrograph's,
        detail finer than a pixel is filtered out. A whole number of times larger keeps all other
        detail as it is, by cropping the Fourier transform as RELION does.

    Returns
    -------
    boxes, inside
        (m, size, size) images of the particles, whose centre is at pixel ``size // 2`` as RELION
        has it, and a mask of the m of n whose box lies in the micrograph and outside margins
        that hold no image.
    """
    centres = np.asarray(centres, dtype=float).reshape(-1, 2)
    margins = find_margins(pixels)
    has_image = np.ones(pixels.shape, dtype=bool) if margins is None else margins.image
    inside = np.array([_lies_in(has_image, centre, box_px) for centre in centres], dtype=bool)
    if not inside.any():
        return np.empty((0, size, size), dtype=np.float32), inside
    step = box_px / size
    binning = int(step) if float(step).is_integer() else 1
    rescaling = Rescaling(binning / step)
    if margins is not None:
        pixels = np.where(has_image, pixels, np.float32(np.nan))
    rim = (RIM + 1) * binning + ceil(rescaling.factor) + 1  # by rounding a box may end outside
    image = np.pad(_resampled(clip_outliers(pixels), rescaling), rim, mode="edge")
    starts = rescaling.to_network(centres[inside]) + rim - (size // 2 + RIM) * binning
    boxes = np.empty((len(starts), size, size), dtype=np.float32)
    for box, start in zip(boxes, starts, strict=True):
        box[:] = _cut(image, start, size, binning)
    return boxes, inside


def normalise_particles(
    boxes: NDArray[np.float32], background_radius_px: float
) -> NDArray[np.float32]:
    """Remove the slope of the background, scale its noise to 1, and make particles bright.

    Parameters
    ----------
    boxes
        (n, size, size) images of dark particles.
    background_radius_px
        What is farther from the centre, pixel ``size // 2``, is background.

    Returns
    -------
    NDArray
        (n, size, size), with mean 0 and standard deviation 1 in the background.
    """
    size = boxes.shape[-1]
    y, x = np.indices((size, size)).reshape(2, -1) - size // 2
    background = np.hypot(y, x) > background_radius_px
    plane = np.column_stack([np.ones_like(y), y, x]).astype(np.float32)
    flat = boxes.reshape(-1, size * size)
    flat = flat - flat.mean(axis=1, keepdims=True)
    slopes = flat[:, background] @ np.linalg.pinv(plane[background]).T
    flat -= slopes @ plane.T
    noise = flat[:, background].std(axis=1, keepdims=True)
    bright = flat / -np.maximum(noise, np.finfo(np.float32).tiny)
    return np.asarray(bright.reshape(boxes.shape))


def _lies_in(has_image: NDArray[np.bool_], centre: NDArray, box_px: float) -> bool:
    """Return whether all of a box holds image."""
    first, last = np.rint(centre - box_px / 2), np.rint(centre + box_px / 2)
    if (first < 0).any() or (last > has_image.shape).any():
        return False
    (top, left), (bottom, right) = first.astype(int), last.astype(int)
    return bool(has_image[top:bottom, left:right].all())


def _resampled(image: torch.Tensor, rescaling: Rescaling) -> NDArray[np.float32]:
    resampled = image if rescaling.factor == 1 else rescaling.shrink(image)
    return cast("NDArray[np.float32]", resampled.numpy())


def _cut(
    image: NDArray[np.float32], start: NDArray, size: int, binning: int
) -> NDArray[np.float32]:
    """Return a (size, size) box of an image, binned and shifted by Fourier transform.

    It begins `RIM` binned pixels behind `start`, which may lie between pixels.
    """
    top, left = np.rint(start).astype(int)
    length = size + 2 * RIM
    whole = length * binning
    window = image[top : top + whole, left : left + whole]
    kept = np.rint(fftfreq(length) * length).astype(int), slice(length // 2 + 1)
    down, right = start - np.rint(start)
    phase = np.add.outer(down * fftfreq(whole)[kept[0]], right * rfftfreq(whole)[kept[1]])
    ramp = np.exp(2j * np.pi * phase).astype(np.complex64) / binning**2
    shifted = irfft2(rfft2(window)[kept] * ramp, (length, length))
    return np.asarray(shifted[RIM:-RIM, RIM:-RIM])
