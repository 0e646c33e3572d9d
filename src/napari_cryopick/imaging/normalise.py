"""Even out illumination and contrast, whatever else lies in the field."""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

CLIP = 5.0
OUTLIER = 3.5


def clip_outliers(pixels: NDArray) -> Tensor:
    """Raw (h, w) pixels as float32, hot pixels clipped and what is not finite set to the median.

    Without this a single hot pixel would spread over a whole particle when the image shrinks.
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


def normalise(image: Tensor, radius_px: float) -> Tensor:
    """Subtract the local mean of a (h, w) image and divide by its local spread.

    Both are taken over a Gaussian neighbourhood of `radius_px`, in which pixels far from the
    rest (ice balls, carbon edges, gold) do not count, so that particles beside them keep their
    contrast.
    """
    flat = _globally_flat(image)
    for _ in range(3):
        weight = (flat.abs() < OUTLIER).float() + 1e-3
        mean, spread = _local_moments(image, weight, radius_px)
        flat = (image - mean) / spread
    return flat.clamp(-CLIP, CLIP)


def _globally_flat(image: Tensor) -> Tensor:
    """In robust units of the whole image, which no ice ball widens as it does those around it."""
    centred = image - image.median()
    spread = 1.4826 * centred.abs().median()
    return centred / spread.clamp_min(1e-12)


def _local_moments(image: Tensor, weight: Tensor, radius_px: float) -> tuple[Tensor, Tensor]:
    """Weighted mean and standard deviation around every pixel."""
    centred = image - image.mean()
    moments = torch.stack([weight, weight * centred, weight * centred.square()])
    mass, first, second = _smooth(moments, radius_px)
    mean = first / mass
    variance = second / mass - mean.square()
    floor = variance.median().clamp_min(1e-12) * 0.05
    return mean + image.mean(), variance.clamp_min(floor).sqrt()


def _smooth(maps: Tensor, radius_px: float) -> Tensor:
    """Gaussian-smooth (c, h, w) maps on a grid coarse enough to be cheap."""
    h, w = maps.shape[-2:]
    step = max(1, min(int(radius_px // 4), h // 4, w // 4))
    coarse = F.avg_pool2d(maps[None], step, ceil_mode=True, count_include_pad=False)
    coarse = _gaussian(coarse, radius_px / step)
    whole = F.interpolate(coarse, scale_factor=step, mode="bilinear", align_corners=False)
    return whole[0, :, :h, :w]


def _gaussian(maps: Tensor, sigma: float) -> Tensor:
    """Separable Gaussian of (1, c, h, w) maps; beyond the edge nothing counts."""
    reach = int(3 * sigma)
    x = torch.arange(-reach, reach + 1, dtype=maps.dtype)
    kernel = torch.exp(-0.5 * (x / sigma) ** 2)
    kernel = (kernel / kernel.sum()).expand(maps.shape[1], 1, 1, -1)
    across = F.conv2d(maps, kernel, padding=(0, reach), groups=maps.shape[1])
    return F.conv2d(across, kernel.mT, padding=(reach, 0), groups=maps.shape[1])
