"""A column of widgets that scrolls where the window is too low for it."""

from __future__ import annotations

from qtpy.QtCore import QEvent, QObject, Qt
from qtpy.QtWidgets import QFrame, QScrollArea, QVBoxLayout, QWidget


class ScrolledColumn(QScrollArea):
    """As wide as its widgets need, and as high as there is room.

    Parameters
    ----------
    width_px
        The least width.
    """

    def __init__(self, width_px: int) -> None:
        super().__init__()
        self._width_px = width_px
        content = QWidget()
        self.rows = QVBoxLayout(content)
        self.rows.setContentsMargins(10, 8, 10, 8)
        self.rows.setSpacing(8)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setWidgetResizable(True)
        self.setWidget(content)
        self.setMinimumWidth(width_px)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802
        """What is laid out anew may need another width."""
        if event.type() == QEvent.Type.LayoutRequest and watched is self.widget():
            needed = self.widget().minimumSizeHint().width()
            bar = self.verticalScrollBar().sizeHint().width()
            self.setMinimumWidth(max(self._width_px, needed + bar))
        return bool(super().eventFilter(watched, event))
