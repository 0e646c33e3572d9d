"""Even out illumination and contrast, whatever else lies in the field."""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter
from torch import Tensor

CLIP = 5.0
"""Largest value, in local standard deviations: noise hardly reaches it, ice balls and gold do."""

OUTLIER = 3.5
"""Pixels beyond so many local standard deviations do not count: one of 2,000 in noise."""


def clip_outliers(pixels: NDArray) -> Tensor:
    """Return raw (h, w) pixels as float32 with hot pixels clipped and non-finite ones replaced.

    Without this a single hot pixel would spread over a whole particle when the image shrinks.
    The limits are the median and twice the range from the 0.5th to the 99.5th percentile.
    """
    image = np.array(pixels, dtype=np.float32)
    sample = image[:: max(1, image.shape[0] // 512), :: max(1, image.shape[1] // 512)]
    if not np.isfinite(sample).any():
        sample = image
    low, median, high = np.percentile(sample[np.isfinite(sample)], [0.5, 50, 99.5])
    reach = 2 * max(high - low, np.finfo(np.float32).tiny)
    tensor = torch.from_numpy(image)
    tensor.nan_to_num_(nan=float(median), posinf=float(median), neginf=float(median))
    return tensor.clamp_(float(median) - reach, float(median) + reach)


def normalise(image: Tensor, radius_px: float, inside: Tensor | None = None) -> Tensor:
    """Subtract the local mean of a (h, w) image and divide by its local standard deviation.

    Both are taken over a Gaussian neighbourhood of `radius_px`, in which pixels far from the
    rest (ice balls, carbon edges, gold) do not count, so that particles beside them keep their
    contrast. Nor do those beyond a (h, w) mask, where there is no image; they become 0.
    """
    inside = torch.ones_like(image, dtype=torch.bool) if inside is None else inside
    centred = image - image[inside].median()
    flat = centred / (1.4826 * centred[inside].abs().median()).clamp_min(1e-12)
    for _ in range(3):
        weight = ((flat.abs() < OUTLIER) & inside).float() + 1e-3
        mean, variance = _local_moments(image, weight, radius_px)
        floor = variance[inside].median().clamp_min(1e-12) * 0.05
        flat = (image - mean) / variance.clamp_min(floor).sqrt()
    return torch.where(inside, flat.clamp(-CLIP, CLIP), 0.0)


def _local_moments(image: Tensor, weight: Tensor, radius_px: float) -> tuple[Tensor, Tensor]:
    """Return weighted mean and variance around every pixel."""
    centred = image - image.mean()
    moments = torch.stack([weight, weight * centred, weight * centred.square()])
    mass, first, second = _smooth(moments, radius_px)
    mean = first / mass
    return mean + image.mean(), second / mass - mean.square()


def _smooth(maps: Tensor, radius_px: float) -> Tensor:
    """Smooth (c, h, w) maps on a grid coarse enough to be cheap; beyond the edge nothing counts."""
    h, w = maps.shape[-2:]
    step = max(1, min(int(radius_px // 4), h // 4, w // 4))
    coarse = F.avg_pool2d(maps[None], step, ceil_mode=True, count_include_pad=False).numpy()
    sigma = radius_px / step
    smooth = gaussian_filter(coarse, sigma, mode="constant", radius=int(3 * sigma), axes=(2, 3))
    whole = F.interpolate(
        torch.from_numpy(smooth), scale_factor=step, mode="bilinear", align_corners=False
    )
    return whole[0, :, :h, :w]
