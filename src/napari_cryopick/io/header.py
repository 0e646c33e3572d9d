"""What an image file says before its pixels are read, and what makes an image format."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Header:
    """What a micrograph's file says about itself.

    Attributes
    ----------
    shape
        (h, w) in pixels.
    dtype
        Type of the pixels as they will be read.
    pixel_size_angstrom
        Edge of one pixel in Å, or None where the file does not say.
    sections
        How many images the file holds: one in a micrograph, more in a stack or a volume.
    """

    shape: tuple[int, int]
    dtype: np.dtype
    pixel_size_angstrom: float | None = None
    sections: int = 1


@dataclass(frozen=True)
class ImageFormat:
    """A way to read micrographs; `read_pixels` gives an (h, w) array, memory-mapped at best."""

    read_header: Callable[[Path], Header]
    read_pixels: Callable[[Path], NDArray]
