"""Choose micrographs, and say how large their particles and pixels are."""

from __future__ import annotations

from math import isclose
from typing import Any

from magicgui.widgets import create_widget
from napari.components import ViewerModel
from napari.layers import Image, Points
from qtpy.QtCore import QObject, QTimer, Signal
from qtpy.QtWidgets import QLabel, QWidget

from ...errors import CryopickError
from ...settings import ParticleSettings
from ..layers.curation import curate
from ..layers.geometry import camera, diameter_px, pixel_size_angstrom, set_pixel_size
from ..layers.metadata import (
    DEFAULT_DIAMETER_ANGSTROM,
    DIAMETER_CIRCLE,
    PICKS,
    diameter_angstrom,
    find_layer,
    metadata,
    remember_diameter,
    role_of,
)
from ..layers.stack import ensure_stack
from .jobs import ERROR_COLOUR
from .layer_combo import LayerCombo, shows_micrographs
from .layout import Row, beside

_SHOWN_MS = 2500
_LARGEST_ANGSTROM = 100_000


class MicrographChooser(QObject):
    """A combo box of micrographs, and fields for their particle diameter and pixel size.

    Both sizes belong to the micrographs: every dock shows the same ones.

    Parameters
    ----------
    viewer
        The viewer whose images can be chosen.
    """

    chosen = Signal()

    def __init__(self, viewer: ViewerModel, parent: QObject) -> None:
        super().__init__(parent)
        self._viewer = viewer
        self.layers = LayerCombo(viewer, shows_micrographs)
        self.layers.setToolTip("The micrographs: an image, or a stack of them.")
        self.diameter = _number("diameter_angstrom", least=1, step=0.1)
        self.diameter.native.setSingleStep(1)
        self.diameter.value = DEFAULT_DIAMETER_ANGSTROM
        self.pixel_size = _number("pixel_size_angstrom", least=0, step=1e-4)
        self.pixel_size.native.setSingleStep(0.01)
        self.pixel_size.native.setSpecialValueText("unknown")
        self.hint = QLabel(wordWrap=True)
        self.circle = DiameterCircle(viewer, self)
        self.layers.chosen.connect(self.refresh)
        self.diameter.changed.connect(self._on_diameter)
        self.pixel_size.changed.connect(self._on_pixel_size)
        viewer.layers.events.inserted.connect(self._on_inserted)
        for layer in viewer.layers:
            _curate(layer)

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
        return image and find_layer(self._viewer.layers, ensure_stack(image), PICKS)

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
        return {
            "diameter_angstrom": diameter_angstrom(image),
            "pixel_size_angstrom": pixel_size_angstrom(image),
        }

    def set_diameter(self, image: Image, angstrom: float) -> None:
        """Enter the diameter of the particles in some micrographs, and draw it."""
        if image == self.image:
            self.diameter.value = angstrom
            self._draw(image)
        else:
            remember_diameter(image, angstrom)

    def refresh(self) -> None:
        """Show the sizes of the micrographs chosen."""
        image = self.image
        self.circle.hide()
        if image is not None:
            ensure_stack(image)
            self.diameter.value = diameter_angstrom(image)
            self.pixel_size.value = pixel_size_angstrom(image) or 0
        self._advise()
        self.chosen.emit()

    def leave(self) -> None:
        """Follow the viewer no longer."""
        self.circle.hide()
        self.layers.leave()
        self._viewer.layers.events.inserted.disconnect(self._on_inserted)

    def _on_pixel_size(self, size: float) -> None:
        image = self.image
        known = image and pixel_size_angstrom(image)
        if image is not None and size and not (known and isclose(size, known, abs_tol=1e-4)):
            set_pixel_size(self._viewer.layers, image, size)
            self._viewer.reset_view()
            self._advise()

    def _on_diameter(self, angstrom: float) -> None:
        image = self.image
        if image is None or angstrom == diameter_angstrom(image):
            return
        remember_diameter(image, angstrom)
        self._draw(image)
        if (picks := self.picks) is not None:
            picks.current_size = picks.size = diameter_px(image)

    def _draw(self, image: Image) -> None:
        if pixel_size_angstrom(image) is not None:
            self.circle.show(image)

    def _advise(self) -> None:
        image, sentence = self.image, ""
        if image is None:
            sentence = "Open a folder of micrographs to begin."
        elif pixel_size_angstrom(image) is None:
            sentence = "The files do not say their pixel size; enter it here."
        self.hint.setText(sentence)
        self.hint.setVisible(bool(sentence))
        colour = f"color: {ERROR_COLOUR}" if image is not None and sentence else ""
        for widget in (self.hint, self.pixel_size.native):
            widget.setStyleSheet(colour)

    def _on_inserted(self, event: Any) -> None:
        _curate(event.value)


class DiameterCircle(QObject):
    """The particle diameter as a circle in the middle of the view, which goes away by itself."""

    def __init__(self, viewer: ViewerModel, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._viewer = viewer
        self._layer: Points | None = None
        self._timer = QTimer(self, singleShot=True, interval=_SHOWN_MS)
        self._timer.timeout.connect(self.hide)

    def show(self, image: Image) -> None:
        """Draw the diameter of an image's particles, or resize the circle there is."""
        if self._layer is None or self._layer not in self._viewer.layers:
            selected = set(self._viewer.layers.selection)
            y, x = camera(self._viewer).center[-2:]
            self._layer = self._viewer.add_layer(_circle((y, x), image))
            self._viewer.layers.selection = selected
        self._layer.size = diameter_angstrom(image)
        self._timer.start()

    def hide(self) -> None:
        """Remove the circle."""
        if self._layer is not None and self._layer in self._viewer.layers:
            self._viewer.layers.remove(self._layer)
        self._layer = None


def _circle(centre: tuple[float, float], image: Image) -> Points:
    return Points(
        [centre],
        name="diameter",
        face_color="#35e0d233",
        border_color="#35e0d2",
        border_width=0.03,
        units=("angstrom", "angstrom"),
        metadata=metadata(ensure_stack(image), DIAMETER_CIRCLE),
    )


def _number(name: str, least: float, step: float) -> Any:
    limits = {"min": least, "max": _LARGEST_ANGSTROM, "step": step}
    field = create_widget(annotation=float, options=limits)
    field.tooltip = ParticleSettings.model_fields[name].description
    field.native.setKeyboardTracking(False)
    return field


def _curate(layer: Any) -> None:
    if role_of(layer) == PICKS:
        curate(layer)
