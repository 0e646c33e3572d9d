"""The layers of a stack of micrographs: picks, painted labels and probability maps.

All of them have the axes (micrograph, y, x) and lie over the image they belong to, in Å where
the pixel size is known.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from napari.layers import Image, Labels, Layer, Points
from napari.utils.colormaps import Colormap, DirectLabelColormap
from numpy.typing import NDArray

from ...detection.events import Maps
from ...labels import LabelClass
from ...picks import Source, Status
from .stack import Stack

MICROGRAPHS, PICKS, LABELS = "micrographs", "picks", "labels"
MAPS = ("area", "centre", "contamination")
DIFFERENCES, PLACE = "differences", "place"
"""The roles a layer can have for a stack."""

AXES = ("micrograph", "y", "x")
SOURCE_COLOURS = {Source.PERSON: "#ffc233", Source.MODEL: "#35e0d2", Source.FILE: "#c9a0ff"}
LABEL_COLOURS = {
    LabelClass.PARTICLE: "#35e0d2",
    LabelClass.BACKGROUND: "#5b8cff",
    LabelClass.CONTAMINATION: "#ff5c5c",
}
_MAP_COLOURS = {"area": "#35e0d2", "centre": "#ffffff", "contamination": "#ff5c5c"}
_FEATURE_DEFAULTS = {"score": np.nan, "source": str(Source.PERSON), "status": str(Status.OK)}
_PARTICLE_PX = 24


def metadata(stack: Stack, role: str) -> dict[str, Any]:
    """What a layer remembers about its micrographs."""
    return {"cryopick": stack, "cryopick_role": role}


def stack_of(layer: Layer) -> Stack | None:
    """The micrographs a layer belongs to, or None where nobody has said."""
    return layer.metadata.get("cryopick")


def role_of(layer: Layer) -> str | None:
    """What a layer is for its micrographs."""
    return layer.metadata.get("cryopick_role")


def find_layer(layers: Iterable[Layer], stack: Stack, role: str) -> Layer | None:
    """The uppermost layer of this role for these micrographs."""
    found = [layer for layer in layers if stack_of(layer) == stack and role_of(layer) == role]
    return found[-1] if found else None


def units(pixel_size_angstrom: float | None) -> tuple[str, str, str]:
    """Of the axes (micrograph, y, x)."""
    return ("pixel", "angstrom", "angstrom") if pixel_size_angstrom else ("pixel",) * 3


def pixel_size_angstrom(layer: Layer) -> float | None:
    """What a layer's scale says, or None if it does not count in Å."""
    return float(layer.scale[-1]) if str(layer.units[-1]) == "angstrom" else None


def set_pixel_size(layers: Iterable[Layer], image: Image, size_angstrom: float) -> None:
    """Bring an image, and all layers that belong to its micrographs, to a pixel size in Å."""
    stack, zoom = stack_of(image), size_angstrom / image.scale[-1]
    mates = [layer for layer in layers if stack and stack_of(layer) == stack]
    for layer in mates or [image]:
        stretch = np.r_[np.ones(layer.ndim - 2), zoom, zoom]
        layer.scale, layer.translate = layer.scale * stretch, layer.translate * stretch
        layer.units = units(size_angstrom)[-layer.ndim :]


def frame(image: Image) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Scale and translation of the axes (micrograph, y, x), for a plain 2-D image too."""
    missing = 3 - image.ndim
    return np.r_[np.ones(missing), image.scale], np.r_[np.zeros(missing), image.translate]


def coarse_frame(image: Image, factor: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Scale and translation of a layer with `factor` pixels per pixel of the image.

    A point p of the image lies at ``(p + 0.5) * factor - 0.5``, so that both cover the same ice.
    """
    scale, translate = frame(image)
    coarse = np.array([1, 1 / factor, 1 / factor])
    return scale * coarse, translate + scale * (coarse - 1) / 2


def picks_layer(image: Image, stack: Stack, diameter_px: float) -> Points:
    """Make an empty layer for picks, whose points are circles of the particle's diameter."""
    scale, translate = frame(image)
    return Points(
        ndim=3,
        name=f"{image.name} picks",
        features={name: np.array([], type(value)) for name, value in _FEATURE_DEFAULTS.items()},
        feature_defaults=_FEATURE_DEFAULTS,
        size=diameter_px,
        border_width=0.05,
        border_color=SOURCE_COLOURS[Source.PERSON],
        face_color="transparent",
        scale=scale,
        translate=translate,
        units=units_like(image),
        axis_labels=AXES,
        metadata=metadata(stack, PICKS),
    )


def labels_layer(image: Image, stack: Stack, diameter_px: float) -> Labels:
    """Make an empty layer to paint on, as fine as a network sees the micrographs."""
    factor = min(1.0, _PARTICLE_PX / diameter_px)
    scale, translate = coarse_frame(image, factor)
    layer = Labels(
        np.zeros((len(stack), *(int(edge * factor) for edge in stack.shape)), np.uint8),
        name=f"{image.name} labels",
        colormap=DirectLabelColormap(color_dict=_label_colours()),
        opacity=0.45,
        scale=scale,
        translate=translate,
        units=units_like(image),
        axis_labels=AXES,
        metadata=metadata(stack, LABELS),
    )
    layer.brush_size = _PARTICLE_PX // 2
    return layer


def map_layer(image: Image, stack: Stack, role: str, maps: Maps) -> Image:
    """Make an empty layer for one of the probability maps of each micrograph."""
    scale, translate = coarse_frame(image, maps.scale)
    return Image(
        np.zeros((len(stack), *_map_shape(stack, maps)), np.float16),
        name=f"{image.name} {role}",
        colormap=Colormap([[0, 0, 0, 0], _MAP_COLOURS[role]], name=f"cryopick {role}"),
        contrast_limits=(0, 1),
        blending="additive",
        opacity=0.4,
        visible=False,
        scale=scale,
        translate=translate,
        units=units_like(image),
        axis_labels=AXES,
        metadata=metadata(stack, role),
    )


def fits(layer: Image, image: Image, stack: Stack, maps: Maps) -> bool:
    """Whether a map layer was made for maps as fine as these."""
    scale, _ = coarse_frame(image, maps.scale)
    return np.allclose(layer.scale, scale) and layer.data.shape[1:] == _map_shape(stack, maps)


def _map_shape(stack: Stack, maps: Maps) -> tuple[int, int]:
    """(h, w) that holds the maps of the largest micrograph."""
    height, width = (int(np.ceil(edge * maps.scale)) for edge in stack.shape)
    return max(height, maps.area.shape[0]), max(width, maps.area.shape[1])


def units_like(image: Image) -> tuple[Any, ...]:
    return ("pixel",) * (3 - image.ndim) + tuple(image.units)


def _label_colours() -> dict[int | None, str]:
    return {None: "transparent", 0: "transparent", **{int(k): v for k, v in LABEL_COLOURS.items()}}
