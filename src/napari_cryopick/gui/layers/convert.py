"""Between layers and the nouns the rest of the program speaks in."""

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

FEATURES = ("score", "source", "status")


def rows_of(picks: Picks, index: int) -> tuple[NDArray[np.float64], pd.DataFrame]:
    """Points (n, 3) in slice `index`, and their features."""
    import pandas as pd

    points = np.column_stack([np.full(len(picks), float(index)), picks.positions])
    columns = {"score": picks.scores, "source": picks.sources, "status": picks.statuses}
    return points, pd.DataFrame({**columns, **picks.extra})


def all_rows_of(found: Mapping[int, Picks]) -> tuple[NDArray[np.float64], pd.DataFrame]:
    """Points (n, 3) in all slices, and their features without further columns."""
    import pandas as pd

    def column(name: str) -> NDArray:
        return np.concatenate([getattr(picks, name) for picks in found.values()])

    indices = np.repeat([float(index) for index in found], [len(p) for p in found.values()])
    columns = {"score": "scores", "source": "sources", "status": "statuses"}
    features = pd.DataFrame({name: column(names) for name, names in columns.items()})
    return np.column_stack([indices, column("positions")]), features


def picks_of(points: NDArray, features: pd.DataFrame, index: int) -> Picks:
    """The picks in one slice; a column that is missing says that a person has clicked."""
    here = np.round(points[:, 0]) == index
    rows = features[here]

    def column(name: str, default: float | str) -> NDArray:
        return rows[name].to_numpy(type(default)) if name in rows else np.full(len(rows), default)

    return Picks(
        points[here, 1:].astype(float),
        column("score", np.nan),
        column("source", str(Source.PERSON)),
        column("status", str(Status.OK)),
        {name: rows[name].to_numpy() for name in rows if name not in FEATURES},
    )


def points_over(layer: Points, image: Image) -> NDArray[np.float64]:
    """A layer's points (n, 3) as (micrograph, y, x) in pixels of the image.

    Raises
    ------
    CryopickError
        If the layer is flat and so does not say which of several micrographs its points are on.
    """
    scale, translate = frame(image)
    own_scale, own_translate = frame(layer)
    points = np.column_stack([np.zeros((len(layer.data), 3 - layer.ndim)), layer.data])
    if layer.ndim < image.ndim and image.data.shape[0] > 1:
        raise CryopickError(
            f"The layer {layer.name} does not say which micrograph its points are on; "
            "make a new picks layer and click there."
        )
    if np.array_equal(scale, own_scale) and np.array_equal(translate, own_translate):
        return points
    return (points * own_scale + own_translate - translate) / scale


def labels_of(layer: LabelsLayer, image: Image, stack: Stack) -> dict[int, Labels]:
    """What is painted, by slice; slices without paint are left out.

    Raises
    ------
    CryopickError
        If a class is painted that has no meaning.
    """
    factor = float(image.scale[-1] / layer.scale[-1])
    slices = np.asarray(layer.data).reshape(-1, *layer.data.shape[-2:])
    painted = [index for index, classes in enumerate(slices) if classes.any()]
    if painted and (highest := slices[painted].max()) > max(LabelClass):
        raise CryopickError(
            f"The layer {layer.name} holds the label {highest}; "
            "paint 1 for particles, 2 for background and 3 for contamination."
        )
    return {index: _cropped(slices[index], stack.shapes[index], factor) for index in painted}


def _cropped(classes: NDArray, shape: tuple[int, int], factor: float) -> Labels:
    """Without the padding of a smaller micrograph."""
    height, width = (int(np.ceil(edge * factor - 1e-6)) for edge in shape)
    return Labels(classes[:height, :width].astype(np.uint8), factor)
