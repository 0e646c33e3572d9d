"""Where layers lie and where a viewer looks, in Å where the pixel size is known."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from napari.components import ViewerModel
from napari.layers import Image, Layer
from numpy.typing import NDArray

from .metadata import diameter_angstrom, metadata, stack_of
from .stack import AXES, ensure_stack, units

_LEAST_CANVAS_PX = 45
"""A particle this wide on the screen is large enough to be judged."""


def pixel_size_angstrom(layer: Layer) -> float | None:
    """Return a layer's pixel size, or None if it is not measured in Å."""
    return float(layer.scale[-1]) if str(layer.units[-1]) == "angstrom" else None


def diameter_px(image: Image) -> float:
    """Return the particle diameter in pixels of an image."""
    return diameter_angstrom(image) / (pixel_size_angstrom(image) or 1.0)


def set_pixel_size(layers: Iterable[Layer], image: Image, size_angstrom: float) -> None:
    """Bring an image, and all layers that belong to its micrographs, to a pixel size in Å."""
    stack, zoom = stack_of(image), size_angstrom / image.scale[-1]
    mates = [layer for layer in layers if stack and stack_of(layer) == stack]
    for layer in mates or [image]:
        stretch = np.r_[np.ones(layer.ndim - 2), zoom, zoom]
        layer.scale, layer.translate = layer.scale * stretch, layer.translate * stretch
        layer.units = units(size_angstrom)[-layer.ndim :]


def frame(layer: Layer, factor: float = 1.0) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return scale and translation of (micrograph, y, x) with `factor` pixels per pixel of a layer.

    A point p of the layer lies at ``(p + 0.5) * factor - 0.5``, so that both cover the same ice.
    """
    missing = 3 - layer.ndim
    scale, translate = (
        np.r_[np.ones(missing), layer.scale],
        np.r_[np.zeros(missing), layer.translate],
    )
    coarse = np.array([1, 1 / factor, 1 / factor])
    return scale * coarse, translate + scale * (coarse - 1) / 2


def over(image: Image, role: str, factor: float = 1.0) -> dict[str, Any]:
    """Return the name, place and metadata of a layer that lies over an image."""
    scale, translate = frame(image, factor)
    return {
        "name": f"{image.name} {role}",
        "scale": scale,
        "translate": translate,
        "units": ("pixel",) * (3 - image.ndim) + tuple(image.units),
        "axis_labels": AXES,
        "metadata": metadata(ensure_stack(image), role),
    }


def camera(viewer: ViewerModel) -> Any:
    """Return the camera of a viewer, wherever this version of napari keeps it."""
    return getattr(viewer, "scene", viewer).camera


def slice_in_view(viewer: ViewerModel, image: Image) -> int:
    """Return the index of the micrograph that is looked at."""
    if image.ndim < 3 or viewer.dims.ndim < 3:
        return 0
    scale, translate = frame(image)
    index = round((viewer.dims.point[-3] - translate[0]) / scale[0])
    return int(np.clip(index, 0, len(image.data) - 1))


def look_at(viewer: ViewerModel, image: Image, index: int, position: tuple[float, float]) -> None:
    """Centre the view on a position (y, x) in px, zoomed in so far that a particle is seen."""
    scale, translate = frame(image)
    slice_, y, x = (index, *position) * scale + translate
    if image.ndim == 3:
        viewer.dims.set_point(len(viewer.dims.point) - 3, slice_)
    eye = camera(viewer)
    eye.center = (*tuple(eye.center)[:-2], y, x)
    eye.zoom = max(eye.zoom, _LEAST_CANVAS_PX / (diameter_px(image) * scale[-1]))
