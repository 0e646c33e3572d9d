"""A folder of micrographs as one lazy image, one slice each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from dask.array import Array

_SAMPLES_PER_EDGE = 512
_CONTRAST_PERCENTILES = (0.3, 99.7)


@dataclass(frozen=True)
class Stack:
    """Which micrographs the slices of a layer are.

    Attributes
    ----------
    paths
        Their files, in the order of the slices.
    shapes
        (h, w) of each, before it was padded to the largest.
    """

    paths: tuple[Path, ...]
    shapes: tuple[tuple[int, int], ...]

    def __len__(self) -> int:
        return len(self.paths)

    @property
    def shape(self) -> tuple[int, int]:
        """(h, w) that holds the largest micrograph."""
        heights, widths = zip(*self.shapes, strict=True)
        return max(heights), max(widths)

    def index(self, path: Path) -> int:
        """The slice that shows the micrograph of this file."""
        return self.paths.index(path)


def lazy_pixels(stack: Stack, dtypes: Sequence[np.dtype]) -> Array:
    """Make an (n, h, w) array that reads a file when its slice is looked at.

    Smaller micrographs are padded at the bottom and on the right with their darkest value.
    """
    import dask.array as da
    from dask.delayed import delayed

    dtype: np.dtype = np.result_type(*(dtype.newbyteorder("=") for dtype in dtypes))
    read = delayed(_read_padded, pure=True)
    slices = [
        da.from_delayed(read(path, stack.shape, dtype), stack.shape, dtype) for path in stack.paths
    ]
    return da.stack(slices)


def contrast_limits(pixels: NDArray) -> tuple[float, float]:
    """Limits that show most of an (h, w) image, hot pixels aside."""
    rows, columns = (max(1, edge // _SAMPLES_PER_EDGE) for edge in pixels.shape)
    sample = np.asarray(pixels[::rows, ::columns], dtype=float)
    sample = sample[np.isfinite(sample)]
    if sample.size == 0:
        return 0.0, 1.0
    low, high = np.percentile(sample, _CONTRAST_PERCENTILES)
    return float(low), float(high if high > low else low + 1)


def _read_padded(path: Path, shape: tuple[int, int], dtype: np.dtype) -> NDArray:
    from ...io import read_micrograph

    pixels = np.asarray(read_micrograph(path).pixels, dtype=dtype)
    margins = [(0, full - edge) for full, edge in zip(shape, pixels.shape, strict=True)]
    if not any(after for _, after in margins):
        return pixels
    return np.pad(pixels, margins, constant_values=pixels.min())
