"""A table of a run's iterations."""

from __future__ import annotations

from collections.abc import Sequence
from math import isnan
from typing import Any

from qtpy.QtCore import QSignalBlocker, Qt, Signal
from qtpy.QtGui import QBrush
from qtpy.QtWidgets import QAbstractItemView, QHeaderView, QTableWidget, QTableWidgetItem

from ...runs.read import RunIteration
from .jobs import Soon

_COLUMNS = {
    "#": "The iteration: 0 is the initial model, the others are rounds of self-training; "
    "an ensemble is the mean of all that were accepted.",
    "F1": "On held-out labels; ≈ where these are not complete, so that it is an estimate.",
    "AP": "Average precision on complete held-out labels.",
    "Picks": "How many it picks on all micrographs.",
    "Threshold": "The score from which on it picks.",
    "": "Whether it was better than what there was before.",
}
_UNKNOWN = "–"
_ROWS_IN_VIEW = 5


class IterationsTable(QTableWidget):
    """One row for each iteration that was judged; `chosen` once the user has come to one."""

    chosen = Signal()

    def __init__(self) -> None:
        super().__init__(0, len(_COLUMNS))
        self._iterations: list[RunIteration] = []
        self._choosing = Soon(self.chosen.emit, self, pause_ms=30)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setShowGrid(False)
        self._head()
        self.itemSelectionChanged.connect(self._choosing.ask)
        self.cellClicked.connect(self._choosing.ask)
        self.show_iterations([])

    def show_iterations(self, iterations: Sequence[RunIteration]) -> None:
        """List iterations anew; the row that was selected stays so."""
        selected = self.selected()
        self._iterations = list(iterations)
        with QSignalBlocker(self):
            self.setRowCount(len(iterations))
            for row, judged in enumerate(iterations):
                self._fill(row, judged)
            self.clearSelection()
            kept = [one.path for one in iterations]
            if selected is not None and selected.path in kept:
                self.selectRow(kept.index(selected.path))
        self._fit()

    def selected(self) -> RunIteration | None:
        """The iteration whose row is selected."""
        rows = self.selectionModel().selectedRows()
        return self._iterations[rows[0].row()] if rows else None

    def before(self, judged: RunIteration) -> RunIteration | None:
        """The iteration in the row above."""
        row = self._iterations.index(judged)
        return self._iterations[row - 1] if row else None

    def choose_best(self) -> None:
        """Select the run's model."""
        for row, judged in enumerate(self._iterations):
            if judged.best:
                self.selectRow(row)
                self._choosing.ask()

    def _fill(self, row: int, judged: RunIteration) -> None:
        for column, text in enumerate(_texts(judged)):
            item = QTableWidgetItem(text)
            item.setToolTip(judged.reason or judged.path.name)
            last = column == len(_COLUMNS) - 1
            side = Qt.AlignmentFlag.AlignLeft if last else Qt.AlignmentFlag.AlignRight
            item.setTextAlignment(side | Qt.AlignmentFlag.AlignVCenter)
            if not judged.accepted:
                item.setForeground(QBrush(self.palette().mid().color()))
            font = item.font()
            font.setBold(judged.best)
            item.setFont(font)
            self.setItem(row, column, item)

    def _head(self) -> None:
        for column, (title, tip) in enumerate(_COLUMNS.items()):
            item = QTableWidgetItem(title)
            item.setToolTip(tip)
            self.setHorizontalHeaderItem(column, item)
        last = len(_COLUMNS) - 1
        self.horizontalHeaderItem(last).setTextAlignment(Qt.AlignmentFlag.AlignLeft)
        self.verticalHeader().hide()
        header = self.horizontalHeader()
        header.setHighlightSections(False)
        header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        header.setMinimumSectionSize(1)
        header.setStyleSheet("QHeaderView::section { padding: 2px 3px; }")
        self.verticalHeader().setDefaultSectionSize(self.fontMetrics().height() + 8)

    def _fit(self) -> None:
        """Be as wide as the columns and as high as the rows, up to a limit."""
        header = self.horizontalHeader()
        header.setStretchLastSection(False)
        self.resizeColumnsToContents()
        self.setMinimumWidth(header.length() + 2 * self.frameWidth())
        header.setStretchLastSection(True)
        rows = min(self.rowCount(), _ROWS_IN_VIEW)
        row = self.verticalHeader().defaultSectionSize()
        self.setFixedHeight(
            self.horizontalHeader().sizeHint().height() + rows * row + 2 * self.frameWidth()
        )
        self.setVisible(rows > 0)


def _texts(judged: RunIteration) -> Sequence[str]:
    f1 = _UNKNOWN if isnan(judged.f1) else f"{'' if judged.complete else '≈'}{judged.f1:.2f}"
    return (
        judged.title if judged.is_ensemble else str(judged.number),
        f1,
        _figure(judged.average_precision),
        _UNKNOWN if judged.count is None else f"{judged.count:,}",
        _figure(judged.threshold),
        "★ best" if judged.best else "accepted" if judged.accepted else "rolled back",
    )


def _figure(value: Any) -> str:
    return _UNKNOWN if isnan(value) else f"{value:.2f}"
