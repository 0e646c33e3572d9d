"""From maps to picks."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import maximum_filter

from ..imaging.rescale import Rescaling
from ..network.card import ModelCard
from ..picks import Picks, Source, Status
from .calibrate import calibrate
from .maps import Maps
from .peaks import find_peaks

SMOOTHING = 0.05
"""Standard deviation of the Gaussian that joins ragged peaks, in diameters."""

NEAR, DIRTY = 0.25, 0.4
"""A pick is flagged if anything within so many diameters is contamination with this probability."""


def pick(maps: Maps, card: ModelCard, shape: tuple[int, int], min_distance: float = 0.5) -> Picks:
    """Picks of one micrograph, best first, with their scores and flags.

    Parameters
    ----------
    maps
        What the network made of it.
    card
        The model's: its particle size, its calibration and its border.
    shape
        (h, w) of the micrograph in its own pixels.
    min_distance
        Least distance between two picks, in particle diameters.
    """
    found, heights = find_peaks(
        maps.centre, min_distance * card.particle_px, SMOOTHING * card.particle_px
    )
    positions = Rescaling(maps.scale).to_micrograph(found)
    diameter_px = card.particle_px / maps.scale
    at_border = _at_border(positions, shape, card.border * diameter_px)
    status = np.select(
        [_beside(maps.contamination, found, NEAR * card.particle_px), at_border],
        [Status.CONTAMINATION, Status.BORDER],
        Status.OK,
    )
    return Picks.at(positions, calibrate(heights, card.calibration), Source.MODEL, status)


def _at_border(positions: NDArray, shape: tuple[int, int], margin_px: float) -> NDArray[np.bool_]:
    far_edge = np.asarray(shape) - 1 - margin_px
    too_near: NDArray[np.bool_] = (positions < margin_px) | (positions > far_edge)
    return too_near[:, 0] | too_near[:, 1]


def _beside(contamination: NDArray, positions: NDArray, reach_px: float) -> NDArray[np.bool_]:
    """Which of (n, 2) map positions have something that may well be contamination so near."""
    worst = maximum_filter(contamination, size=2 * round(reach_px) + 1)
    y, x = np.clip(np.rint(positions).astype(int), 0, np.array(worst.shape) - 1).T
    near: NDArray[np.bool_] = worst[y, x] > DIRTY
    return near
