"""Menu entries that make layers to annotate on."""

from __future__ import annotations

from collections.abc import Callable

import napari
from napari.components import ViewerModel
from napari.layers import Image, Layer
from napari.utils.notifications import show_warning

from ..layers.create import annotate, ensure_labels, ensure_picks
from ..widgets.layer_combo import shows_micrographs


def new_picks_layer() -> None:
    """Add a layer on which to click the particles of the micrographs chosen."""
    _ensure(ensure_picks, mode="add")


def new_labels_layer() -> None:
    """Add a layer on which to paint particles, background and contamination."""
    _ensure(ensure_labels, mode="paint")


def _ensure(make: Callable[[ViewerModel, Image], Layer], mode: str) -> None:
    viewer = napari.current_viewer()
    image = viewer and _micrographs(viewer)
    if viewer is None or image is None:
        show_warning("There are no micrographs; open a folder of them first.")
    else:
        annotate(viewer, make(viewer, image), mode)


def _micrographs(viewer: ViewerModel) -> Image | None:
    """Return the image that is selected, or else the uppermost."""
    candidates = [layer for layer in viewer.layers if shows_micrographs(layer)]
    active = viewer.layers.selection.active
    return active if active in candidates else (candidates or [None])[-1]
