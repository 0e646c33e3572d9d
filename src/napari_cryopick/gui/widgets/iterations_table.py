"""A table of a run's iterations."""

from __future__ import annotations

from collections.abc import Sequence
from math import isnan

from qtpy.QtCore import QSignalBlocker, Qt, Signal
from qtpy.QtGui import QBrush
from qtpy.QtWidgets import QAbstractItemView, QTableWidget, QTableWidgetItem

from ...runs.read import RunIteration
from .jobs import throttled

_COLUMNS = {
    "#": "0 is the initial model, the others are rounds of self-training; an ensemble is the "
    "mean of all models that were kept.",
    "F1": "Measured on complete labels that were held out; – where there are none.",
    "AP": "Average precision, measured on complete labels that were held out.",
    "Picks": "Picks on all micrographs, at the threshold.",
    "Threshold": "Lowest score of a pick.",
    "": "Whether it became the model of the run; point at a row to read why.",
}
_ROWS_IN_VIEW = 5


class IterationsTable(QTableWidget):
    """One row for each finished iteration; `chosen` once the user has selected one."""

    chosen = Signal()

    def __init__(self) -> None:
        super().__init__(0, len(_COLUMNS))
        self._iterations: list[RunIteration] = []
        choose_soon = throttled(self.chosen.emit, self, 30)
        self.itemSelectionChanged.connect(choose_soon)
        self.cellClicked.connect(choose_soon)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setShowGrid(False)
        self.setHorizontalHeaderLabels(list(_COLUMNS))
        for column, tip in enumerate(_COLUMNS.values()):
            self.horizontalHeaderItem(column).setToolTip(tip)
        self.verticalHeader().hide()
        self.verticalHeader().setDefaultSectionSize(self.fontMetrics().height() + 8)
        self.horizontalHeader().setMinimumSectionSize(1)
        self.horizontalHeader().setStyleSheet("QHeaderView::section { padding: 2px 3px; }")
        self.show_iterations([])

    def show_iterations(self, iterations: Sequence[RunIteration]) -> None:
        """List iterations anew; the row that was selected stays so."""
        selected = self.selected()
        self._iterations = list(iterations)
        with QSignalBlocker(self):
            self.setRowCount(len(iterations))
            self.clearSelection()
            for row, iteration in enumerate(iterations):
                for column, text in enumerate(_texts(iteration)):
                    self.setItem(row, column, self._item(iteration, text, column))
                if selected is not None and selected.path == iteration.path:
                    self.selectRow(row)
        self._fit()

    def selected(self) -> RunIteration | None:
        """Return the iteration whose row is selected."""
        rows = self.selectionModel().selectedRows()
        return self._iterations[rows[0].row()] if rows else None

    def before(self, iteration: RunIteration) -> RunIteration | None:
        """Return the iteration in the row above."""
        row = self._iterations.index(iteration)
        return self._iterations[row - 1] if row else None

    def choose_best(self) -> None:
        """Select the run's model."""
        for row, iteration in enumerate(self._iterations):
            if iteration.best:
                self.selectRow(row)
                self.chosen.emit()

    def _item(self, iteration: RunIteration, text: str, column: int) -> QTableWidgetItem:
        item = QTableWidgetItem(text)
        item.setToolTip(iteration.reason or iteration.path.name)
        last = column == len(_COLUMNS) - 1
        side = Qt.AlignmentFlag.AlignLeft if last else Qt.AlignmentFlag.AlignRight
        item.setTextAlignment(side | Qt.AlignmentFlag.AlignVCenter)
        if not iteration.accepted:
            item.setForeground(QBrush(self.palette().mid().color()))
        font = item.font()
        font.setBold(iteration.best)
        item.setFont(font)
        return item

    def _fit(self) -> None:
        """Be as wide as the columns and as high as the rows, up to some."""
        header, frame = self.horizontalHeader(), 2 * self.frameWidth()
        header.setStretchLastSection(False)
        self.resizeColumnsToContents()
        self.setMinimumWidth(header.length() + frame)
        header.setStretchLastSection(True)
        rows = min(self.rowCount(), _ROWS_IN_VIEW)
        row = self.verticalHeader().defaultSectionSize()
        self.setFixedHeight(header.sizeHint().height() + rows * row + frame)
        self.setVisible(rows > 0)


def _texts(iteration: RunIteration) -> Sequence[str]:
    def figure(value: float) -> str:
        return "–" if isnan(value) else f"{value:.2f}"

    return (
        iteration.title if iteration.is_ensemble else str(iteration.number),
        figure(iteration.f1),
        figure(iteration.average_precision),
        "–" if iteration.count is None else f"{iteration.count:,}",
        figure(iteration.threshold),
        "★ best" if iteration.best else "kept" if iteration.accepted else "rolled back",
    )
