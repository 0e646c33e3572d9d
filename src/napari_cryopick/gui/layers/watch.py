"""What is done for the layers of a viewer while a user works, whether or not a dock is open."""

from __future__ import annotations

from functools import partial

from napari.components import ViewerModel
from napari.layers import Points

from .contrast import suit_contrast
from .curation import curate, is_curated
from .layers import MICROGRAPHS, PICKS, diameter_px, find_layer, role_of


def watch(viewer: ViewerModel) -> None:
    """From now on, have the contrast suit the micrograph in view, and edits of picks remembered."""
    events = viewer.layers.events.inserted, viewer.dims.events.point
    for changed, do in zip(events, (_on_inserted, suit_contrast), strict=True):
        name = f"napari_cryopick{do.__name__}"
        if name not in changed.callback_refs:
            changed.connect(partial(do, viewer), ref=name)
    _on_inserted(viewer)


def _on_inserted(viewer: ViewerModel) -> None:
    """Take up all layers: those opened from a file, and copies of others."""
    for layer in viewer.layers:
        if role_of(layer) == PICKS and not is_curated(layer):
            _size_new_points(viewer, layer)
            curate(layer)
    suit_contrast(viewer)


def _size_new_points(viewer: ViewerModel, layer: Points) -> None:
    """Make new points as large as those there are; napari does not keep this for a copy."""
    image = find_layer(viewer.layers, layer, MICROGRAPHS)
    if len(layer.data):
        layer.current_size = layer.size[-1]
    elif image is not None:
        layer.current_size = diameter_px(image)
