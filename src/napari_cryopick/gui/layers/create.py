"""Make and fill the layers over an image: picks, labels and maps by (micrograph, y, x)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from napari.components import ViewerModel
from napari.layers import Image, Labels, Layer, Points
from napari.utils.colormaps import Colormap, DirectLabelColormap

from ...detection.events import Maps, Predicted
from ...labels import LabelClass
from ...picks import Source
from .curation import CLICKED, SOURCE_COLOURS, curate
from .layers import AXES, LABELS, MAPS, PICKS, diameter_px, find_layer, frame, metadata
from .sparse import SparseStack
from .stack import ensure_stack

_LABEL_COLOURS: dict[int | None, str] = {
    None: "transparent",
    LabelClass.UNKNOWN.value: "transparent",
    LabelClass.PARTICLE.value: "#35e0d2",
    LabelClass.BACKGROUND.value: "#5b8cff",
    LabelClass.CONTAMINATION.value: "#ff5c5c",
}
_MAP_COLOURS = {"area": "#35e0d2", "centre": "#ffffff", "contamination": "#ff5c5c"}
_PAINTED_PARTICLE_PX = 24
"""Labels are painted about as finely as the network sees them (20 px across a particle)."""


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


def picks_layer(attributes: Mapping[str, Any], diameter_px: float) -> Points:
    """Make an empty layer for picks, whose points are circles of the particle's diameter."""
    return Points(
        ndim=3,
        features={name: np.array([], type(value)) for name, value in CLICKED.items()},
        feature_defaults=CLICKED,
        size=diameter_px,
        border_width=0.05,
        border_color=SOURCE_COLOURS[Source.PERSON],
        face_color="transparent",
        **attributes,
    )


def labels_layer(image: Image) -> Labels:
    """Make an empty layer to paint on, about as fine as a network sees the micrographs."""
    stack, factor = ensure_stack(image), min(1.0, _PAINTED_PARTICLE_PX / diameter_px(image))
    height, width = (int(edge * factor) for edge in stack.shape)
    layer = Labels(
        SparseStack((len(stack), height, width), np.uint8),
        colormap=DirectLabelColormap(color_dict=_LABEL_COLOURS),
        opacity=0.45,
        **over(image, LABELS, factor),
    )
    layer.brush_size = _PAINTED_PARTICLE_PX // 2
    return layer


def map_layer(image: Image, role: str, maps: Maps) -> Image:
    """Make an empty layer for one of the probability maps of each micrograph."""
    return Image(
        SparseStack(_map_shape(image, maps), np.float16),
        colormap=Colormap([[0, 0, 0, 0], _MAP_COLOURS[role]], name=f"cryopick {role}"),
        contrast_limits=(0, 1),
        blending="additive",
        opacity=0.4,
        visible=False,
        **over(image, role, maps.scale),
    )


def show_maps(viewer: ViewerModel, image: Image, event: Predicted) -> Iterator[None]:
    """Show the maps of one micrograph in its slice, wherever the user looks by now.

    Layers are made as needed, with a pause after each; once the image has been removed, nothing is.
    """
    index = ensure_stack(image).index(event.path)
    for role in MAPS:
        if image not in viewer.layers:
            return
        layer = find_layer(viewer.layers, image, role)
        if layer is not None and not _fits(layer, image, event.maps):
            viewer.layers.remove(layer)
            layer = None
        if layer is None:
            place = viewer.layers.index(image) + 1
            layer = insert(viewer, map_layer(image, role, event.maps), place)
            yield
        probabilities = getattr(event.maps, role)
        height, width = probabilities.shape
        layer.data[index] = 0
        layer.data[index, :height, :width] = probabilities
        layer.refresh()


def ensure_picks(viewer: ViewerModel, image: Image) -> Points:
    """Return the picks layer of an image, made if there is none."""
    layer = find_layer(viewer.layers, image, PICKS)
    if layer is None:
        layer = insert(viewer, picks_layer(over(image, PICKS), diameter_px(image)))
    return curate(layer)


def ensure_labels(viewer: ViewerModel, image: Image) -> Labels:
    """Return the labels layer of an image, made just above its maps if there is none."""
    layer = find_layer(viewer.layers, image, LABELS)
    if layer is None:
        below = [find_layer(viewer.layers, image, role) for role in MAPS] + [image]
        place = max(viewer.layers.index(layer) for layer in below if layer is not None) + 1
        layer = insert(viewer, labels_layer(image), place)
    return layer


def annotate(viewer: ViewerModel, layer: Layer, mode: str) -> None:
    """Make a layer ready to be clicked or painted on."""
    viewer.layers.selection.active = layer
    layer.mode = mode


def insert(viewer: ViewerModel, layer: Layer, place: int | None = None) -> Any:
    """Insert a layer, above all others if not said otherwise, and leave the selection as it is."""
    selected = set(viewer.layers.selection)
    with viewer.layers.selection.events.blocker_all():
        viewer.layers.insert(len(viewer.layers) if place is None else place, layer)
        viewer.layers.selection = selected
    return viewer.layers[viewer.layers.index(layer)]


def _fits(layer: Image, image: Image, maps: Maps) -> bool:
    """Return whether a map layer was made for maps as fine as these."""
    scale, _ = frame(image, maps.scale)
    return np.allclose(layer.scale, scale) and layer.data.shape == _map_shape(image, maps)


def _map_shape(image: Image, maps: Maps) -> tuple[int, int, int]:
    """Return the (n, h, w) that holds the maps of the largest micrograph."""
    stack = ensure_stack(image)
    height, width = (int(np.ceil(edge * maps.scale)) for edge in stack.shape)
    return len(stack), max(height, maps.area.shape[0]), max(width, maps.area.shape[1])
