"""Choose one of the viewer's layers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from napari.layers import Image, Layer
from qtpy.QtCore import QSignalBlocker, Signal
from qtpy.QtWidgets import QComboBox, QSizePolicy

from ..layers.layers import MICROGRAPHS, role_of
from .layout import Dock


def shows_micrographs(layer: Layer) -> bool:
    """Return whether a layer is a micrograph or a stack of them: any grey image not made here."""
    ours = role_of(layer) not in (None, MICROGRAPHS)
    grey = isinstance(layer, Image) and not layer.rgb and not layer.multiscale
    return grey and not ours and layer.ndim in (2, 3)


class LayerCombo(QComboBox):
    """A combo box of those layers of a viewer that `accepts` accepts, uppermost first.

    `none` is the text of a first entry that stands for no layer, or None for no such entry.
    """

    chosen = Signal()

    def __init__(
        self, dock: Dock, accepts: Callable[[Layer], bool], none: str | None = None
    ) -> None:
        super().__init__()
        self._layers, self._accepts, self._none = dock.viewer.layers, accepts, none
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.currentIndexChanged.connect(lambda _: self.chosen.emit())
        events = self._layers.events
        for change in (events.inserted, events.removed, events.reordered, events.renamed):
            dock.follow(change, self.refresh)
        self.refresh()

    def layer(self) -> Any:
        """Return the layer chosen, or None."""
        return self.currentData()

    def choose(self, layer: Layer | None) -> None:
        """Choose a layer, if it is there."""
        self.setCurrentIndex(next((i for i in range(self.count()) if self.itemData(i) == layer), 0))

    def refresh(self) -> None:
        """List the layers anew, and keep the choice."""
        before = self.layer()
        with QSignalBlocker(self):
            self.clear()
            if self._none is not None:
                self.addItem(self._none, None)
            for layer in filter(self._accepts, reversed(self._layers)):
                self.addItem(layer.name, layer)
            self.choose(before)
        if self.layer() != before:
            self.chosen.emit()
