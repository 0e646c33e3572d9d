"""Picks of a file as a points layer, and a points layer as a file of picks."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import napari
import numpy as np
from napari.layers import Image, Layer, Points

from ...errors import CryopickError
from ...io import PickSet, match_picks, read_picks, write_picks
from ...picks import Picks, Status
from ..layers.convert import picks_of, rows_of
from ..layers.curation import DELETED, colour_by_source
from ..layers.layers import MICROGRAPHS, picks_layer, pixel_size_angstrom, role_of, stack_of, units
from ..layers.stack import Stack
from .reader import LayerData

_USUAL_DIAMETER_ANGSTROM = 150.0


def get_reader(path: str | list[str]) -> Callable[[str], list[LayerData]] | None:
    """Give napari the function that reads picks."""
    return read_points if isinstance(path, str) else None


def read_points(path: str) -> list[LayerData]:
    """Open picks over the micrographs that they name, or by themselves if those are not open.

    Raises
    ------
    CryopickError
        If the file cannot be read.
    """
    viewer = napari.current_viewer()
    picks = read_picks(path)
    layer = points_layer(picks, viewer.layers if viewer else [])
    layer.name = Path(path).name
    return [layer.as_layer_data_tuple()]


def points_layer(picks: PickSet, layers: Iterable[Layer]) -> Points:
    """Lay picks over those of the `layers` that show their micrographs."""
    for image in layers:
        stack = stack_of(image) if role_of(image) == MICROGRAPHS else None
        if stack is not None and (matched := _matched(picks, stack)):
            return _filled(image, stack, matched, picks.diameter_angstrom)
    names = sorted(picks.by_micrograph)
    size = picks.pixel_size_angstrom or 1.0
    nothing = Image(
        np.zeros((1, 1, 1)), scale=(1, size, size), units=units(picks.pixel_size_angstrom)
    )
    stack = Stack(tuple(map(Path, names)), ((1, 1),) * len(names))
    by_index = {index: picks.by_micrograph[name] for index, name in enumerate(names)}
    return _filled(nothing, stack, by_index, picks.diameter_angstrom)


def write_points(path: str, data: Any, attributes: dict[str, Any]) -> list[str]:
    """Write napari's points as picks, in the format that the suffix tells.

    Raises
    ------
    CryopickError
        If the layer does not know its micrographs, or the file cannot be written.
    """
    write_layer(Path(path), Points(data, **attributes))
    return [path]


def write_layer(path: Path, layer: Points) -> int:
    """Write the points that are shown, and say how many."""
    stack = stack_of(layer)
    if stack is None:
        raise CryopickError(
            f"The layer {layer.name} does not know its micrographs; "
            "make a new picks layer over them and click there."
        )
    points, features = layer.data[layer.shown], layer.features[layer.shown]
    tables = {str(p): picks_of(points, features, i) for i, p in enumerate(stack.paths)}
    size = pixel_size_angstrom(layer)
    diameter = float(layer.current_size) * size if size else None
    picks = PickSet(tables, size, diameter_angstrom=diameter)
    write_picks(path, picks)
    return len(picks)


def _matched(picks: PickSet, stack: Stack) -> dict[int, Picks]:
    try:
        matched = match_picks(picks, stack.paths)
    except CryopickError:
        return {}
    return {stack.index(path): table for path, table in matched.items()}


def _filled(
    image: Layer, stack: Stack, picks: Mapping[int, Picks], diameter_angstrom: float | None
) -> Points:
    import pandas as pd

    size = pixel_size_angstrom(image) or 1.0
    diameter_px = (diameter_angstrom or _USUAL_DIAMETER_ANGSTROM) / size
    layer = picks_layer(image, stack, diameter_px)
    rows = [rows_of(table, index) for index, table in picks.items()]
    points = np.concatenate([points for points, _ in rows])
    features = pd.concat([features for _, features in rows], ignore_index=True)
    deleted = (features["status"] == Status.DELETED).to_numpy(bool)
    layer.metadata[DELETED] = points[deleted]
    layer.data, layer.features = points[~deleted], features[~deleted].reset_index(drop=True)
    layer.size = diameter_px
    colour_by_source(layer)
    return layer
