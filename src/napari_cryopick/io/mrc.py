"""MRC files of any mode, byte order, extended header or compression."""

from __future__ import annotations

import bz2
import gzip
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import BinaryIO, cast

import numpy as np
from mrcfile.dtypes import HEADER_DTYPE
from numpy.typing import NDArray

from ..errors import CryopickError
from .header import Header

_OPENERS: dict[str, Callable] = {".gz": gzip.open, ".bz2": bz2.open}
_DTYPES = {0: "i1", 1: "i2", 2: "f4", 6: "u2", 12: "f2"}
_UNREADABLE_MODES = {3: "complex integers", 4: "complex numbers", 101: "4-bit numbers"}
_MAX_EDGE_PX = 100_000


def read_mrc(path: Path) -> Header:
    """Read the header of an MRC file."""
    raw = _raw_header(path)
    shape = int(raw["ny"]), int(raw["nx"])
    dtype, offset = _dtype(raw, path), HEADER_DTYPE.itemsize + int(raw["nsymbt"])
    load = partial(_load, path, shape, dtype, offset)
    return Header(shape, dtype, load, _pixel_size_angstrom(raw), int(raw["nz"]))


def _load(path: Path, shape: tuple[int, int], dtype: np.dtype, offset: int) -> NDArray:
    """Memory-map the only section, or read it where it is compressed."""
    length = dtype.itemsize * shape[0] * shape[1]
    if path.suffix.lower() in _OPENERS:
        with _open(path) as stream:
            stream.seek(offset)
            data = stream.read(length)
        _check_length(path, len(data), length)
        return np.frombuffer(data, dtype).reshape(shape)
    _check_length(path, path.stat().st_size - offset, length)
    return np.memmap(path, dtype, "r", offset, shape)


def _open(path: Path) -> BinaryIO:
    return cast(BinaryIO, _OPENERS.get(path.suffix.lower(), open)(path, "rb"))


def _raw_header(path: Path) -> np.void:
    """Read the first kilobyte in the byte order that makes sense, whatever its stamp says."""
    with _open(path) as stream:
        raw = stream.read(HEADER_DTYPE.itemsize)
    if len(raw) == HEADER_DTYPE.itemsize:
        for order in "<>":
            header = np.frombuffer(raw, HEADER_DTYPE.newbyteorder(order))[0]
            if _makes_sense(header):
                return cast(np.void, header)
    raise CryopickError(f"{path} is not an MRC file.")


def _makes_sense(header: np.void) -> bool:
    edges = header["nx"], header["ny"], header["nz"]
    known_mode = header["mode"] in _DTYPES or header["mode"] in _UNREADABLE_MODES
    return known_mode and header["nsymbt"] >= 0 and all(1 <= n <= _MAX_EDGE_PX for n in edges)


def _dtype(header: np.void, path: Path) -> np.dtype:
    mode = int(header["mode"])
    if mode in _UNREADABLE_MODES:
        raise CryopickError(
            f"{path} holds {_UNREADABLE_MODES[mode]} (MRC mode {mode}); convert it to float32."
        )
    if mode == 0 and _has_imod_unsigned_bytes(header):
        return np.dtype("u1")
    return np.dtype(_DTYPES[mode]).newbyteorder(header.dtype["mode"].byteorder)


def _has_imod_unsigned_bytes(header: np.void) -> bool:
    """Return whether IMOD stamped the file and does not say that bytes are signed."""
    stamp, flags = np.frombuffer(header["extra2"].tobytes()[40:48], header.dtype["mode"])
    return bool(stamp == int.from_bytes(b"IMOD", "little") and not flags & 1)


def _pixel_size_angstrom(header: np.void) -> float | None:
    if header["mx"] <= 0:
        return None
    return round(float(header["cella"]["x"]) / int(header["mx"]), 5)


def _check_length(path: Path, found: int, expected: int) -> None:
    if found < expected:
        raise CryopickError(
            f"{path} is cut short: {max(found, 0):,} of {expected:,} bytes of pixels are there; "
            "copy it again."
        )
