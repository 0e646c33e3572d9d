"""Docks: a column of parts, rows with aligned labels, folded sections."""

from __future__ import annotations

from collections.abc import Callable

from napari.components import ViewerModel
from napari.utils.events import EventEmitter
from qtpy.QtCore import QEvent, QObject, Qt, Signal
from qtpy.QtGui import QIcon, QShowEvent
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

from ..layers.watch import watch

Row = tuple[str, QWidget | QLayout]
"""A label, or "" for none, and what stands beside it."""

_WIDTH_PX = 280
_SIGN_PX = 24


class Dock(QWidget):
    """A column of parts that scrolls where the window is too low for it."""

    opened = Signal()
    closed = Signal()

    def __init__(self, viewer: ViewerModel) -> None:
        super().__init__()
        self.viewer = viewer
        watch(viewer)

    def follow(self, events: EventEmitter, callback: Callable[..., None]) -> None:
        """Call a function for events of the viewer until the dock is closed."""
        events.connect(callback)
        self.closed.connect(lambda: events.disconnect(callback))

    def lay_out(self, *parts: QWidget | QLayout) -> None:
        """Put parts under each other; called once."""
        content = QWidget()
        column = stack_up(content, *parts)
        column.setContentsMargins(10, 8, 10, 8)
        column.addStretch()
        self.area = _Column(content)
        stack_up(self, self.area)

    def showEvent(self, event: QShowEvent) -> None:  # noqa: N802
        """Align the rows, whose fonts are known now."""
        super().showEvent(event)
        labels = self.findChildren(QLabel, "row")
        in_view = [label.sizeHint().width() for label in labels if not label.wordWrap()]
        words = [word for label in labels for word in label.text().split()]
        width = max([*in_view, *map(self.fontMetrics().horizontalAdvance, words)])
        for label in labels:
            label.setFixedWidth(width + 4)
        self.opened.emit()

    def changeEvent(self, event: QEvent) -> None:  # noqa: N802
        """Notice that napari closes the dock: it loses its parent, and lives on unseen."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.ParentChange and self.parent() is None:
            self.closed.emit()


class _Column(QScrollArea):
    """Scrolls up and down only, and is as wide as its content needs."""

    def __init__(self, content: QWidget) -> None:
        super().__init__(frameShape=QFrame.Shape.NoFrame, minimumWidth=_WIDTH_PX)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setWidgetResizable(True)
        self.setWidget(content)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802
        if event.type() == QEvent.Type.LayoutRequest and watched is self.widget():
            needed = self.widget().minimumSizeHint().width()
            bar = self.verticalScrollBar().sizeHint().width()
            self.setMinimumWidth(max(_WIDTH_PX, needed + bar))
        return bool(super().eventFilter(watched, event))


def stack_up(parent: QWidget, *parts: QWidget | QLayout) -> QVBoxLayout:
    """Lay out parts of a widget under each other, without margins."""
    column = QVBoxLayout(parent, spacing=8)
    column.setContentsMargins(0, 0, 0, 0)
    for part in parts:
        if isinstance(part, QLayout):
            column.addLayout(part)
        else:
            column.addWidget(part)
    return column


def form_rows(*rows: Row) -> QWidget:
    """Make rows whose fields use the width there is."""
    widget = QWidget()
    layout = QFormLayout(widget, spacing=6)
    layout.setContentsMargins(0, 0, 0, 0)
    layout.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
    for text, field in rows:
        layout.addRow(QLabel(text, objectName="row"), field)
    return widget


def beside(*widgets: QWidget) -> QHBoxLayout:
    """Put widgets side by side; the first one gets the width there is."""
    line = QHBoxLayout(spacing=4)
    for index, widget in enumerate(widgets):
        if isinstance(widget, QAbstractButton) and len(widget.text()) == 1:
            widget.setFixedWidth(_SIGN_PX)
        line.addWidget(widget, stretch=index == 0)
    return line


def side_by_side(*widgets: QWidget) -> QHBoxLayout:
    """Put widgets side by side, each as wide as its text asks."""
    line = QHBoxLayout(spacing=4)
    for widget in widgets:
        line.addWidget(widget)
    return line


def folded(title: str, *rows: Row) -> QCollapsible:
    """Fold rows away under a title that opens them."""
    section = QCollapsible(expandedIcon=QIcon(), collapsedIcon=QIcon())
    section.setDuration(0)
    section.layout().setContentsMargins(0, 0, 0, 0)
    section.content().layout().setContentsMargins(0, 4, 0, 0)
    style = "text-align: left; border: none; background: transparent; padding: 2px 0;"
    section.toggleButton().setStyleSheet(f"QPushButton {{ {style} }}")
    section.addWidget(form_rows(*rows))
    for label in section.findChildren(QLabel, "row"):
        label.setWordWrap(True)
    section.toggled.connect(lambda open_: section.setText(f"{'▾' if open_ else '▸'}  {title}"))
    section.toggled.emit(False)
    return section
