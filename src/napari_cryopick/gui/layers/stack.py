"""A folder of micrographs as one lazy image, one slice each."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import mkdtemp
from typing import TYPE_CHECKING
from weakref import finalize

import numpy as np
from napari.layers import Image
from numpy.typing import NDArray

from ...io import FORMATS, atomic_path, read_micrograph
from .layers import MICROGRAPHS, metadata, stack_of

if TYPE_CHECKING:
    from dask.array import Array

_SAMPLES_PER_EDGE = 512
_CONTRAST_PERCENTILES = (0.3, 99.7)
"""Few enough pixels lie outside that micrographs look grey, and hot pixels do not count."""


@dataclass(frozen=True)
class Stack:
    """The micrographs that the slices of a layer are: their files, and (h, w) before padding.

    Pixels that come from no file are `unwritten` until a job has `write_files` write them.
    """

    paths: tuple[Path, ...]
    shapes: tuple[tuple[int, int], ...]
    unwritten: bool = field(default=False, compare=False)

    def __len__(self) -> int:
        return len(self.paths)

    @property
    def shape(self) -> tuple[int, int]:
        """The (h, w) that holds the largest micrograph."""
        heights, widths = zip(*self.shapes, strict=True)
        return max(heights), max(widths)

    def index(self, path: Path) -> int:
        """Return the slice that shows the micrograph of this file."""
        return self.paths.index(path)


def ensure_stack(image: Image) -> Stack:
    """Return the micrographs of an image; if it has none, name some and remember them.

    Pixels that come from no file are given to one in a temporary folder, which is deleted when
    nothing refers to the stack any more.
    """
    if (stack := stack_of(image)) is not None:
        return stack
    *count, height, width = image.data.shape
    shapes = ((height, width),) * (count[0] if count else 1)
    source = Path(image.source.path or "")
    if image.ndim == 2 and source.suffix.lower() in FORMATS:
        stack = Stack((source,), shapes)
    else:
        folder = Path(mkdtemp(prefix="napari-cryopick-")).resolve()
        names = (f"{image.name}_{number:04d}.mrc" for number in range(1, len(shapes) + 1))
        stack = Stack(tuple(folder / name for name in names), shapes, unwritten=True)
        finalize(stack, shutil.rmtree, folder, ignore_errors=True)
    image.metadata = {**image.metadata, **metadata(stack, MICROGRAPHS)}
    return stack


def write_files(image: Image, stack: Stack) -> None:
    """Write those slices of an image that have no file yet."""
    import mrcfile

    for index, path in enumerate(stack.paths):
        if stack.unwritten and not path.exists():
            pixels = image.data[index] if image.ndim == 3 else image.data
            with atomic_path(path) as part, mrcfile.new(part) as mrc:
                mrc.set_data(np.asarray(pixels, dtype=np.float32))


def lazy_pixels(stack: Stack, dtypes: Sequence[np.dtype]) -> Array:
    """Make an (n, h, w) array that reads a file when its slice is looked at.

    Smaller micrographs are padded at the bottom and on the right with their darkest value.
    """
    import dask.array as da
    from dask.delayed import delayed

    dtype: np.dtype = np.result_type(*(dtype.newbyteorder("=") for dtype in dtypes))
    read, shape = delayed(_read_padded, pure=True), stack.shape
    return da.stack([da.from_delayed(read(p, shape, dtype), shape, dtype) for p in stack.paths])


def contrast_limits(pixels: NDArray) -> tuple[float, float]:
    """Return limits that show most of an (h, w) image, hot pixels aside."""
    rows, columns = (max(1, edge // _SAMPLES_PER_EDGE) for edge in pixels.shape)
    sample = np.asarray(pixels[::rows, ::columns], dtype=float)
    sample = sample[np.isfinite(sample)]
    if sample.size == 0:
        return 0.0, 1.0
    low, high = np.percentile(sample, _CONTRAST_PERCENTILES)
    return float(low), float(high if high > low else low + 1)


def _read_padded(path: Path, shape: tuple[int, int], dtype: np.dtype) -> NDArray:
    pixels = np.asarray(read_micrograph(path).pixels, dtype=dtype)
    margins = [(0, full - edge) for full, edge in zip(shape, pixels.shape, strict=True)]
    return np.pad(pixels, margins, constant_values=pixels.min()) if np.any(margins) else pixels
