"""Where a viewer looks, and what it is meant to look at."""

from __future__ import annotations

from typing import Any

import numpy as np
from napari.layers import Image, Points

from .layers import AXES, PLACE, find_layer, frame, metadata, units_like
from .results import insert
from .scratch import adopt

_LEAST_CANVAS_PX = 45
_RING = 1.5


def camera(viewer: Any) -> Any:
    """The camera of a viewer, wherever this version of napari keeps it."""
    return getattr(viewer, "scene", viewer).camera


def look_at(
    viewer: Any, image: Image, index: int, position: tuple[float, float], diameter_px: float
) -> None:
    """Bring a place on a micrograph into the middle, zoomed in so far that a particle is seen."""
    scale, translate = frame(image)
    slice_, y, x = (index, *position) * scale + translate
    if image.ndim == 3:
        viewer.dims.set_point(len(viewer.dims.point) - 3, slice_)
    eye = camera(viewer)
    eye.center = (*tuple(eye.center)[:-2], y, x)
    eye.zoom = max(eye.zoom, _LEAST_CANVAS_PX / (diameter_px * scale[-1]))


def ring(
    viewer: Any, image: Image, place: tuple[float, float, float] | None, diameter_px: float
) -> None:
    """Draw a white ring around a place (micrograph, y, x), or take it away."""
    layer = find_layer(viewer.layers, adopt(image), PLACE)
    if layer is None:
        layer = insert(viewer, len(viewer.layers), _ring_layer(image))
    layer.data = np.empty((0, 3)) if place is None else [place]
    layer.editable = False
    layer.size = _RING * diameter_px


def _ring_layer(image: Image) -> Points:
    scale, translate = frame(image)
    return Points(
        ndim=3,
        name=f"{image.name} doubtful",
        face_color="transparent",
        border_color="white",
        border_width=0.04,
        scale=scale,
        translate=translate,
        units=units_like(image),
        axis_labels=AXES,
        metadata=metadata(adopt(image), PLACE),
    )
