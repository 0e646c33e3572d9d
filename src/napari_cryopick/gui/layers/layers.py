"""What layers remember of their micrographs, by keys known only here, and where they lie."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np
from napari.components import ViewerModel
from napari.layers import Image, Layer
from numpy.typing import NDArray

if TYPE_CHECKING:
    from .stack import Stack

MICROGRAPHS, PICKS, LABELS = "micrographs", "picks", "labels"
MAPS = ("area", "centre", "contamination")
DIFFERENCES, UNCERTAIN, DIAMETER_CIRCLE = "differences", "uncertain", "diameter"
MEMBERS = "class members"
"""The roles a layer can have for a stack."""

AXES = ("micrograph", "y", "x")

DEFAULT_DIAMETER_ANGSTROM = 150.0
"""A round number in the middle of what people pick; every dock asks for the true one."""

DELETED, HISTORY, THRESHOLD = "cryopick_deleted", "cryopick_history", "cryopick_threshold"
OFFSET_SD = "cryopick_offset_sd"
"""Keys of a picks layer: picks deleted in its file, its edits, the lowest score shown, and how
uncertain the calibration of the scores is."""

_STACK, _ROLE, _DIAMETER = "cryopick", "cryopick_role", "cryopick_diameter_angstrom"

_LEAST_CANVAS_PX = 45
"""A particle this wide on the screen is large enough to be judged."""


def metadata(stack: Stack, role: str) -> dict[str, Any]:
    """Return what a new layer of these micrographs remembers."""
    return {_STACK: stack, _ROLE: role}


def stack_of(layer: Layer) -> Stack | None:
    """Return the micrographs a layer belongs to, or None where that is unknown."""
    return layer.metadata.get(_STACK)


def role_of(layer: Layer) -> str | None:
    """Return what a layer is for its micrographs."""
    return layer.metadata.get(_ROLE)


def find_layer(layers: Iterable[Layer], image: Layer, role: str) -> Any:
    """Return the uppermost layer of this role for the micrographs of an image, or None.

    A copy that a user has made of a layer comes after all others, so that it stays as it is.
    """
    found = [one for one in reversed(_mates(layers, image)) if role_of(one) == role]
    return min(found, key=_is_copy, default=None)


def diameter_angstrom(image: Image) -> float:
    """Return the particle diameter that was last entered for an image."""
    return float(image.metadata.get(_DIAMETER, DEFAULT_DIAMETER_ANGSTROM))


def has_diameter(image: Image) -> bool:
    """Return whether a diameter was ever entered for an image."""
    return _DIAMETER in image.metadata


def remember_diameter(image: Image, angstrom: float) -> None:
    """Keep the particle diameter with the image."""
    image.metadata = {**image.metadata, _DIAMETER: angstrom}


def diameter_px(image: Image) -> float:
    """Return the particle diameter in pixels of an image."""
    return diameter_angstrom(image) / (pixel_size_angstrom(image) or 1.0)


def axes(pixel_size_angstrom: float | None) -> dict[str, Any]:
    """Return the scale, units and names of the axes (micrograph, y, x)."""
    edge, unit = pixel_size_angstrom or 1.0, "angstrom" if pixel_size_angstrom else "pixel"
    return {"scale": (1.0, edge, edge), "units": ("pixel", unit, unit), "axis_labels": AXES}


def pixel_size_angstrom(layer: Layer) -> float | None:
    """Return a layer's pixel size, or None if it is not measured in Å."""
    return float(layer.scale[-1]) if str(layer.units[-1]) == "angstrom" else None


def set_pixel_size(layers: Iterable[Layer], image: Image, size_angstrom: float) -> None:
    """Bring an image, and all layers that belong to its micrographs, to a pixel size in Å."""
    zoom = size_angstrom / image.scale[-1]
    for layer in _mates(layers, image) or [image]:
        stretch = np.r_[np.ones(layer.ndim - 2), zoom, zoom]
        layer.scale, layer.translate = layer.scale * stretch, layer.translate * stretch
        layer.units = axes(size_angstrom)["units"][-layer.ndim :]


def frame(layer: Layer, factor: float = 1.0) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return scale and translation of (micrograph, y, x) with `factor` pixels per pixel of a layer.

    A point p of the layer lies at ``(p + 0.5) * factor - 0.5``, so that both cover the same ice.
    """
    ones, zeros = np.ones(3 - layer.ndim), np.zeros(3 - layer.ndim)
    scale, translate = np.r_[ones, layer.scale], np.r_[zeros, layer.translate]
    coarse = np.array([1, 1 / factor, 1 / factor])
    return scale * coarse, translate + scale * (coarse - 1) / 2


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


def _is_copy(layer: Layer) -> bool:
    return layer.source.parent is not None


def _mates(layers: Iterable[Layer], image: Layer) -> list[Layer]:
    stack = stack_of(image)
    return [layer for layer in layers if stack and stack_of(layer) == stack]
