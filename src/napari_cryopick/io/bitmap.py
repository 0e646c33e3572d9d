"""PNG and JPEG, colour turned to grey."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from .header import Header, ImageFormat

_DTYPES = {"I;16": "<u2", "I;16L": "<u2", "I;16B": ">u2", "I": "i4", "F": "f4"}


def read_header(path: Path) -> Header:
    with _open(path) as image:
        return Header((image.height, image.width), np.dtype(_DTYPES.get(image.mode, "u1")))


def read_pixels(path: Path) -> NDArray:
    with _open(path) as image:
        return np.asarray(image if image.mode in _DTYPES else image.convert("L"))


@contextmanager
def _open(path: Path) -> Iterator[Image.Image]:
    """Open a file that may well be larger than a photograph."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)
        with Image.open(path) as image:
            yield image


BITMAP = ImageFormat(read_header, read_pixels)
