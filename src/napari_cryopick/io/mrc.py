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
from .images import Header

_OPENERS: dict[str, Callable] = {".gz": gzip.open, ".bz2": bz2.open}
_DTYPES = {0: "i1", 1: "i2", 2: "f4", 6: "u2", 12: "f2"}
_UNREADABLE_MODES = {3: "complex integers", 4: "complex numbers", 101: "4-bit numbers"}


def read_mrc(path: Path) -> Header:
    """Read the header of an MRC file."""
    raw = _raw_header(path)
    shape = int(raw["ny"]), int(raw["nx"])
    dtype, offset = _dtype(raw, path), HEADER_DTYPE.itemsize + int(raw["nsymbt"])
    load = partial(_load, path, shape, dtype, offset)
    size = round(float(raw["cella"]["x"]) / int(raw["mx"]), 5) if raw["mx"] > 0 else None
    return Header(shape, dtype, load, size, int(raw["nz"]))


def _load(path: Path, shape: tuple[int, int], dtype: np.dtype, offset: int) -> NDArray:
    """Memory-map the only section, or read it where it is compressed."""
    length = dtype.itemsize * shape[0] * shape[1]
    unpacked: bytes | None = None
    if path.suffix.lower() in _OPENERS:
        with _open(path) as stream:
            stream.seek(offset)
            unpacked = stream.read(length)
    found = path.stat().st_size - offset if unpacked is None else len(unpacked)
    if found < length:
        raise CryopickError(
            f"{path} is cut short: {max(found, 0):,} of {length:,} bytes of pixels are there; "
            "copy it again."
        )
    if unpacked is None:
        return np.memmap(path, dtype, "r", offset, shape)
    return np.frombuffer(unpacked, dtype).reshape(shape)


def _open(path: Path) -> BinaryIO:
    return cast(BinaryIO, _OPENERS.get(path.suffix.lower(), open)(path, "rb"))


def _raw_header(path: Path) -> np.void:
    """Read the first kilobyte in the byte order that makes sense, whatever its stamp says."""
    with _open(path) as stream:
        raw = stream.read(HEADER_DTYPE.itemsize)
    if len(raw) == HEADER_DTYPE.itemsize:
        for order in "<>":
            header = np.frombuffer(raw, HEADER_DTYPE.newbyteorder(order))[0]
            edges = header["nx"], header["ny"], header["nz"]
            known_mode = header["mode"] in {*_DTYPES, *_UNREADABLE_MODES}
            if known_mode and header["nsymbt"] >= 0 and all(1 <= n <= 100_000 for n in edges):
                return cast(np.void, header)
    raise CryopickError(f"{path} is not an MRC file.")


def _dtype(header: np.void, path: Path) -> np.dtype:
    mode = int(header["mode"])
    if mode in _UNREADABLE_MODES:
        raise CryopickError(
            f"{path} holds {_UNREADABLE_MODES[mode]} (MRC mode {mode}); convert it to float32."
        )
    stamp, flags = np.frombuffer(header["extra2"].tobytes()[40:48], header.dtype["mode"])
    by_imod = stamp == int.from_bytes(b"IMOD", "little")
    if mode == 0 and by_imod and not flags & 1:  # else bytes are signed
        return np.dtype("u1")
    return np.dtype(_DTYPES[mode]).newbyteorder(header.dtype["mode"].byteorder)
