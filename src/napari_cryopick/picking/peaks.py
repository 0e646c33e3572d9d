"""Peaks of a centre map: where the particles are."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter, maximum_filter
from scipy.spatial import cKDTree


def find_peaks(
    centre: NDArray[np.float32], min_distance_px: float, smooth_px: float = 1.0, floor: float = 0.01
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Local maxima of a (h, w) probability map, best first.

    Parameters
    ----------
    centre
        Probability that a pixel is a particle's centre.
    min_distance_px
        Of two peaks nearer than this, the higher stays.
    smooth_px
        Standard deviation of the Gaussian that joins ragged peaks.
    floor
        Lower peaks are not looked for.

    Returns
    -------
    positions, heights
        (n, 2) sub-pixel positions (y, x) and (n,) heights of the smoothed map.
    """
    smooth = gaussian_filter(centre, smooth_px)
    is_peak = (smooth == maximum_filter(smooth, size=3)) & (smooth > floor)
    pixels = np.argwhere(is_peak)
    heights = smooth[is_peak].astype(float)
    order = np.argsort(-heights, kind="stable")
    positions, heights = _refine(smooth, pixels[order]), heights[order]
    kept = _far_enough(positions, min_distance_px)
    return positions[kept], heights[kept]


def _far_enough(ranked: NDArray, min_distance_px: float) -> NDArray[np.bool_]:
    """Which of (n, 2) positions, best first, have no better one too near."""
    kept = np.ones(len(ranked), dtype=bool)
    if len(ranked) < 2:
        return kept
    pairs = cKDTree(ranked).query_pairs(min_distance_px, output_type="ndarray")
    for better, worse in pairs[np.lexsort((pairs[:, 1], pairs[:, 0]))]:
        if kept[better]:
            kept[worse] = False
    return kept


def _refine(heights: NDArray, pixels: NDArray) -> NDArray[np.float64]:
    """Move each peak to the top of the parabola through it and its neighbours on each axis."""
    padded = np.log(np.pad(np.maximum(heights, 1e-6), 1, mode="edge"))
    y, x = pixels.T + 1
    here = padded[y, x]
    shift = [
        _vertex(padded[y - 1, x], here, padded[y + 1, x]),
        _vertex(padded[y, x - 1], here, padded[y, x + 1]),
    ]
    return pixels + np.stack(shift, axis=1)


def _vertex(before: NDArray, here: NDArray, after: NDArray) -> NDArray[np.float64]:
    curvature = 2 * here - before - after
    offset = 0.5 * (after - before) / np.where(curvature > 1e-9, curvature, np.inf)
    clipped: NDArray[np.float64] = np.clip(offset, -0.5, 0.5)
    return clipped
