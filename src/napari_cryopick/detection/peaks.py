"""From maps to picks."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt, gaussian_filter, maximum_filter
from scipy.spatial import cKDTree

from ..imaging.prepare import Rescaling
from ..model.card import Calibration
from ..picks import Picks, Source, Status
from ..settings import BORDER
from .calibration import calibrate
from .events import Maps

MIN_HEIGHT = 0.01
"""Lower peaks are not looked for: they outnumber all others and score next to nothing."""

CONTAMINATION_DISTANCE, CONTAMINATION_THRESHOLD = 0.25, 0.4
"""A pick is flagged if anything within so many diameters, half a radius, is contamination with this
probability."""

MARGIN_DISTANCE = 0.4
"""Diameters from a margin without image within which picks are flagged: nearer to those of
β-galactosidase 17 % of the picks are particles, beyond it 53 %, and far away 78 %."""


def find_peaks(
    centre: NDArray[np.float32], min_distance_px: float, smooth_px: float = 1.0
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Find the local maxima of a (h, w) map of the probability to be a particle's centre.

    A Gaussian of standard deviation `smooth_px` joins ragged peaks. Of two that are nearer than
    `min_distance_px` the higher stays. Returned are (n, 2) sub-pixel positions (y, x) and (n,)
    heights of the smoothed map, best first.
    """
    smooth = gaussian_filter(centre, smooth_px)
    is_peak = (smooth == maximum_filter(smooth, size=3)) & (smooth > MIN_HEIGHT)
    pixels = np.argwhere(is_peak)
    heights = smooth[is_peak].astype(float)
    order = np.argsort(-heights, kind="stable")
    positions, heights = _refine(smooth, pixels[order]), heights[order]
    kept = _far_enough(positions, min_distance_px)
    return positions[kept], heights[kept]


def _far_enough(ranked: NDArray, min_distance_px: float) -> NDArray[np.bool_]:
    """Return which of (n, 2) positions, best first, have no better one too near."""
    kept = np.ones(len(ranked), dtype=bool)
    pairs = cKDTree(ranked).query_pairs(min_distance_px, output_type="ndarray")
    for better, worse in pairs[np.lexsort((pairs[:, 1], pairs[:, 0]))]:
        if kept[better]:
            kept[worse] = False
    return kept


def _refine(heights: NDArray, pixels: NDArray) -> NDArray[np.float64]:
    """Move each peak to the top of the parabola through it and its neighbours on each axis."""
    padded = np.log(np.pad(np.maximum(heights, 1e-6), 1, mode="edge"))
    y, x = pixels.T + 1
    before = np.stack([padded[y - 1, x], padded[y, x - 1]], axis=1)
    after = np.stack([padded[y + 1, x], padded[y, x + 1]], axis=1)
    curvature = 2 * padded[y, x, None] - before - after
    shift = 0.5 * (after - before) / np.where(curvature > 1e-9, curvature, np.inf)
    return np.asarray(pixels + np.clip(shift, -0.5, 0.5))


def pick(
    maps: Maps,
    shape: tuple[int, int],
    particle_px: float,
    calibration: Calibration = Calibration(),  # noqa: B008
    border: float = BORDER,
    min_distance: float = 0.5,
) -> Picks:
    """Turn maps of a micrograph of (h, w) `shape` into picks, best first, with scores and flags.

    A particle spans `particle_px` of the maps. Without a calibration scores are heights. Picks are
    flagged within `border` of the edge, and no two are nearer than `min_distance`, in diameters.
    There are none in margins without image, and next to them they are flagged.
    """
    smooth_px = 0.05 * particle_px  # one pixel at 20 px per particle
    found, heights = find_peaks(maps.centre, min_distance * particle_px, smooth_px)
    away_px = _distances_from_margins(maps, found)
    found, heights, away_px = (each[away_px > 0] for each in (found, heights, away_px))
    positions = Rescaling(maps.scale).to_micrograph(found)
    margin_px = border * particle_px / maps.scale
    outside = (positions < margin_px) | (positions > np.asarray(shape) - 1 - margin_px)
    near_margin = away_px < MARGIN_DISTANCE * particle_px
    reach_px = round(CONTAMINATION_DISTANCE * particle_px)
    worst = maximum_filter(maps.contamination, size=2 * reach_px + 1)
    contaminated = worst[_pixels(maps, found)] > CONTAMINATION_THRESHOLD
    flags = [contaminated, outside.any(axis=1) | near_margin]
    status = np.select(flags, [Status.CONTAMINATION, Status.BORDER], Status.OK)
    return Picks.at(positions, calibrate(heights, calibration), Source.MODEL, status)


def _distances_from_margins(maps: Maps, found: NDArray) -> NDArray[np.float64]:
    """Return how many map pixels (n, 2) positions are away from what is no image, 0 inside."""
    if maps.margins is None:
        return np.full(len(found), np.inf)
    return np.asarray(distance_transform_edt(maps.margins.image)[_pixels(maps, found)])


def _pixels(maps: Maps, found: NDArray) -> tuple[NDArray[np.intp], ...]:
    return tuple(np.clip(np.rint(found).astype(int), 0, np.array(maps.centre.shape) - 1).T)
