"""Open picks of a file as a points layer, and save a points layer as a file of picks."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import napari
from napari.layers import Image, Layer, Points
from napari.utils.notifications import show_warning
from numpy.typing import NDArray

from ...errors import CryopickError
from ...io import (
    PickSet,
    left_out,
    match_picks,
    names_micrographs,
    read_picks,
    unmatched,
    write_picks,
)
from ...picks import Picks, Status
from ..layers.classes import class_columns
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
from ..layers.stack import Stack, ensure_stack
from .reader import LayerData, or_say_why, read_stacks


def get_reader(path: str | list[str]) -> Callable[[str], list[LayerData]] | None:
    """Give napari the function that reads picks."""
    return or_say_why(read_points) if isinstance(path, str) else None


def read_points(path: str) -> list[LayerData]:
    """Open picks over the micrographs that they name, or by themselves if none are open.

    Those that name none of the micrographs open are left out with a warning. A list of micrographs
    without picks opens these.
    """
    viewer = napari.current_viewer()
    layers = viewer.layers if viewer else []
    open_paths = [path for image in _micrographs(layers) for path in ensure_stack(image).paths]
    try:
        picks = read_picks(path, open_paths)
    except CryopickError:
        if names_micrographs(Path(path)):
            return read_stacks(path)
        raise
    made = points_layers(picks, layers)
    for layer in made:
        layer.name = Path(path).name
    return [layer.as_layer_data_tuple() for layer in made]


def points_layers(picks: PickSet, layers: Iterable[Layer]) -> list[Points]:
    """Make a layer of picks over each of the `layers` that shows some of their micrographs.

    Raises
    ------
    CryopickError
        If there are micrographs in the `layers`, but none of theirs.
    """
    made: list[Points] = []
    used: dict[Path, Picks] = {}
    problems, rest = [], picks
    for image in _micrographs(layers):
        stack = ensure_stack(image)
        try:
            matched = match_picks(rest, stack.paths)
        except CryopickError as error:
            problems.append(error)
            continue
        made += [_points_over(image, stack, matched, picks)] if matched else []
        used |= matched
        others = {name: picks.by_micrograph[name] for name in unmatched(picks, used)}
        rest = replace(picks, by_micrograph=others)
    if problems and not made:
        raise problems[0]
    if made and (sentence := left_out(picks, used)):
        show_warning(sentence)
    return made or [_points_alone(picks)]


def _points_over(
    image: Image, stack: Stack, matched: Mapping[Path, Picks], picks: PickSet
) -> Points:
    diameter = picks.diameter_angstrom or diameter_angstrom(image)
    layer = picks_layer(over(image, PICKS), diameter / (pixel_size_angstrom(image) or 1.0))
    return _filled(layer, {stack.index(path): table for path, table in matched.items()})


def _points_alone(picks: PickSet) -> Points:
    """Make a layer of picks whose micrographs are not open, below the slices of any others."""
    names = sorted(picks.by_micrograph)
    stack = Stack(tuple(map(Path, names)), ((1, 1),) * len(names))
    attributes = {**axes(picks.pixel_size_angstrom), "metadata": metadata(stack, PICKS)}
    attributes["translate"] = (-len(names), 0, 0)
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
    features = layer.features.assign(**class_columns(layer))
    found = picks_of(layer.data[layer.shown], features[layer.shown])
    tables = {str(p): found[i] for i, p in enumerate(stack.paths)}
    size = pixel_size_angstrom(layer)
    diameter = float(layer.current_size) * size if size else None
    picks = PickSet(tables, size, diameter_angstrom=diameter)
    write_picks(path, picks)
    return len(picks)


def _micrographs(layers: Iterable[Layer]) -> list[Image]:
    return [layer for layer in layers if role_of(layer) == MICROGRAPHS]


def _filled(layer: Points, picks: Mapping[int, Picks]) -> Points:
    points, features = rows_of(picks)
    deleted = (features["status"] == Status.DELETED).to_numpy(bool)
    layer.metadata[DELETED] = points[deleted]
    fill(layer, points[~deleted], features[~deleted].reset_index(drop=True))
    return layer
