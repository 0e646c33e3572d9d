"""Choose layers: micrographs, with the sizes of their particles and pixels, and others."""

from __future__ import annotations

from collections.abc import Callable
from math import isclose
from typing import Any

from magicgui.widgets import create_widget
from napari.layers import Image, Layer, Points
from napari.utils.events import EventEmitter
from qtpy.QtCore import QObject, QSignalBlocker, QTimer, Signal
from qtpy.QtWidgets import QComboBox, QLabel, QSizePolicy, QWidget

from ...errors import CryopickError
from ...settings import ParticleSettings
from ..layers.create import insert
from ..layers.layers import (
    DEFAULT_DIAMETER_ANGSTROM,
    DIAMETER_CIRCLE,
    MICROGRAPHS,
    PICKS,
    camera,
    diameter_angstrom,
    diameter_px,
    find_layer,
    metadata,
    pixel_size_angstrom,
    remember_diameter,
    role_of,
    set_pixel_size,
)
from ..layers.stack import ensure_stack
from .jobs import ERROR_COLOUR
from .layout import Dock, Row, beside

_CIRCLE_MS = 2500


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


class MicrographChooser(QObject):
    """A combo box of micrographs, and fields for their particle diameter and pixel size.

    Both sizes belong to the micrographs: every dock shows the same ones. A diameter that is
    entered is drawn in the middle of the view for a moment.
    """

    chosen = Signal()

    def __init__(self, dock: Dock) -> None:
        super().__init__(dock)
        self._viewer = dock.viewer
        self.layers = LayerCombo(dock, shows_micrographs)
        self.layers.setToolTip("The micrographs: an image, or a stack of them.")
        self.diameter = _number("diameter_angstrom", least=1, step=1, decimals=1)
        self.diameter.value = DEFAULT_DIAMETER_ANGSTROM
        self.pixel_size = _number("pixel_size_angstrom", least=0, step=0.01, decimals=4)
        self.pixel_size.native.setSpecialValueText("unknown")
        self.hint = QLabel(wordWrap=True)
        self._followed: list[EventEmitter] = []
        self._circle: Points | None = None
        self._circle_timer = QTimer(self, singleShot=True, interval=_CIRCLE_MS)
        self._circle_timer.timeout.connect(self.hide_circle)
        self.layers.chosen.connect(self.refresh)
        self.diameter.changed.connect(self._on_diameter)
        self.pixel_size.changed.connect(self._on_pixel_size)
        dock.opened.connect(self.refresh)
        dock.closed.connect(self.hide_circle)
        dock.closed.connect(lambda: self._follow(None))

    def rows(self, *beside_diameter: QWidget) -> list[Row]:
        """Return the rows of a dock's form, perhaps with a button beside the diameter."""
        return [
            ("Micrographs", self.layers),
            ("Diameter (Å)", beside(self.diameter.native, *beside_diameter)),
            ("Pixel size (Å)", self.pixel_size.native),
        ]

    @property
    def image(self) -> Image | None:
        """The layer of the micrographs chosen."""
        return self.layers.layer()

    @property
    def picks(self) -> Points | None:
        """The picks of the micrographs chosen, if there are any."""
        image = self.image
        return image and find_layer(self._viewer.layers, image, PICKS)

    def require(self) -> Image:
        """Return the layer chosen; raise `CryopickError` if something about it is missing."""
        image = self.image
        if image is None:
            raise CryopickError("There are no micrographs; open a folder of them.")
        if pixel_size_angstrom(image) is None:
            raise CryopickError("The pixel size is unknown; enter it above.")
        return image

    def sizes(self) -> dict[str, float | None]:
        """Return the diameter and the pixel size in Å, by the names that settings have for them."""
        image = self.require()
        diameter, size = diameter_angstrom(image), pixel_size_angstrom(image)
        return {"diameter_angstrom": diameter, "pixel_size_angstrom": size}

    def set_diameter(self, image: Image, angstrom: float) -> None:
        """Enter the diameter of the particles in some micrographs, and draw it."""
        if image == self.image:
            self.diameter.value = angstrom
            self._draw_circle(image)
        else:
            remember_diameter(image, angstrom)

    def refresh(self) -> None:
        """Show the sizes of the micrographs chosen."""
        self.hide_circle()
        self._follow(self.image)
        self._show_sizes()
        self.chosen.emit()

    def hide_circle(self) -> None:
        """Remove the circle that shows the diameter."""
        if self._circle in self._viewer.layers:
            self._viewer.layers.remove(self._circle)
        self._circle = None

    def _follow(self, image: Image | None) -> None:
        """Show the sizes of these micrographs from now on, whichever dock they are entered in."""
        for changed in self._followed:
            changed.disconnect(self._show_sizes)
        events = image and image.events
        self._followed = [events.metadata, events.scale, events.units] if events else []
        for changed in self._followed:
            changed.connect(self._show_sizes)

    def _show_sizes(self) -> None:
        image = self.image
        if image is not None:
            self.diameter.value = diameter_angstrom(image)
            self.pixel_size.value = pixel_size_angstrom(image) or 0
        self._advise()

    def _on_pixel_size(self, size: float) -> None:
        image = self.image
        known = image and pixel_size_angstrom(image)
        if image is not None and size and not (known and isclose(size, known, abs_tol=1e-4)):
            set_pixel_size(self._viewer.layers, image, size)
            self._viewer.reset_view()
            self._advise()

    def _on_diameter(self, angstrom: float) -> None:
        image, picks = self.image, self.picks
        if image is None or angstrom == diameter_angstrom(image):
            return
        remember_diameter(image, angstrom)
        self._draw_circle(image)
        if picks is not None:
            picks.current_size = picks.size = diameter_px(image)

    def _draw_circle(self, image: Image) -> None:
        if pixel_size_angstrom(image) is None:
            return
        if self._circle not in self._viewer.layers:
            circle = Points(
                [camera(self._viewer).center[-2:]],
                name="diameter",
                face_color="#35e0d233",
                border_color="#35e0d2",
                border_width=0.03,
                units=("angstrom", "angstrom"),
                metadata=metadata(ensure_stack(image), DIAMETER_CIRCLE),
            )
            self._circle = insert(self._viewer, circle)
        self._circle.size = diameter_angstrom(image)
        self._circle_timer.start()

    def _advise(self) -> None:
        image, sentence = self.image, ""
        if image is None:
            sentence = "Open a folder of micrographs to begin."
        elif pixel_size_angstrom(image) is None:
            sentence = "The files do not say their pixel size; enter it here."
        self.hint.setText(sentence)
        self.hint.setVisible(bool(sentence))
        for widget in (self.hint, self.pixel_size.native):
            widget.setStyleSheet(f"color: {ERROR_COLOUR}" if image and sentence else "")


def _number(name: str, least: float, step: float, decimals: int) -> Any:
    field = create_widget(annotation=float, options={"min": least, "max": 1e5, "step": step})
    field.tooltip = ParticleSettings.model_fields[name].description
    field.native.setDecimals(decimals)
    field.native.setKeyboardTracking(False)
    return field
