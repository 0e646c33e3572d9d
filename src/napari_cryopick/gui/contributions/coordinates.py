"""Open picks of a file as a points layer, and save a points layer as a file of picks."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import napari
from napari.layers import Layer, Points
from numpy.typing import NDArray

from ...errors import CryopickError, warn
from ...io import (
    PickSet,
    left_out,
    match_picks,
    names_micrographs,
    read_picks,
    write_picks,
)
from ...picks import Picks, Status
from ..layers.create import over, picks_layer
from ..layers.curation import fill, picks_of, rows_of
from ..layers.layers import (
    DEFAULT_DIAMETER_ANGSTROM,
    DELETED,
    MICROGRAPHS,
    PICKS,
    axes,
    diameter_angstrom,
    metadata,
    pixel_size_angstrom,
    role_of,
    stack_of,
)
from ..layers.stack import Stack
from .reader import LayerData, read_stacks


def get_reader(path: str | list[str]) -> Callable[[str], list[LayerData]] | None:
    """Give napari the function that reads picks."""
    return read_points if isinstance(path, str) else None


def read_points(path: str) -> list[LayerData]:
    """Open picks over the micrographs that they name, or by themselves if those are not open.

    A list of micrographs without picks opens these.
    """
    viewer = napari.current_viewer()
    layers = viewer.layers if viewer else []
    open_paths = [path for _, stack in _micrographs(layers) for path in stack.paths]
    try:
        picks = read_picks(path, open_paths)
    except CryopickError:
        if Path(path).suffix.lower() == ".star" and names_micrographs(Path(path)):
            return read_stacks(path)
        raise
    layer = points_layer(picks, layers)
    layer.name = Path(path).name
    return [layer.as_layer_data_tuple()]


def points_layer(picks: PickSet, layers: Iterable[Layer]) -> Points:
    """Make a layer of picks over that of the `layers` which shows their micrographs.

    Picks of micrographs that it does not show are left out, with a warning. Without any
    micrographs, picks are shown by themselves.

    Raises
    ------
    CryopickError
        If there are micrographs, but the picks belong to others.
    """
    problem: CryopickError | None = None
    for image, stack in _micrographs(layers):
        try:
            matched = match_picks(picks, stack.paths)
        except CryopickError as error:
            problem = error
            continue
        if matched:
            if others := left_out(picks, matched):
                warn(others)
            diameter = picks.diameter_angstrom or diameter_angstrom(image)
            size = pixel_size_angstrom(image) or 1.0
            by_slice = {stack.index(path): table for path, table in matched.items()}
            return _filled(picks_layer(over(image, PICKS), diameter / size), by_slice)
    if problem:
        raise problem
    names = sorted(picks.by_micrograph)
    stack = Stack(tuple(map(Path, names)), ((1, 1),) * len(names))
    attributes = {**axes(picks.pixel_size_angstrom), "metadata": metadata(stack, PICKS)}
    diameter = picks.diameter_angstrom or DEFAULT_DIAMETER_ANGSTROM
    layer = picks_layer(attributes, diameter / (picks.pixel_size_angstrom or 1.0))
    return _filled(layer, {i: picks.by_micrograph[name] for i, name in enumerate(names)})


def write_points(path: str, data: NDArray, attributes: dict[str, Any]) -> list[str]:
    """Write napari's points as picks, in the format of the suffix."""
    write_layer(Path(path), Points(data, **attributes))
    return [path]


def write_layer(path: Path, layer: Points) -> int:
    """Write the points that are shown, and return how many there are."""
    stack = stack_of(layer)
    if stack is None:
        raise CryopickError(
            f"The layer {layer.name} does not know its micrographs; "
            "make a new picks layer over them and click there."
        )
    found = picks_of(layer.data[layer.shown], layer.features[layer.shown])
    tables = {str(p): found[i] for i, p in enumerate(stack.paths)}
    size = pixel_size_angstrom(layer)
    diameter = float(layer.current_size) * size if size else None
    picks = PickSet(tables, size, diameter_angstrom=diameter)
    write_picks(path, picks)
    return len(picks)


def _micrographs(layers: Iterable[Layer]) -> Iterator[tuple[Layer, Stack]]:
    for layer in layers:
        stack = stack_of(layer) if role_of(layer) == MICROGRAPHS else None
        if stack is not None:
            yield layer, stack


def _filled(layer: Points, picks: Mapping[int, Picks]) -> Points:
    points, features = rows_of(picks)
    deleted = (features["status"] == Status.DELETED).to_numpy(bool)
    layer.metadata[DELETED] = points[deleted]
    fill(layer, points[~deleted], features[~deleted].reset_index(drop=True))
    return layer
