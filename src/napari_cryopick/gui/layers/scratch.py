"""Images that come from no micrograph file, written to files for the jobs to read."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from napari.layers import Image

from ...io import FORMATS
from ...io.files import atomic_path
from .layers import MICROGRAPHS, metadata, stack_of
from .stack import Stack

_FOLDERS: dict[Path, TemporaryDirectory] = {}


def adopt(image: Image) -> Stack:
    """The micrographs of an image; where it has none, they are named now and written later."""
    if (stack := stack_of(image)) is not None:
        return stack
    *count, height, width = image.data.shape
    paths = _own_file(image) or _scratch_files(image.name, *count)
    stack = Stack(paths, ((height, width),) * len(paths))
    image.metadata = {**image.metadata, **metadata(stack, MICROGRAPHS)}
    return stack


def write_scratch(image: Image, stack: Stack) -> None:
    """Write those slices of an image that have no file yet."""
    import mrcfile

    for index, path in enumerate(stack.paths):
        if path.parent in _FOLDERS and not path.exists():
            pixels = image.data[index] if image.ndim == 3 else image.data
            with atomic_path(path) as part, mrcfile.new(part) as mrc:
                mrc.set_data(np.asarray(pixels, dtype=np.float32))


def _own_file(image: Image) -> tuple[Path, ...]:
    source = Path(image.source.path or "")
    return (source,) if image.ndim == 2 and source.suffix.lower() in FORMATS else ()


def _scratch_files(name: str, count: int = 1) -> tuple[Path, ...]:
    folder = TemporaryDirectory(prefix="napari-cryopick-")
    path = Path(folder.name).resolve()
    _FOLDERS[path] = folder
    return tuple(path / f"{name}_{number:04d}.mrc" for number in range(1, count + 1))
