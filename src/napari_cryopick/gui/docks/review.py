"""Going through doubtful places, one after the other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np
from napari.layers import Image, Points
from numpy.typing import NDArray
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from ...metrics.matching import match
from ...picks import Picks, Source, Status
from ..layers.curation import claim, refute
from ..layers.layers import PICKS, find_layer
from ..layers.results import annotate
from ..layers.scratch import adopt
from ..layers.view import look_at, ring
from .panel import counted

_MOST_UNSURE = 50


class Why(StrEnum):
    """What is doubtful about a place."""

    FOUND_AGAIN = "You deleted this pick; the model finds it again"
    NOT_FOUND = "You picked this; the model does not find it"
    UNSURE = "The model is least sure of picks like this one"


@dataclass(frozen=True)
class Doubt:
    """A place on a micrograph to look at, with the model's score there if it has one."""

    index: int
    position: tuple[float, float]
    why: Why
    score: float

    @property
    def sentence(self) -> str:
        score = f" (score {self.score:.2f})" if np.isfinite(self.score) else ""
        return f"{self.why}{score}."


def doubts(
    found: Mapping[int, Picks], taught: Mapping[int, Picks], threshold: float, radius_px: float
) -> list[Doubt]:
    """Places to look at, the most telling first.

    Parameters
    ----------
    found
        What a model has found on every micrograph, at or above its `threshold`.
    taught
        A person's picks on the micrographs that have any; deleted ones among them.
    radius_px
        Within how many pixels two picks are the same.
    """
    nothing = Picks.at([])
    pairs = [(index, found.get(index, nothing), picks) for index, picks in taught.items()]
    again = [doubt for args in pairs for doubt in _found_again(*args, radius_px)]
    missed = [doubt for args in pairs for doubt in _not_found(*args, radius_px)]
    unsure = [
        doubt
        for index, picks in found.items()
        if index not in taught
        for doubt in _all(index, _least_sure(picks, threshold), Why.UNSURE)
    ]
    again.sort(key=lambda doubt: -doubt.score)
    unsure.sort(key=lambda doubt: abs(doubt.score - threshold))
    return again + missed + unsure[:_MOST_UNSURE]


def _least_sure(picks: Picks, threshold: float) -> Picks:
    return picks[np.argsort(np.abs(picks.scores - threshold))[:_MOST_UNSURE]]


def _found_again(index: int, found: Picks, taught: Picks, radius_px: float) -> Iterator[Doubt]:
    deleted = taught.with_status(Status.DELETED)
    pairs = match(found.positions, deleted.positions, radius_px)
    scores = found.scores[pairs.found]
    return _all(index, deleted[pairs.truth], Why.FOUND_AGAIN, scores)


def _not_found(index: int, found: Picks, taught: Picks, radius_px: float) -> Iterator[Doubt]:
    person = taught[(taught.statuses != Status.DELETED) & (taught.sources != Source.MODEL)]
    missed = np.ones(len(person), bool)
    missed[match(found.positions, person.positions, radius_px).truth] = False
    return _all(index, person[missed], Why.NOT_FOUND, np.full(missed.sum(), np.nan))


def _all(index: int, picks: Picks, why: Why, scores: NDArray | None = None) -> Iterator[Doubt]:
    scores = picks.scores if scores is None else scores
    for (y, x), score in zip(picks.positions.tolist(), scores.tolist(), strict=True):
        yield Doubt(index, (y, x), why, score)


