"""Menu entries that make layers to annotate on."""

from __future__ import annotations

from typing import Any

import napari
from napari.layers import Image
from napari.utils.notifications import show_warning

from ..docks.panel import remembered_diameter
from ..layers.layers import pixel_size_angstrom
from ..layers.results import annotate, ensure_labels, ensure_picks
from ..widgets.layer_combo import shows_micrographs


def new_picks_layer() -> None:
    """Add a layer on which to click the particles of the micrographs chosen."""
    _ensure(ensure_picks, mode="add")


def new_labels_layer() -> None:
    """Add a layer on which to paint particles, background and contamination."""
    _ensure(ensure_labels, mode="paint")


def _ensure(make: Any, mode: str) -> None:
    viewer = napari.current_viewer()
    image = viewer and _micrographs(viewer)
    if image is None:
        show_warning("There are no micrographs; open a folder of them first.")
        return
    diameter_px = remembered_diameter(image) / (pixel_size_angstrom(image) or 1.0)
    annotate(viewer, make(viewer, image, diameter_px), mode)


def _micrographs(viewer: Any) -> Image | None:
    """The image that is selected, or else the uppermost."""
    candidates = [layer for layer in viewer.layers if shows_micrographs(layer)]
    active = viewer.layers.selection.active
    return active if active in candidates else (candidates or [None])[-1]
