"""Put what a prediction has found into the layers of the micrographs it was found in."""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from typing import Any

from napari.components import ViewerModel
from napari.layers import Image, Labels, Layer, Points
from numpy.typing import NDArray

from ...detection.events import Maps, Predicted
from .create import fits, labels_layer, map_layer, picks_layer
from .curation import curate, replace_model_picks
from .geometry import diameter_px
from .metadata import LABELS, MAPS, PICKS, find_layer
from .stack import ensure_stack


def show_prediction(
    viewer: ViewerModel, image: Image, event: Predicted, run: Hashable
) -> Iterator[None]:
    """Show the maps and picks of one micrograph in its slice, wherever the user looks by now.

    Layers are made as needed, with a pause after each; once the image has been removed, nothing is.
    """
    stack = ensure_stack(image)
    index = stack.index(event.path)
    for role in MAPS:
        if image not in viewer.layers:
            return
        layer = find_layer(viewer.layers, stack, role)
        if layer is None or not fits(layer, image, event.maps):
            layer = _new_map(viewer, image, role, event.maps)
            yield
        _fill(layer, index, getattr(event.maps, role))
    if image in viewer.layers:
        picks = ensure_picks(viewer, image)
        replace_model_picks(picks, {index: event.picks}, run)


def ensure_picks(viewer: ViewerModel, image: Image) -> Points:
    """Return the picks layer of an image, made if there is none."""
    stack = ensure_stack(image)
    layer = find_layer(viewer.layers, stack, PICKS)
    if layer is None:
        layer = insert(viewer, len(viewer.layers), picks_layer(image, diameter_px(image)))
    return curate(layer)


def ensure_labels(viewer: ViewerModel, image: Image) -> Labels:
    """Return the labels layer of an image, made just above its maps if there is none."""
    stack = ensure_stack(image)
    layer = find_layer(viewer.layers, stack, LABELS)
    if layer is None:
        below = [find_layer(viewer.layers, stack, role) for role in MAPS] + [image]
        place = max(viewer.layers.index(layer) for layer in below if layer is not None) + 1
        layer = insert(viewer, place, labels_layer(image, diameter_px(image)))
    return layer


def annotate(viewer: ViewerModel, layer: Layer, mode: str) -> None:
    """Make a layer ready to be clicked or painted on."""
    viewer.layers.selection.active = layer
    layer.mode = mode


def insert(viewer: ViewerModel, place: int, layer: Layer) -> Any:
    """Insert a layer, and leave the selection as it is."""
    selected = set(viewer.layers.selection)
    with viewer.layers.selection.events.blocker_all():
        viewer.layers.insert(place, layer)
        viewer.layers.selection = selected
    return viewer.layers[viewer.layers.index(layer)]


def _new_map(viewer: ViewerModel, image: Image, role: str, maps: Maps) -> Image:
    old = find_layer(viewer.layers, ensure_stack(image), role)
    if old is not None:
        viewer.layers.remove(old)
    place = viewer.layers.index(image) + 1
    return insert(viewer, place, map_layer(image, role, maps))


def _fill(layer: Image, index: int, probabilities: NDArray) -> None:
    height, width = probabilities.shape
    layer.data[index] = 0
    layer.data[index, :height, :width] = probabilities
    layer.refresh()
