"""Go through uncertain picks, one after the other."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from napari.components import ViewerModel
from napari.layers import Image, Points
from numpy.typing import NDArray
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QHBoxLayout, QLabel, QPushButton, QWidget

from ...detection.uncertain_picks import Reason, UncertainPick
from ...picks import Source
from ..layers.create import annotate, insert, over
from ..layers.curation import accept_pick, reject_picks
from ..layers.layers import PICKS, UNCERTAIN, diameter_px, find_layer, look_at
from ..widgets.jobs import pluralise
from ..widgets.layout import stack_up

_WORDS = {
    Reason.REJECTED_BUT_FOUND: "You rejected this pick; the model finds it again",
    Reason.PLACED_BUT_NOT_FOUND: "You picked this; the model does not find it",
    Reason.UNSURE: "The model is unsure about this pick",
}
_RING_DIAMETERS = 1.5


class Review(QWidget):
    """Leads the viewer from one uncertain pick to the next, to be accepted or rejected."""

    def __init__(self, viewer: ViewerModel) -> None:
        super().__init__()
        self._viewer = viewer
        self._image: Image | None = None
        self._uncertain: list[UncertainPick] = []
        self._at = -1
        self.sentence = QLabel(wordWrap=True, alignment=Qt.AlignmentFlag.AlignTop)
        tips = {
            "Particle": "Accept: the pick becomes yours, and training uses it.",
            "Not a particle": "Reject: the pick is deleted, and training uses that too.",
            "Next uncertain pick": "Go to the next pick, and leave this one as it is.",
        }
        buttons = [QPushButton(text, toolTip=tip) for text, tip in tips.items()]
        self.yes, self.no, self.next = buttons
        for button, do in zip(buttons, (self._accept, self._reject, self.go_on), strict=True):
            button.clicked.connect(do)
        answers = QHBoxLayout()
        answers.addWidget(self.yes)
        answers.addWidget(self.no)
        stack_up(self, self.sentence, answers, self.next)
        self.hide()

    def begin(self, image: Image, uncertain: Sequence[UncertainPick]) -> None:
        """Offer to go through these picks; the viewer stays where it is."""
        self._image, self._uncertain, self._at = image, list(uncertain), -1
        self.sentence.ensurePolished()
        self.sentence.setMinimumHeight(2 * self.sentence.fontMetrics().lineSpacing())
        if uncertain:
            self._ring(None)
        self._show(f"{pluralise(len(uncertain), 'uncertain pick')} to look at.")
        self.setVisible(bool(uncertain))

    def go_on(self) -> None:
        """Go to the next pick that is still uncertain."""
        picks = self._picks()
        for at in range(self._at + 1, len(self._uncertain)):
            if picks is not None and self._is_open(picks, self._uncertain[at]):
                self._at = at
                self._look(picks, self._uncertain[at])
                return
        self._at = len(self._uncertain)
        self._ring(None)
        self._show("You have looked at all of them. Train again to learn from your corrections.")

    def _look(self, picks: Points, uncertain: UncertainPick) -> None:
        assert self._image is not None
        look_at(self._viewer, self._image, uncertain.index, uncertain.position)
        annotate(self._viewer, picks, "select")
        row = _row(picks, uncertain)
        picks.selected_data = set() if row is None else {row}
        self._ring(uncertain)
        score = f" (score {uncertain.score:.2f})" if np.isfinite(uncertain.score) else ""
        where = f"{self._at + 1} of {len(self._uncertain)}"
        self._show(f"{where}: {_WORDS[uncertain.reason]}{score}.")

    def _accept(self) -> None:
        """Make the pick there, or a new one, the person's."""
        picks, uncertain = self._picks(), self._uncertain[self._at]
        if picks is not None:
            row = _row(picks, uncertain)
            if row is None:
                picks.add([(uncertain.index, *uncertain.position)])
            elif picks.features["source"].iloc[row] == Source.MODEL:
                accept_pick(picks, row)
        self.go_on()

    def _reject(self) -> None:
        """Delete a pick there, even if it was the person's own, so that it is a negative."""
        picks, uncertain = self._picks(), self._uncertain[self._at]
        row = None if picks is None else _row(picks, uncertain)
        if picks is not None and row is not None:
            reject_picks(picks, [row])
        self.go_on()

    def _is_open(self, picks: Points, uncertain: UncertainPick) -> bool:
        """Return whether no pick has come, gone or changed hands there since."""
        row = _row(picks, uncertain)
        if uncertain.reason is Reason.REJECTED_BUT_FOUND:
            return not _near(picks, uncertain, float(picks.current_size) / 2).any()
        by_model = row is not None and picks.features["source"].iloc[row] == Source.MODEL
        return by_model or (row is not None and uncertain.reason is Reason.PLACED_BUT_NOT_FOUND)

    def _picks(self) -> Points | None:
        here = self._image is not None and self._image in self._viewer.layers
        return find_layer(self._viewer.layers, self._image, PICKS) if here else None

    def _ring(self, uncertain: UncertainPick | None) -> None:
        """Draw a white ring around a pick, or take it away."""
        image = self._image
        if image is None or image not in self._viewer.layers:
            return
        layer = find_layer(self._viewer.layers, image, UNCERTAIN)
        if layer is None:
            style = {"face_color": "transparent", "border_color": "white", "border_width": 0.04}
            layer = insert(self._viewer, Points(ndim=3, **style, **over(image, UNCERTAIN)))
        place = [] if uncertain is None else [(uncertain.index, *uncertain.position)]
        layer.data = np.reshape(place, (-1, 3))
        layer.editable = False
        layer.size = _RING_DIAMETERS * diameter_px(image)

    def _show(self, sentence: str) -> None:
        self.sentence.setText(sentence)
        here = 0 <= self._at < len(self._uncertain)
        self.yes.setEnabled(here)
        self.no.setEnabled(here)
        self.next.setEnabled(self._at < len(self._uncertain))


def _row(picks: Points, uncertain: UncertainPick) -> int | None:
    """Return the row of the pick at exactly this position."""
    rows = np.flatnonzero(_near(picks, uncertain, 1e-3))
    return int(rows[0]) if len(rows) else None


def _near(picks: Points, uncertain: UncertainPick, radius_px: float) -> NDArray[np.bool_]:
    here = np.round(picks.data[:, 0]) == uncertain.index
    distances = np.hypot(*(picks.data[:, 1:] - uncertain.position).T)
    return np.asarray(here & (distances <= radius_px))
