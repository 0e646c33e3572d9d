"""Menu entries that make layers to annotate on."""

from __future__ import annotations

from collections.abc import Callable

import napari
from napari.components import ViewerModel
from napari.layers import Image, Layer
from napari.utils.notifications import show_warning

from ..layers.create import annotate, ensure_labels, ensure_picks
from ..layers.watch import watch
from ..widgets.micrographs import shows_micrographs


def new_picks_layer() -> None:
    """Add a layer on which to click the particles of the micrographs chosen."""
    _annotate(ensure_picks, "add")


def new_labels_layer() -> None:
    """Add a layer on which to paint particles, background and contamination."""
    _annotate(ensure_labels, "paint")


def _annotate(make: Callable[[ViewerModel, Image], Layer], mode: str) -> None:
    """Make a layer over the micrographs that are selected, or else over the uppermost."""
    viewer = napari.current_viewer()
    images = [layer for layer in viewer.layers if shows_micrographs(layer)] if viewer else []
    if viewer is None or not images:
        show_warning("There are no micrographs; open a folder of them first.")
        return
    active = viewer.layers.selection.active
    watch(viewer)
    annotate(viewer, make(viewer, active if active in images else images[-1]), mode)
