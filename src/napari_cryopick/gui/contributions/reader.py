"""Open micrographs in napari: files, folders and simulated ones become lazy stacks in Å."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import napari
from napari.utils.notifications import show_error, show_warning

from ... import __version__
from ...errors import CryopickError
from ...io import Header, find_micrographs, read_header
from ..layers.contrast import first_limits
from ..layers.layers import MICROGRAPHS, axes, metadata
from ..layers.stack import Stack, lazy_pixels
from ..layers.watch import watch

LayerData = tuple[Any, dict[str, Any], str]
Read = Callable[[Any], list[Any]]

_SAMPLE_MICROGRAPHS = 4


def get_reader(
    path: str | Sequence[str],  # noqa: ARG001, the name that npe2 calls it by
) -> Callable[[str | Sequence[str]], list[LayerData]]:
    """Give napari the function that reads micrographs."""
    return or_say_why(read_stacks)


def or_say_why(read: Read) -> Read:
    """Have a user's mistake shown as a sentence; napari itself would add a traceback."""

    def read_or_say_why(path: Any) -> list[Any]:
        try:
            return read(path)
        except CryopickError as error:
            show_error(str(error))
            return [(None,)]  # napari's sign for a file that was read, but makes no layer

    return read_or_say_why


def read_stacks(path: str | Sequence[str]) -> list[LayerData]:
    """Open files and folders, with one image layer per pixel size found.

    Only headers are read, and a sample of the first micrograph that is not blank for its contrast.
    What cannot be read is left out with a warning.
    """
    sources = [path] if isinstance(path, str) else list(path)
    paths, failures = find_micrographs(sources), []
    by_size: dict[float | None, dict[Path, Header]] = {}
    for file in paths:
        try:
            header = read_header(file)
        except CryopickError as error:
            failures.append(error)
        else:
            by_size.setdefault(header.pixel_size_angstrom, {})[file] = header
    if not by_size:
        raise failures[0]
    if failures:
        show_warning(f"{len(failures)} of {len(paths)} left out: {failures[0]}")
    notes = {header.note: file for headers in by_size.values() for file, header in headers.items()}
    for note in filter(None, notes):
        show_warning(f"{notes[note].name}: {note}.")
    if (viewer := napari.current_viewer()) is not None:
        watch(viewer)
    name = Path(sources[0]).name if len(sources) == 1 else paths[0].parent.name
    return [_layer(name, headers, size) for size, headers in by_size.items()]


def simulated() -> list[LayerData]:
    """Open a few simulated micrographs, made on first use and kept as temporary files."""
    from ...simulation.simulate import simulate_example

    folder = Path(tempfile.gettempdir()) / f"napari-cryopick-{__version__}-sample"
    if not (folder / "particles.star").exists():
        simulate_example(folder, count=_SAMPLE_MICROGRAPHS)
    return read_stacks(str(folder / "micrographs"))


def _layer(name: str, headers: dict[Path, Header], pixel_size_angstrom: float | None) -> LayerData:
    stack = Stack(tuple(headers), tuple(header.shape for header in headers.values()))
    pixels = lazy_pixels(stack, (header.dtype for header in headers.values()))
    attributes = {
        "name": name,
        "contrast_limits": first_limits(stack),
        "colormap": "gray",
        "cache": False,
        "metadata": metadata(stack, MICROGRAPHS),
    }
    return pixels, {**attributes, **axes(pixel_size_angstrom)}, "image"
