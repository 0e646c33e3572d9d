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
from .images import Header, require_whole

UNSIGNED = "its bytes are read as unsigned, because its range contradicts signed ones (MRC mode 0)"

_OPENERS: dict[str, Callable] = {".gz": gzip.open, ".bz2": bz2.open}
_DTYPES = {0: "i1", 1: "i2", 2: "f4", 6: "u2", 12: "f2"}
_UNREADABLE_MODES = {3: "complex integers", 4: "complex numbers", 101: "4-bit numbers"}
_CHUNK = 2**20
_EVERY_ROW = 16
"""Of which rows show the sign of bytes: enough for a distribution, quick in a folder of many."""


def read_mrc(path: Path) -> Header:
    """Read the header of an MRC file."""
    raw = _raw_header(path)
    shape = int(raw["ny"]), int(raw["nx"])
    load = partial(_load, path, shape, HEADER_DTYPE.itemsize + int(raw["nsymbt"]))
    dtype, note = _dtype(raw, path), ""
    if raw["mode"] == 0:
        dtype, note = _byte_dtype(raw, load)
    size = round(float(raw["cella"]["x"]) / int(raw["mx"]), 5) if raw["mx"] > 0 else None
    return Header(shape, dtype, partial(load, dtype), size, int(raw["nz"]), note)


def _load(path: Path, shape: tuple[int, int], offset: int, dtype: np.dtype) -> NDArray:
    """Memory-map the only section, or read it where it is compressed."""
    length = dtype.itemsize * shape[0] * shape[1]
    if path.suffix.lower() not in _OPENERS:
        require_whole(path, path.stat().st_size, offset + length)
        return np.memmap(path, dtype, "r", offset, shape)
    with _open(path) as stream:
        stream.seek(offset)
        unpacked = stream.read(length)
        while stream.read(_CHUNK):  # the checksum is behind the last byte
            pass
    require_whole(path, offset + len(unpacked), offset + length)
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
    return np.dtype(_DTYPES[mode]).newbyteorder(header.dtype["mode"].byteorder)


def _byte_dtype(header: np.void, load: Callable[[np.dtype], NDArray]) -> tuple[np.dtype, str]:
    """Return the type of bytes, signed unless something speaks against it, and a note on that."""
    unsigned = _unsigned_by_imod(header)
    if unsigned is None and _contradicts_signed(header, load):
        return np.dtype("u1"), UNSIGNED
    return np.dtype("u1" if unsigned else "i1"), ""


def _unsigned_by_imod(header: np.void) -> bool | None:
    """Return whether IMOD's flag says that bytes are unsigned, or None without IMOD's stamp."""
    stamp, flags = np.frombuffer(header["extra2"].tobytes()[40:48], header.dtype["mode"])
    return not flags & 1 if stamp == int.from_bytes(b"IMOD", "little") else None


def _contradicts_signed(header: np.void, load: Callable[[np.dtype], NDArray]) -> bool:
    """Return whether bytes cannot be signed, as the standard has them.

    The range in the header decides. Where it has none, or one that fits both, the pixels do: with
    the wrong sign they fall apart into two groups, on either side of the wrap.
    """
    lowest, highest = float(header["dmin"]), float(header["dmax"])
    if -128 <= lowest < min(0, highest) and highest <= 127:
        return False
    if 0 <= lowest < highest and 127 < highest <= 255:
        return True
    rows = np.ascontiguousarray(load(np.dtype("u1"))[::_EVERY_ROW])
    return bool(rows.std() < rows.view("i1").std())
