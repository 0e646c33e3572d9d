"""Lay out the parts of a dock: rows with aligned labels, a column that scrolls, folded sections."""

from __future__ import annotations

from collections.abc import Iterable

from qtpy.QtCore import QEvent, QObject, Qt
from qtpy.QtGui import QIcon
from qtpy.QtWidgets import (
    QAbstractButton,
    QFormLayout,
    QFrame,
    QHBoxLayout,
    QLabel,
    QLayout,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)
from superqt import QCollapsible

Row = tuple[str, QWidget | QLayout]
"""A label, or "" for none, and what stands beside it."""

_WIDTH_PX = 280
_SIGN_PX = 24


def form_rows(*rows: Row) -> QWidget:
    """Make rows whose fields use the width there is."""
    widget = QWidget()
    layout = QFormLayout(widget)
    layout.setContentsMargins(0, 0, 0, 0)
    layout.setSpacing(6)
    layout.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
    for text, field in rows:
        label = QLabel(text, objectName="row")
        label.setToolTip(field.toolTip() if isinstance(field, QWidget) else "")
        layout.addRow(label, field)
    return widget


def align_rows(parent: QWidget) -> None:
    """Give the labels of all rows in a widget the same width."""
    labels = parent.findChildren(QLabel, "row")
    width = max(label.sizeHint().width() for label in labels)
    for label in labels:
        label.setMinimumWidth(width)


def beside(*widgets: QWidget) -> QHBoxLayout:
    """Put widgets side by side; the first one gets the width there is."""
    line = QHBoxLayout()
    line.setSpacing(4)
    for index, widget in enumerate(widgets):
        if isinstance(widget, QAbstractButton) and len(widget.text()) == 1:
            widget.setFixedWidth(_SIGN_PX)
        line.addWidget(widget, stretch=index == 0)
    return line


def folded(title: str, content: QWidget) -> QCollapsible:
    """Fold a widget away under a title that opens it."""
    section = QCollapsible(expandedIcon=QIcon(), collapsedIcon=QIcon())
    section.setDuration(0)
    section.layout().setContentsMargins(0, 0, 0, 0)
    section.content().layout().setContentsMargins(0, 4, 0, 0)
    section.toggleButton().setStyleSheet(
        "QPushButton { text-align: left; border: none; background: transparent; padding: 2px 0; }"
    )
    section.addWidget(content)
    section.toggled.connect(lambda open_: section.setText(f"{'▾' if open_ else '▸'}  {title}"))
    section.toggled.emit(False)
    return section


class ScrolledColumn(QScrollArea):
    """A column of widgets, as wide as they need, that scrolls where the window is too low."""

    def __init__(self, parts: Iterable[QWidget | QLayout]) -> None:
        super().__init__()
        content = QWidget()
        column = QVBoxLayout(content)
        column.setContentsMargins(10, 8, 10, 8)
        column.setSpacing(8)
        for part in parts:
            if isinstance(part, QLayout):
                column.addLayout(part)
            else:
                column.addWidget(part)
        column.addStretch()
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setWidgetResizable(True)
        self.setWidget(content)
        self.setMinimumWidth(_WIDTH_PX)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802
        """Ask for more width where the widgets need it."""
        if event.type() == QEvent.Type.LayoutRequest and watched is self.widget():
            needed = self.widget().minimumSizeHint().width()
            bar = self.verticalScrollBar().sizeHint().width()
            self.setMinimumWidth(max(_WIDTH_PX, needed + bar))
        return bool(super().eventFilter(watched, event))
