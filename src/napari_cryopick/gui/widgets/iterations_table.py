"""A table of a run's iterations."""

from __future__ import annotations

from collections.abc import Sequence
from math import isnan

from qtpy.QtCore import QSignalBlocker, Qt, Signal
from qtpy.QtGui import QBrush
from qtpy.QtWidgets import QAbstractItemView, QHeaderView, QTableWidget, QTableWidgetItem
from superqt.utils import qthrottled

from ...runs.read import RunIteration

_COLUMNS = {
    "#": "0 is the initial model, the others are rounds of self-training; an ensemble is the "
    "mean of all models that were kept.",
    "F1": "Measured on complete labels that were held out; – where there are none.",
    "AP": "Average precision, measured on complete labels that were held out.",
    "Picks": "Picks on all micrographs, at the threshold.",
    "Threshold": "Lowest score of a pick.",
    "": "Whether it became the model of the run; point at a row to read why.",
}
_UNKNOWN = "–"
_ROWS_IN_VIEW = 5


class IterationsTable(QTableWidget):
    """One row for each finished iteration; `chosen` once the user has selected one."""

    chosen = Signal()

    def __init__(self) -> None:
        super().__init__(0, len(_COLUMNS))
        self._iterations: list[RunIteration] = []
        self._choose_soon = qthrottled(self._choose, timeout=30, leading=False, parent=self)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setShowGrid(False)
        self._head()
        self.itemSelectionChanged.connect(self._choose_soon)
        self.cellClicked.connect(self._choose_soon)
        self.show_iterations([])

    def show_iterations(self, iterations: Sequence[RunIteration]) -> None:
        """List iterations anew; the row that was selected stays so."""
        selected = self.selected()
        self._iterations = list(iterations)
        with QSignalBlocker(self):
            self.setRowCount(len(iterations))
            for row, iteration in enumerate(iterations):
                self._fill(row, iteration)
            self.clearSelection()
            paths = [one.path for one in iterations]
            if selected is not None and selected.path in paths:
                self.selectRow(paths.index(selected.path))
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
                self._choose_soon()

    def _choose(self) -> None:
        self.chosen.emit()

    def _fill(self, row: int, iteration: RunIteration) -> None:
        for column, text in enumerate(_texts(iteration)):
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
            self.setItem(row, column, item)

    def _head(self) -> None:
        for column, (title, tip) in enumerate(_COLUMNS.items()):
            item = QTableWidgetItem(title)
            item.setToolTip(tip)
            self.setHorizontalHeaderItem(column, item)
        item.setTextAlignment(Qt.AlignmentFlag.AlignLeft)
        self.verticalHeader().hide()
        header = self.horizontalHeader()
        header.setHighlightSections(False)
        header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        header.setMinimumSectionSize(1)
        header.setStyleSheet("QHeaderView::section { padding: 2px 3px; }")
        self.verticalHeader().setDefaultSectionSize(self.fontMetrics().height() + 8)

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
    return (
        iteration.title if iteration.is_ensemble else str(iteration.number),
        _figure(iteration.f1),
        _figure(iteration.average_precision),
        _UNKNOWN if iteration.count is None else f"{iteration.count:,}",
        _figure(iteration.threshold),
        "★ best" if iteration.best else "kept" if iteration.accepted else "rolled back",
    )


def _figure(value: float) -> str:
    return _UNKNOWN if isnan(value) else f"{value:.2f}"
