"""Open micrographs in napari: files and folders become lazy stacks in Å."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from napari.utils.notifications import show_warning

from ...errors import CryopickError
from ...io import Header, find_micrographs, read_header, read_micrograph
from ..layers.layers import AXES, MICROGRAPHS, metadata, units
from ..layers.stack import Stack, contrast_limits, lazy_pixels

LayerData = tuple[Any, dict[str, Any], str]


def get_reader(
    path: str | Sequence[str],  # noqa: ARG001, the name that npe2 calls it by
) -> Callable[[str | Sequence[str]], list[LayerData]]:
    """Give napari the function that reads micrographs."""
    return read_stacks


def read_stacks(path: str | Sequence[str]) -> list[LayerData]:
    """Open files and folders, with one image layer per pixel size found.

    Only headers are read, and a sample of one micrograph for its contrast. What cannot be read
    is left out with a warning.

    Raises
    ------
    CryopickError
        If there is no micrograph, or none that can be read.
    """
    sources = [path] if isinstance(path, str) else list(path)
    headers, failures = _read_headers(find_micrographs(sources))
    if not headers:
        raise failures[0]
    if failures:
        show_warning(f"{len(failures)} of {len(failures) + len(headers)} left out: {failures[0]}")
    name = Path(sources[0]).name if len(sources) == 1 else next(iter(headers)).parent.name
    return [_layer(name, group, size) for size, group in _by_pixel_size(headers).items()]


def _read_headers(paths: Iterable[Path]) -> tuple[dict[Path, Header], list[CryopickError]]:
    headers, failures = {}, []
    for path in paths:
        try:
            headers[path] = read_header(path)
        except CryopickError as error:
            failures.append(error)
    return headers, failures


def _by_pixel_size(headers: dict[Path, Header]) -> dict[float | None, dict[Path, Header]]:
    groups: dict[float | None, dict[Path, Header]] = {}
    for path, header in headers.items():
        groups.setdefault(header.pixel_size_angstrom, {})[path] = header
    return groups


def _layer(name: str, headers: dict[Path, Header], pixel_size_angstrom: float | None) -> LayerData:
    stack = Stack(tuple(headers), tuple(header.shape for header in headers.values()))
    pixels = lazy_pixels(stack, [header.dtype for header in headers.values()])
    edge = pixel_size_angstrom or 1.0
    attributes = {
        "name": name,
        "scale": (1.0, edge, edge),
        "axis_labels": AXES,
        "units": units(pixel_size_angstrom),
        "contrast_limits": contrast_limits(read_micrograph(stack.paths[0]).pixels),
        "colormap": "gray",
        "metadata": metadata(stack, MICROGRAPHS),
    }
    return pixels, attributes, "image"
