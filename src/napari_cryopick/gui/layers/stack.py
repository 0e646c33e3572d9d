"""A folder of micrographs as one lazy image, one slice each."""

from __future__ import annotations

import re
import shutil
from collections.abc import Hashable, Iterable
from dataclasses import dataclass, field
from functools import cached_property, partial
from pathlib import Path
from tempfile import mkdtemp
from typing import TYPE_CHECKING
from uuid import uuid4
from weakref import finalize

import numpy as np
from napari.layers import Image
from napari.utils.notifications import show_warning
from numpy.typing import NDArray

from ...errors import CryopickError
from ...io import FORMATS, atomic_path, read_micrograph
from .layers import MICROGRAPHS, metadata, stack_of

if TYPE_CHECKING:
    from dask.array import Array

_LONGEST_NAME = 100
"""Of a file that is named after a layer: file systems take 255 bytes."""

_SAMPLES_PER_EDGE = 512
_CONTRAST_PERCENTILES = (0.3, 99.7)
"""Few enough pixels lie outside that micrographs look grey, and hot pixels do not count."""

Limits = tuple[float, float]
"""The values that are shown as black and as white."""


@dataclass(frozen=True)
class Stack:
    """The micrographs that the slices of a layer are: their files, and (h, w) before padding.

    Pixels that come from no file are those of the layer `pixels_of`, by its unique id, until a job
    has `write_files` write them. `limits` are those that suit the micrographs which were read by
    now; None for one that is blank or cannot be read.
    """

    paths: tuple[Path, ...]
    shapes: tuple[tuple[int, int], ...]
    pixels_of: Hashable | None = field(default=None, compare=False)
    limits: dict[int, Limits | None] = field(default_factory=dict, compare=False, repr=False)

    def __len__(self) -> int:
        return len(self.paths)

    @cached_property
    def shape(self) -> tuple[int, int]:
        """The (h, w) that holds the largest micrograph."""
        heights, widths = zip(*self.shapes, strict=True)
        return max(heights), max(widths)

    def index(self, path: Path) -> int:
        """Return the slice that shows the micrograph of this file."""
        return self._indices[path]

    @cached_property
    def _indices(self) -> dict[Path, int]:
        return {path: index for index, path in enumerate(self.paths)}


def ensure_stack(image: Image) -> Stack:
    """Return the micrographs of an image; if it has none, name some and remember them.

    Pixels that come from no file are given to one in a temporary folder, which is deleted when
    nothing refers to the stack any more. What a user has made of a layer, such as a copy of pixels
    that come from no file or a projection, has files of its own.
    """
    stack = stack_of(image)
    if stack is not None and stack.pixels_of in (None, image.unique_id) and _fits(image, stack):
        return stack
    *count, height, width = image.data.shape
    shapes = ((height, width),) * (count[0] if count else 1)
    source = Path(image.source.path or "")
    if image.ndim == 2 and source.suffix.lower() in FORMATS:
        stack = Stack((source,), shapes)
    else:
        folder = Path(mkdtemp(prefix="napari-cryopick-")).resolve()
        name = re.sub(r"\W+", "_", image.name)[:_LONGEST_NAME] or "micrograph"
        names = (f"{name}_{number:04d}.mrc" for number in range(1, len(shapes) + 1))
        stack = Stack(tuple(folder / name for name in names), shapes, image.unique_id)
        finalize(stack, shutil.rmtree, folder, ignore_errors=True)
    image.metadata = {**image.metadata, **metadata(stack, MICROGRAPHS)}
    return stack


def _fits(image: Image, stack: Stack) -> bool:
    """Return whether an image can be that of a stack, by its shape."""
    return image.data.shape in ((len(stack), *stack.shape), stack.shape[: 2 * (len(stack) == 1)])


def write_files(image: Image, stack: Stack) -> None:
    """Write those slices of an image that have no file yet."""
    import mrcfile

    for index, path in enumerate(stack.paths):
        if stack.pixels_of is not None and not path.exists():
            pixels = image.data[index] if image.ndim == 3 else image.data
            with atomic_path(path) as part, mrcfile.new(part) as mrc:
                mrc.set_data(np.asarray(pixels, dtype=np.float32))


def lazy_pixels(stack: Stack, dtypes: Iterable[np.dtype]) -> Array:
    """Make an (n, h, w) array that reads a file when its slice is looked at.

    Smaller micrographs are padded at the bottom and on the right with their darkest value. One
    that cannot be read is black. The slices are not to be cached: files are mapped into memory, and
    one that is shortened meanwhile would end the program.
    """
    import dask.array as da

    dtype: np.dtype = np.result_type(*{dtype.newbyteorder("=") for dtype in dtypes})
    return da.map_blocks(
        partial(_read_padded, stack, dtype),
        chunks=((1,) * len(stack), *((edge,) for edge in stack.shape)),
        name=f"micrographs-{uuid4().hex}",
        meta=np.empty((0, 0, 0), dtype),
    )


def limits_of(stack: Stack, index: int) -> Limits | None:
    """Return limits that suit a micrograph, or None if it is blank or cannot be read."""
    if index not in stack.limits:
        _read(stack, index)
    return stack.limits[index]


def contrast_limits(pixels: NDArray) -> Limits | None:
    """Return limits that show most of an (h, w) image, hot pixels aside; None for a blank one."""
    rows, columns = (max(1, edge // _SAMPLES_PER_EDGE) for edge in pixels.shape)
    sample = np.asarray(pixels[::rows, ::columns], dtype=float)
    sample = sample[np.isfinite(sample)]
    if sample.size == 0:
        return None
    low, high = np.percentile(sample, _CONTRAST_PERCENTILES)
    return (float(low), float(high)) if low < high else None


def _read_padded(stack: Stack, dtype: np.dtype, block_id: tuple[int, ...]) -> NDArray:
    pixels = _read(stack, block_id[0])
    if pixels is None:
        return np.zeros((1, *stack.shape), dtype)
    if pixels.shape == stack.shape:
        return np.asarray(pixels, dtype)[np.newaxis]
    height, width = stack.shape
    darkest = np.fmin.reduce(pixels, axis=None)
    padded = np.full((1, *stack.shape), darkest, dtype)
    padded[0, : len(pixels), : pixels.shape[1]] = pixels[:height, :width]
    return padded


def _read(stack: Stack, index: int) -> NDArray | None:
    """Read a micrograph and remember its limits; the first time that it fails, say why."""
    try:
        pixels = read_micrograph(stack.paths[index]).pixels
    except CryopickError as error:
        if index not in stack.limits:
            show_warning(str(error))
        stack.limits[index] = None
        return None
    if index not in stack.limits:
        stack.limits[index] = contrast_limits(pixels)
    return pixels
