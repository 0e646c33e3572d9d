"""A gallery of small pictures with captions, several of which can be selected."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from qtpy.QtCore import QItemSelectionModel, QModelIndex, QRect, QSignalBlocker, QSize, Qt, Signal
from qtpy.QtGui import QColor, QImage, QKeyEvent, QPainter, QPaintEvent, QPen, QPixmap
from qtpy.QtWidgets import (
    QAbstractItemView,
    QListWidget,
    QListWidgetItem,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
)

_CONTRAST_PERCENTILES = (1.0, 99.8)
_GAP_PX, _FRAME_PX, _FAINT = 4, 3, 0.35


@dataclass(frozen=True)
class Tile:
    """A picture with an identity, lines of text, the colour of its frame and a letter in it."""

    key: Any
    picture: QPixmap
    lines: tuple[str, ...] = ()
    colour: str = ""
    letter: str = ""
    faint: bool = False
    tip: str = ""


class Gallery(QListWidget):
    """Tiles side by side; click, Shift, Ctrl and Ctrl+A select, letters are given to the dock."""

    selected = Signal()
    typed = Signal(str)

    def __init__(self, edge_px: int, empty: str, one_row: bool = False) -> None:
        super().__init__()
        self._empty = empty
        self._painter = _TilePainter(self)
        self.setItemDelegate(self._painter)
        self.setViewMode(QListWidget.ViewMode.IconMode)
        self.setMovement(QListWidget.Movement.Static)
        self.setResizeMode(QListWidget.ResizeMode.Adjust)
        self.setUniformItemSizes(True)
        self.setWrapping(not one_row)
        self.setSpacing(0)
        self.setSelectionMode(
            QAbstractItemView.SelectionMode.SingleSelection
            if one_row
            else QAbstractItemView.SelectionMode.ExtendedSelection
        )
        self.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.itemSelectionChanged.connect(self.selected)
        self.set_edge(edge_px)

    def set_edge(self, edge_px: int) -> None:
        """Show pictures of this size."""
        self._painter.edge_px = edge_px
        self.scheduleDelayedItemsLayout()
        self.viewport().update()

    def show_tiles(self, tiles: Sequence[Tile]) -> None:
        """Show tiles; where they are those of before, what is selected stays so."""
        if [tile.key for tile in tiles] != [tile.key for tile in self.tiles()]:
            with QSignalBlocker(self):
                self.clear()
                for _ in tiles:
                    self.addItem(QListWidgetItem())
            self.selected.emit()
        lines = [line for tile in tiles for line in tile.lines]
        self._painter.text_px = max(map(self.fontMetrics().horizontalAdvance, lines), default=0)
        self.scheduleDelayedItemsLayout()
        for row, tile in enumerate(tiles):
            item = self.item(row)
            item.setData(Qt.ItemDataRole.UserRole, tile)
            item.setData(Qt.ItemDataRole.AccessibleTextRole, " ".join(tile.lines))
            item.setToolTip(tile.tip)
        self.viewport().update()

    def tiles(self) -> list[Tile]:
        """Return the tiles from the first to the last."""
        role = Qt.ItemDataRole.UserRole
        return [self.item(row).data(role) for row in range(self.count())]

    def selected_keys(self) -> list[Any]:
        """Return what is selected."""
        return [tile.key for row, tile in enumerate(self.tiles()) if self.item(row).isSelected()]

    def select(self, keys: Collection[Any]) -> None:
        """Select these, and nothing else."""
        self.clearSelection()
        for row, tile in enumerate(self.tiles()):
            if tile.key in keys:
                index = self.model().index(row, 0)
                self.selectionModel().select(index, QItemSelectionModel.SelectionFlag.Select)

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802
        """Say what will be here while there is nothing."""
        super().paintEvent(event)
        if not self.count():
            painter = QPainter(self.viewport())
            painter.setPen(self.palette().placeholderText().color())
            how = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap
            painter.drawText(self.viewport().rect(), how, self._empty)

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802
        """Give plain letters to the dock instead of looking for an item that begins with them."""
        if event.text().isalpha() and event.modifiers() == Qt.KeyboardModifier.NoModifier:
            self.typed.emit(event.text().upper())
        else:
            super().keyPressEvent(event)


class _TilePainter(QStyledItemDelegate):
    edge_px = text_px = 0

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex) -> QSize:  # noqa: N802
        tile: Tile | None = index.data(Qt.ItemDataRole.UserRole)
        text = len(tile.lines) * option.fontMetrics.height() if tile else 0
        width = max(self.edge_px, self.text_px)
        return QSize(width + 2 * _GAP_PX, self.edge_px + 2 * _GAP_PX + text)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex) -> None:
        """Draw a picture in its frame, the letter in its corner, and the lines below."""
        tile: Tile | None = index.data(Qt.ItemDataRole.UserRole)
        if tile is None:
            return
        painter.save()
        painter.setRenderHints(
            QPainter.RenderHint.Antialiasing | QPainter.RenderHint.SmoothPixmapTransform
        )
        palette, area = option.palette, option.rect
        if option.state & QStyle.StateFlag.State_Selected:
            painter.setBrush(palette.highlight())
            painter.setPen(QPen(palette.text().color(), 1.5))
            painter.drawRoundedRect(area.adjusted(1, 1, -1, -1), _GAP_PX, _GAP_PX)
        painter.setOpacity(_FAINT if tile.faint else 1)
        left = area.left() + (area.width() - self.edge_px) // 2
        picture = QRect(left, area.top() + _GAP_PX, self.edge_px, self.edge_px)
        painter.drawPixmap(picture, tile.picture)
        if tile.colour:
            _frame(painter, picture, tile)
        painter.setPen(palette.text().color())
        height = option.fontMetrics.height()
        below = QRect(area.left(), picture.bottom() + 2, area.width(), height)
        for line in tile.lines:
            painter.drawText(below, Qt.AlignmentFlag.AlignCenter, line)
            below.translate(0, height)
        painter.restore()


def _frame(painter: QPainter, picture: QRect, tile: Tile) -> None:
    """Draw a coloured frame, and a letter on a square of that colour for those who see none."""
    pen = QPen(QColor(tile.colour), _FRAME_PX, join=Qt.PenJoinStyle.MiterJoin)
    painter.setPen(pen)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.drawRect(picture.adjusted(1, 1, -2, -2))
    edge = painter.fontMetrics().height()
    square = QRect(picture.left(), picture.top(), edge, edge)
    painter.fillRect(square, QColor(tile.colour))
    painter.setPen(QColor("black"))
    painter.drawText(square, Qt.AlignmentFlag.AlignCenter, tile.letter)


def grey_picture(pixels: NDArray) -> QPixmap:
    """Make a picture of an (h, w) image, from its darkest to its brightest pixels."""
    low, high = np.percentile(pixels, _CONTRAST_PERCENTILES)
    grey = np.clip((pixels - low) / max(high - low, 1e-9), 0, 1) * 255
    bytes_ = np.ascontiguousarray(grey, dtype=np.uint8)
    height, width = bytes_.shape
    image = QImage(bytes_.data, width, height, width, QImage.Format.Format_Grayscale8)
    return QPixmap.fromImage(image.copy())
