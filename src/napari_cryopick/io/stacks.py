"""Stacks of particle images, MRC with a STAR, as RELION's *Extract* writes them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from mrcfile.dtypes import HEADER_DTYPE
from numpy.typing import NDArray

from ..errors import warn
from ..picks import Picks, PickSet
from .pick_formats import write_picks
from .star import IMAGE, one_group

FLOAT32 = 2
"""MRC mode of the images. Half precision, mode 12, takes half the space, but not all programs
read it."""

_MICROSCOPE = {
    "rlnVoltage": 300.0,
    "rlnSphericalAberration": 2.7,
    "rlnAmplitudeContrast": 0.1,
}
"""What RELION reads no stack without, and the usual values where nothing says them."""


class StackWriter:
    """Writes images of one size to a file opened for it, as they come; the header comes last."""

    def __init__(self, file: BinaryIO, size: int) -> None:
        self.count = 0
        self._file = file
        self._size = size
        self._range = np.inf, -np.inf
        self._sums = np.zeros(2)
        file.write(bytes(HEADER_DTYPE.itemsize))

    def append(self, images: NDArray[np.float32]) -> None:
        """Write (n, size, size) images behind those before."""
        self._file.write(np.ascontiguousarray(images, dtype="<f4").data)
        self.count += len(images)
        for image in images:
            self._range = min(self._range[0], image.min()), max(self._range[1], image.max())
            self._sums += image.sum(dtype=float), np.square(image, dtype=float).sum()

    def finish(self, pixel_size_angstrom: float) -> None:
        """Write the header of all images so far."""
        edge = self._size * pixel_size_angstrom
        mean, square = self._sums / max(1, self.count * self._size**2)
        header = np.zeros((), HEADER_DTYPE.newbyteorder("<"))
        for field, value in {
            **dict.fromkeys(("nx", "ny", "mx", "my"), self._size),
            "nz": self.count,
            "mz": 1,
            "mode": FLOAT32,
            "ispg": 0,
            "nversion": 20140,
            "cella": (edge, edge, pixel_size_angstrom),
            "cellb": (90, 90, 90),
            "mapc": 1,
            "mapr": 2,
            "maps": 3,
            "map": b"MAP ",
            "machst": (0x44, 0x44, 0, 0),
            "dmin": self._range[0],
            "dmax": self._range[1],
            "dmean": mean,
            "rms": np.sqrt(max(0.0, square - mean**2)),
        }.items():
            header[field] = value
        self._file.seek(0)
        self._file.write(header.tobytes())


def write_stack_star(
    path: Path,
    stack: Path,
    picks: PickSet,
    size: int,
    bin_factor: int,
    microscope: Sequence[float | None],
) -> None:
    """Write the STAR of a stack: a row for each image, in the order of picks.

    Parameters
    ----------
    path, stack
        The STAR, and the stack as programs will look for it.
    picks
        The particles, with the pixel size of their micrographs.
    size, bin_factor
        Edge of the images, and how many micrograph pixels one of theirs spans.
    microscope
        Voltage in kV, spherical aberration in mm and amplitude contrast; None for what the picks
        say or, where they do not, for the usual value.
    """
    if " " in str(stack):
        warn(f"RELION reads no spaces in names, as in {stack}; choose another folder or name.")
    named, first = {}, 1
    for name, one in picks.by_micrograph.items():
        numbers = range(first, first + len(one))
        images = np.array([f"{number:06d}@{stack.as_posix()}" for number in numbers], dtype=str)
        named[name] = replace(one, extra={**one.extra, IMAGE: images})
        first += len(one)
    assert picks.pixel_size_angstrom is not None
    given = {
        label: value
        for label, value in zip(_MICROSCOPE, microscope, strict=True)
        if value is not None
    }
    images_are = {
        "rlnImagePixelSize": picks.pixel_size_angstrom * bin_factor,
        "rlnImageSize": size,
        "rlnImageDimensionality": 2,
        "rlnCtfDataAreCtfPremultiplied": 0,
    }
    usual = {**_MICROSCOPE, "rlnMicrographOriginalPixelSize": picks.pixel_size_angstrom}
    groups = {**(picks.optics or one_group())}
    count = len(next(iter(groups.values())))
    values: dict[str, Any] = {**usual, **groups, **given, **images_are}
    optics = {label: np.broadcast_to(value, count) for label, value in values.items()}
    write_picks(path, replace(picks, by_micrograph=named, optics=optics))


def knows_ctf(picks: PickSet) -> bool:
    """Return whether all picks have the defocus of their micrograph."""
    some = [one for one in picks.by_micrograph.values() if len(one)]
    return all(_has_defocus(one) for one in some)


def _has_defocus(picks: Picks) -> bool:
    defocus = picks.extra.get("rlnDefocusU")
    return defocus is not None and bool((defocus > 0).all())
