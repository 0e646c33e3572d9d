"""Make the empty layers of a stack of micrographs: picks, painted labels, probability maps.

All of them have the axes (micrograph, y, x) and lie over the image they belong to.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from napari.layers import Image, Labels, Points
from napari.utils.colormaps import Colormap, DirectLabelColormap

from ...detection.events import Maps
from ...labels import LabelClass
from ...picks import Source, Status
from .geometry import frame, over
from .metadata import LABELS, PICKS
from .stack import ensure_stack

SOURCE_COLOURS = {Source.PERSON: "#ffc233", Source.MODEL: "#35e0d2", Source.FILE: "#c9a0ff"}
LABEL_COLOURS = {
    LabelClass.PARTICLE: "#35e0d2",
    LabelClass.BACKGROUND: "#5b8cff",
    LabelClass.CONTAMINATION: "#ff5c5c",
}
CLICKED = {"score": np.nan, "source": str(Source.PERSON), "status": str(Status.OK)}
"""The features of a point that a person has placed."""

_MAP_COLOURS = {"area": "#35e0d2", "centre": "#ffffff", "contamination": "#ff5c5c"}
_PAINTED_PARTICLE_PX = 24
"""Labels are painted about as finely as the network sees them (20 px across a particle)."""


def picks_layer(image: Image, diameter_px: float) -> Points:
    """Make an empty layer for picks over an image."""
    return circles(over(image, PICKS), diameter_px)


def circles(attributes: Mapping[str, Any], diameter_px: float) -> Points:
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


def labels_layer(image: Image, diameter_px: float) -> Labels:
    """Make an empty layer to paint on, about as fine as a network sees the micrographs."""
    stack, factor = ensure_stack(image), min(1.0, _PAINTED_PARTICLE_PX / diameter_px)
    colours: dict[int | None, str] = {None: "transparent", 0: "transparent"}
    colours |= {int(name): colour for name, colour in LABEL_COLOURS.items()}
    layer = Labels(
        np.zeros((len(stack), *(int(edge * factor) for edge in stack.shape)), np.uint8),
        colormap=DirectLabelColormap(color_dict=colours),
        opacity=0.45,
        **over(image, LABELS, factor),
    )
    layer.brush_size = _PAINTED_PARTICLE_PX // 2
    return layer


def map_layer(image: Image, role: str, maps: Maps) -> Image:
    """Make an empty layer for one of the probability maps of each micrograph."""
    return Image(
        np.zeros(_map_shape(image, maps), np.float16),
        colormap=Colormap([[0, 0, 0, 0], _MAP_COLOURS[role]], name=f"cryopick {role}"),
        contrast_limits=(0, 1),
        blending="additive",
        opacity=0.4,
        visible=False,
        **over(image, role, maps.scale),
    )


def fits(layer: Image, image: Image, maps: Maps) -> bool:
    """Return whether a map layer was made for maps as fine as these."""
    scale, _ = frame(image, maps.scale)
    return np.allclose(layer.scale, scale) and layer.data.shape == _map_shape(image, maps)


def _map_shape(image: Image, maps: Maps) -> tuple[int, int, int]:
    """Return the (n, h, w) that holds the maps of the largest micrograph."""
    stack = ensure_stack(image)
    height, width = (int(np.ceil(edge * maps.scale)) for edge in stack.shape)
    return len(stack), max(height, maps.area.shape[0]), max(width, maps.area.shape[1])
