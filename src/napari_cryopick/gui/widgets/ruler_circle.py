"""The particle diameter, drawn on the image for a moment."""

from __future__ import annotations

from typing import Any

from napari.layers import Points
from qtpy.QtCore import QObject, QTimer

from ..layers.view import camera

_SHOWN_MS = 2500


class RulerCircle(QObject):
    """A circle in the middle of the view that goes away by itself."""

    def __init__(self, viewer: Any, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._viewer = viewer
        self._layer: Points | None = None
        self._timer = QTimer(self, singleShot=True, interval=_SHOWN_MS)
        self._timer.timeout.connect(self.hide)

    def show(self, diameter_angstrom: float) -> None:
        """Draw a circle of this diameter, or resize the one there is."""
        if self._layer is None or self._layer not in self._viewer.layers:
            selected = set(self._viewer.layers.selection)
            self._layer = self._viewer.add_layer(_circle(self._centre()))
            self._viewer.layers.selection = selected
        self._layer.size = diameter_angstrom
        self._timer.start()

    def _centre(self) -> tuple[float, float]:
        y, x = camera(self._viewer).center[-2:]
        return y, x

    def hide(self) -> None:
        """Remove the circle."""
        if self._layer is not None and self._layer in self._viewer.layers:
            self._viewer.layers.remove(self._layer)
        self._layer = None


def _circle(centre: tuple[float, float]) -> Points:
    return Points(
        [centre],
        name="diameter",
        face_color="#35e0d233",
        border_color="#35e0d2",
        border_width=0.03,
        units=("angstrom", "angstrom"),
    )
