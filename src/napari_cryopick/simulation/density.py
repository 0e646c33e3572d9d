"""Density maps: the particle as a volume."""

from __future__ import annotations

import warnings
from pathlib import Path

import mrcfile
import numpy as np
from numpy.typing import NDArray

from ..errors import CryopickError
from ..io.files import reading
from .body import Body
from .potential import PROTEIN_OVER_ICE_VOLT

SUFFIXES = (".mrc", ".map", ".ccp4")
_SPREADS = 3.0
_SHARE = 0.4
_MOST_POINTS = 200_000


def read_density(path: str | Path, contour: float | None = None) -> Body:
    """Read a map in MRC or CCP4 format, gzipped or not; densities count from the contour on.

    Maps come in any units, so that the volume within the contour is given the mean contrast of
    protein in ice.

    Parameters
    ----------
    contour
        Lowest density that belongs to the particle; where it is not given, three standard
        deviations of the map, or two fifths of its highest densities if that is less.
    """
    path = Path(path)
    volume, voxel_angstrom = _read(path)
    level = _usual_contour(volume) if contour is None else contour
    volume, voxel_angstrom = _thin_out(volume, voxel_angstrom, level)
    inside = volume > level
    if not inside.any():
        raise CryopickError(f"{path} holds nothing above {level:.3g}; choose a lower --contour.")
    positions = np.argwhere(inside)[:, ::-1] * voxel_angstrom
    density = volume[inside].astype(float)
    weights = density / density.mean() * PROTEIN_OVER_ICE_VOLT * voxel_angstrom**3
    name = path.name.partition(".")[0]
    return Body.around_its_centre(name, positions, weights, voxel_angstrom / 2)


def _read(path: Path) -> tuple[NDArray, float]:
    """The volume (z, y, x) and the edge of its voxels in Å."""
    with reading(path, "a density map"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with mrcfile.open(path, permissive=True) as mrc:
            data, edges = mrc.data, [float(mrc.voxel_size[axis]) for axis in "xyz"]
    if data is None or data.ndim != 3:
        raise CryopickError(f"{path} holds no volume; give a map of three dimensions.")
    if min(edges) <= 0 or max(edges) > 1.01 * min(edges):
        raise CryopickError(f"{path} does not say how large its voxels are; set its header.")
    return np.nan_to_num(np.asarray(data, dtype=np.float32)), edges[0]


def _usual_contour(volume: NDArray) -> float:
    """Where most people would draw the surface; a tight box has a large deviation."""
    positive = volume[volume > 0]
    highest = float(np.percentile(positive, 99)) if positive.size else 0.0
    return min(_SPREADS * float(volume.std()), _SHARE * highest)


def _thin_out(volume: NDArray, voxel_angstrom: float, level: float) -> tuple[NDArray, float]:
    """Join voxels two by two by two until few enough are inside to be turned quickly."""
    while (volume > level).sum() > _MOST_POINTS and min(volume.shape) > 16:
        even = volume[tuple(slice(size // 2 * 2) for size in volume.shape)]
        z, y, x = (size // 2 for size in even.shape)
        volume = even.reshape(z, 2, y, 2, x, 2).mean(axis=(1, 3, 5))
        voxel_angstrom *= 2
    return volume, voxel_angstrom
