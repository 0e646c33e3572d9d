"""What a prediction run has found, put into the layers of the micrographs it was found in."""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from typing import Any

from napari.layers import Image, Layer, Points
from numpy.typing import NDArray

from ...detection.events import Maps, Predicted
from .curation import curate, replace_model_picks
from .layers import LABELS, MAPS, PICKS, find_layer, fits, labels_layer, map_layer, picks_layer
from .scratch import adopt


def make_layers(viewer: Any, image: Image, maps: Maps, diameter_px: float) -> Iterator[None]:
    """Make the layers of maps and picks that are not there yet, one at each step.

    Nothing is made any more once the image has been removed.
    """
    stack = adopt(image)
    for role in MAPS:
        if image not in viewer.layers:
            return
        layer = find_layer(viewer.layers, stack, role)
        if layer is not None and not fits(layer, image, stack, maps):
            viewer.layers.remove(layer)
            layer = None
        if layer is None:
            place = viewer.layers.index(image) + 1
            insert(viewer, place, map_layer(image, stack, role, maps))
            yield
    if image in viewer.layers:
        ensure_picks(viewer, image, diameter_px)
        yield


def fill_layers(
    viewer: Any, image: Image, event: Predicted, diameter_px: float, run: Hashable
) -> Points:
    """Put the maps and picks of one micrograph into its slice, wherever the user looks by now."""
    stack = adopt(image)
    index = stack.index(event.path)
    for role in MAPS:
        if (layer := find_layer(viewer.layers, stack, role)) is not None:
            _fill(layer, index, getattr(event.maps, role))
    picks = ensure_picks(viewer, image, diameter_px)
    replace_model_picks(picks, index, event.picks, diameter_px / 2, run)
    return picks


def ensure_picks(viewer: Any, image: Image, diameter_px: float) -> Points:
    """The picks layer of an image, made if there is none."""
    stack = adopt(image)
    layer = find_layer(viewer.layers, stack, PICKS)
    if layer is None:
        layer = insert(viewer, len(viewer.layers), picks_layer(image, stack, diameter_px))
    return curate(layer)


def ensure_labels(viewer: Any, image: Image, diameter_px: float) -> Layer:
    """The labels layer of an image, made just above its maps if there is none."""
    stack = adopt(image)
    layer = find_layer(viewer.layers, stack, LABELS)
    if layer is not None:
        return layer
    below = [find_layer(viewer.layers, stack, role) for role in MAPS] + [image]
    place = max(viewer.layers.index(layer) for layer in below if layer is not None) + 1
    return insert(viewer, place, labels_layer(image, stack, diameter_px))


def annotate(viewer: Any, layer: Layer, mode: str) -> None:
    """Make a layer ready to be clicked or painted on."""
    viewer.layers.selection.active = layer
    layer.mode = mode


def _fill(layer: Image, index: int, probabilities: NDArray) -> None:
    height, width = probabilities.shape
    layer.data[index] = 0
    layer.data[index, :height, :width] = probabilities
    layer.refresh()


def insert(viewer: Any, place: int, layer: Layer) -> Any:
    """Insert a layer, and leave the selection as it is."""
    selected = set(viewer.layers.selection)
    with viewer.layers.selection.events.blocker_all():
        viewer.layers.insert(place, layer)
        viewer.layers.selection = selected
    return viewer.layers[viewer.layers.index(layer)]
