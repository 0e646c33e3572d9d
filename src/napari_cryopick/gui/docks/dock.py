"""What every dock is: a column of parts that is told when it comes into view and when it closes."""

from __future__ import annotations

from qtpy.QtCore import QEvent, Signal
from qtpy.QtGui import QShowEvent
from qtpy.QtWidgets import QLayout, QVBoxLayout, QWidget

from ..widgets.layout import ScrolledColumn, align_rows


class Dock(QWidget):
    """A widget that lays out parts in a column."""

    opened = Signal()
    closed = Signal()

    def lay_out(self, *parts: QWidget | QLayout) -> None:
        """Put parts under each other; called once."""
        self.column = ScrolledColumn(parts)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(self.column)

    def showEvent(self, event: QShowEvent) -> None:  # noqa: N802
        """Align the rows, whose fonts are known now."""
        super().showEvent(event)
        align_rows(self)
        self.opened.emit()

    def changeEvent(self, event: QEvent) -> None:  # noqa: N802
        """Notice that napari closes the dock: it loses its parent, and lives on unseen."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.ParentChange and self.parent() is None:
            self.closed.emit()
