"""Choose one of the viewer's layers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from napari.components import ViewerModel
from napari.layers import Image, Layer
from qtpy.QtCore import QSignalBlocker, Signal
from qtpy.QtWidgets import QComboBox, QSizePolicy

from ..layers.metadata import MICROGRAPHS, role_of

_CHANGES = ("inserted", "removed", "reordered", "renamed")


def shows_micrographs(layer: Layer) -> bool:
    """Return whether a layer is a micrograph or a stack of them: any grey image not made here."""
    return (
        isinstance(layer, Image)
        and role_of(layer) in (None, MICROGRAPHS)
        and layer.ndim in (2, 3)
        and not layer.rgb
        and not layer.multiscale
    )


class LayerCombo(QComboBox):
    """A combo box of those layers of a viewer that `accepts` accepts.

    Parameters
    ----------
    viewer
        Its layers are followed as they come, go and are renamed.
    accepts
        Whether a layer may be chosen.
    none
        The text of a first entry that stands for no layer, or None for no such entry.
    """

    chosen = Signal()

    def __init__(
        self, viewer: ViewerModel, accepts: Callable[[Layer], bool], none: str | None = None
    ) -> None:
        super().__init__()
        self._viewer, self._accepts, self._none = viewer, accepts, none
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.currentIndexChanged.connect(lambda _: self.chosen.emit())
        for event in _CHANGES:
            getattr(viewer.layers.events, event).connect(self.refresh)
        self.refresh()

    def layer(self) -> Any:
        """Return the layer chosen, or None."""
        return self.currentData()

    def choose(self, layer: Layer | None) -> None:
        """Choose a layer, if it is there."""
        self.setCurrentIndex(next((i for i in range(self.count()) if self.itemData(i) == layer), 0))

    def refresh(self) -> None:
        """List the layers anew, uppermost first, and keep the choice."""
        before = self.layer()
        with QSignalBlocker(self):
            self.clear()
            if self._none is not None:
                self.addItem(self._none, None)
            for layer in filter(self._accepts, reversed(self._viewer.layers)):
                self.addItem(layer.name, layer)
            self.choose(before)
        if self.layer() != before:
            self.chosen.emit()

    def leave(self) -> None:
        """Follow the viewer's layers no longer."""
        for event in _CHANGES:
            getattr(self._viewer.layers.events, event).disconnect(self.refresh)
