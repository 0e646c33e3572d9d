"""Convert between layers and the picks and labels that the rest of the program works with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from napari.layers import Image, Points
from napari.layers import Labels as LabelsLayer
from numpy.typing import NDArray

from ...errors import CryopickError
from ...labels import LabelClass, Labels
from ...picks import Picks, Source, Status
from .layers import frame
from .stack import Stack

if TYPE_CHECKING:
    import pandas as pd

CLICKED = {"score": np.nan, "source": str(Source.PERSON), "status": str(Status.OK)}
"""The features of a point that a person has placed."""

_COLUMNS = {"score": "scores", "source": "sources", "status": "statuses"}


def rows_of(found: Mapping[int, Picks]) -> tuple[NDArray[np.float64], pd.DataFrame]:
    """Return points (n, 3) in all slices, and their features.

    Further columns are kept where the picks of every slice have them.
    """
    import pandas as pd

    tables = list(found.values()) or [Picks.at([])]
    indices = np.repeat([float(index) for index in found], [len(p) for p in found.values()])
    columns = {
        name: np.concatenate([getattr(picks, column) for picks in tables])
        for name, column in _COLUMNS.items()
    }
    for name in sorted(set.intersection(*(set(picks.extra) for picks in tables))):
        columns[name] = np.concatenate([picks.extra[name] for picks in tables])
    positions = np.concatenate([picks.positions for picks in tables])
    return np.column_stack([indices, positions]), pd.DataFrame(columns)


def picks_of(points: NDArray, features: pd.DataFrame, index: int) -> Picks:
    """Return the picks in one slice; a missing column means that a person has clicked."""
    here = np.round(points[:, 0]) == index
    rows = features[here]
    scores, sources, statuses = (
        rows[name].to_numpy(type(value)) if name in rows else np.full(len(rows), value)
        for name, value in CLICKED.items()
    )
    extra = {name: rows[name].to_numpy() for name in rows if name not in CLICKED}
    return Picks(points[here, 1:].astype(float), scores, sources, statuses, extra)


def points_over(layer: Points, image: Image) -> NDArray[np.float64]:
    """Return a layer's points (n, 3) as (micrograph, y, x) in pixels of the image."""
    if layer.ndim < image.ndim and image.data.shape[0] > 1:
        raise CryopickError(
            f"The layer {layer.name} does not say which micrograph its points are on; "
            "make a new picks layer and click there."
        )
    (scale, translate), (own_scale, own_translate) = frame(image), frame(layer)
    points = np.column_stack([np.zeros((len(layer.data), 3 - layer.ndim)), layer.data])
    if np.array_equal(scale, own_scale) and np.array_equal(translate, own_translate):
        return points
    return np.asarray((points * own_scale + own_translate - translate) / scale)


def labels_of(layer: LabelsLayer, image: Image, stack: Stack) -> dict[int, Labels]:
    """Return what is painted, by slice, without the padding; slices without paint are left out."""
    factor = float(image.scale[-1] / layer.scale[-1])
    slices = np.asarray(layer.data).reshape(-1, *layer.data.shape[-2:])
    painted = [index for index, classes in enumerate(slices) if classes.any()]
    if painted and (highest := slices[painted].max()) > max(LabelClass):
        raise CryopickError(
            f"The layer {layer.name} holds the label {highest}; "
            "paint 1 for particles, 2 for background and 3 for contamination."
        )
    labels = {}
    for index in painted:
        height, width = (int(np.ceil(edge * factor - 1e-6)) for edge in stack.shapes[index])
        labels[index] = Labels(slices[index, :height, :width].astype(np.uint8), factor)
    return labels