class Review(QWidget):
    """Leads the viewer from one doubtful place to the next, and takes a person's word on each.

    Parameters
    ----------
    viewer
        The viewer that is moved.
    """

    def __init__(self, viewer: Any) -> None:
        super().__init__()
        self._viewer = viewer
        self._image: Image | None = None
        self._diameter_px = 1.0
        self._doubts: list[Doubt] = []
        self._at = -1
        self.sentence = QLabel()
        self.sentence.setWordWrap(True)
        self.sentence.setAlignment(Qt.AlignmentFlag.AlignTop)
        self.next = QPushButton("Next doubtful")
        self.yes, self.no = QPushButton("Particle"), QPushButton("No particle")
        self._arrange()
        self.next.clicked.connect(self.go_on)
        self.yes.clicked.connect(self._accept)
        self.no.clicked.connect(self._reject)
        self.hide()

    def begin(self, image: Image, doubts: Sequence[Doubt], diameter_px: float) -> None:
        """Offer to go through these places; the viewer stays where it is."""
        self._image, self._doubts, self._at = image, list(doubts), -1
        self._diameter_px = diameter_px
        self._make_room()
        if doubts:
            self._ring(None)
        self._show(f"{counted(len(doubts), 'place')} may be worth a look.")
        self.setVisible(bool(doubts))

    def go_on(self) -> None:
        """Go to the next place that is still doubtful."""
        picks = self._picks()
        for at in range(self._at + 1, len(self._doubts)):
            if picks is not None and self._is_open(picks, self._doubts[at]):
                self._at = at
                self._look(picks, self._doubts[at])
                return
        self._at = len(self._doubts)
        self._ring(None)
        self._show("All doubtful places have been looked at; self-train again to learn from them.")

    def _look(self, picks: Points, doubt: Doubt) -> None:
        look_at(self._viewer, self._image, doubt.index, doubt.position, self._diameter_px)
        annotate(self._viewer, picks, "select")
        row = _row(picks, doubt)
        picks.selected_data = set() if row is None else {row}
        self._ring((doubt.index, *doubt.position))
        self._show(f"{self._at + 1} of {len(self._doubts)}: {doubt.sentence}")

    def _accept(self) -> None:
        """It is a particle: the pick there, or a new one, is the person's."""
        picks, doubt = self._picks(), self._doubts[self._at]
        if picks is not None:
            row = _row(picks, doubt)
            if row is None:
                picks.add([(doubt.index, *doubt.position)])
            elif picks.features["source"].iloc[row] == Source.MODEL:
                claim(picks, row)
        self.go_on()

    def _reject(self) -> None:
        """It is none: a pick there is deleted, and learnt from even if it was the person's."""
        picks, doubt = self._picks(), self._doubts[self._at]
        row = None if picks is None else _row(picks, doubt)
        if picks is not None and row is not None:
            refute(picks, row)
        self.go_on()

    def _is_open(self, picks: Points, doubt: Doubt) -> bool:
        """Whether nobody has said anything since: no pick came, went or changed hands."""
        row = _row(picks, doubt)
        if doubt.why == Why.FOUND_AGAIN:
            return not _near(picks, doubt, self._diameter_px / 2).any()
        if row is None:
            return False
        return doubt.why == Why.NOT_FOUND or picks.features["source"].iloc[row] == Source.MODEL

    def _picks(self) -> Points | None:
        image = self._image
        if image is None or image not in self._viewer.layers:
            return None
        return find_layer(self._viewer.layers, adopt(image), PICKS)

    def _ring(self, place: tuple[float, float, float] | None) -> None:
        if self._image is not None and self._image in self._viewer.layers:
            ring(self._viewer, self._image, place, self._diameter_px)

    def _show(self, sentence: str) -> None:
        self.sentence.setText(sentence)
        here = 0 <= self._at < len(self._doubts)
        self.yes.setEnabled(here)
        self.no.setEnabled(here)
        self.next.setEnabled(self._at < len(self._doubts))

    def _make_room(self) -> None:
        """For two lines, so that the buttons stay where they are."""
        self.sentence.ensurePolished()
        self.sentence.setText("\n")
        self.sentence.setMinimumHeight(self.sentence.sizeHint().height())

    def _arrange(self) -> None:
        self.next.setToolTip("Go where your word is worth most, and say nothing of this place.")
        self.yes.setToolTip("This is a particle: the pick is yours now, and is learnt from.")
        self.no.setToolTip("There is no particle here: delete the pick, and learn from that.")
        line = QHBoxLayout()
        for button in (self.next, self.yes, self.no):
            line.addWidget(button)
        rows = QVBoxLayout(self)
        rows.setContentsMargins(0, 0, 0, 0)
        rows.addWidget(self.sentence)
        rows.addLayout(line)


def _row(picks: Points, doubt: Doubt) -> int | None:
    """The row of the pick at exactly this place."""
    rows = np.flatnonzero(_near(picks, doubt, 1e-3))
    return int(rows[0]) if len(rows) else None


def _near(picks: Points, doubt: Doubt, radius_px: float) -> np.ndarray:
    data = picks.data
    here = np.round(data[:, 0]) == doubt.index
    return here & (np.hypot(*(data[:, 1:] - doubt.position).T) <= radius_px)
