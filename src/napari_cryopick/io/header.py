"""What an image file says before its pixels are read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

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
    load
        Reads the (h, w) pixels, memory-mapped where possible.
    pixel_size_angstrom
        Edge of one pixel in Å, or None where the file does not say.
    sections
        How many images the file holds: one in a micrograph, more in a stack or a volume.
    """

    shape: tuple[int, int]
    dtype: np.dtype
    load: Callable[[], NDArray] = field(repr=False)
    pixel_size_angstrom: float | None = None
    sections: int = 1
