"""What a model says of itself, to be read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from qtpy.QtCore import Qt
from qtpy.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QFrame,
    QLabel,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from ..network.card import ModelCard
from ..network.facts import facts, size
from .form import compact_rows

_SIZE_PX = (560, 520)


class ModelCardDialog(QDialog):
    """A model's name, what it is for, and the facts below.

    Parameters
    ----------
    title
        What the model is called where it was chosen.
    path
        Its file.
    card
        Its card.
    """

    def __init__(self, title: str, path: Path, card: ModelCard, parent: QWidget | None) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle("About this model")
        self.resize(*_SIZE_PX)
        rows = QVBoxLayout(self)
        rows.setContentsMargins(20, 20, 20, 14)
        rows.setSpacing(12)
        rows.addWidget(_heading(card.name or title))
        if card.description:
            rows.addWidget(_text(card.description))
        file = f"{path}, {size(path.stat().st_size)}"
        rows.addWidget(_scrolled({**facts(card), "File": file}), stretch=1)
        buttons = QDialogButtonBox()
        buttons.addButton("Close", QDialogButtonBox.ButtonRole.RejectRole)
        buttons.rejected.connect(self.reject)
        rows.addWidget(buttons)


def _scrolled(told: dict[str, str]) -> QScrollArea:
    content = QWidget()
    rows = compact_rows(content)
    rows.setVerticalSpacing(10)
    rows.setHorizontalSpacing(18)
    for title, text in told.items():
        rows.addRow(_dim(title), _text(text))
    area = QScrollArea()
    area.setWidgetResizable(True)
    area.setFrameShape(QFrame.Shape.NoFrame)
    area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    area.setWidget(content)
    return area


def _text(text: str) -> QLabel:
    """Words of whoever made the model: to be copied, but not taken for HTML."""
    label = QLabel(text)
    label.setTextFormat(Qt.TextFormat.PlainText)
    label.setWordWrap(True)
    label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    label.setAlignment(Qt.AlignmentFlag.AlignTop)
    return label


def _heading(text: str) -> QLabel:
    label = _text(text)
    label.setStyleSheet("font-size: 18px; font-weight: bold")
    return label


def _dim(text: str) -> Any:
    label = QLabel(text)
    label.setAlignment(Qt.AlignmentFlag.AlignTop)
    label.setStyleSheet("font-weight: bold")
    return label
