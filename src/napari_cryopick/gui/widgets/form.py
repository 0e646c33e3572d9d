"""A form made of a settings model, so that every parameter is written once."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Generic, TypeVar

from pydantic import BaseModel
from qtpy.QtCore import Signal
from qtpy.QtGui import QIcon
from qtpy.QtWidgets import (
    QAbstractButton,
    QCheckBox,
    QFormLayout,
    QHBoxLayout,
    QToolButton,
    QVBoxLayout,
    QWidget,
)
from superqt import QCollapsible

from .editors import changes, make_editor, read, title_and_unit, write

Settings = TypeVar("Settings", bound=BaseModel)

_SIGN_PX = 22


class SettingsForm(QWidget, Generic[Settings]):
    """Editors for the fields of a pydantic model, in aligned rows.

    Parameters
    ----------
    model
        The settings; labels, ranges, choices, defaults and tooltips are taken from its fields.
    fields
        Those always in view, in this order.
    advanced
        Those that are folded away.
    """

    changed = Signal(str)

    def __init__(
        self, model: type[Settings], fields: Iterable[str], advanced: Iterable[str] = ()
    ) -> None:
        super().__init__()
        self._model = model
        self._editors: dict[str, QWidget] = {}
        self.rows = compact_rows()
        self._add(self.rows, fields)
        content = QWidget()
        self._folded_rows = compact_rows(content)
        self._add(self._folded_rows, advanced)
        self.folded = _folded(content)
        self.folded.setVisible(self._folded_rows.rowCount() > 0)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addLayout(self.rows)
        layout.addWidget(self.folded)

    def settings(self, **others: Any) -> Settings:
        """The settings as they are now; `others` are fields that the form does not show."""
        values = {name: read(editor) for name, editor in self._editors.items()}
        return self._model(**{**values, **others})

    def editor(self, name: str) -> QWidget:
        """The widget that edits a field."""
        return self._editors[name]

    def value(self, name: str) -> Any:
        """What a field is set to."""
        return read(self._editors[name])

    def set_value(self, name: str, value: Any) -> None:
        """Set a field, as if the user had done so."""
        write(self._editors[name], value)

    def put_beside(self, name: str, button: QAbstractButton, text: str, tip: str) -> None:
        """Add a button to the row of a field that is always in view."""
        editor = self._editors[name]
        row, role = self.rows.getWidgetPosition(editor)
        self.rows.takeAt(self.rows.indexOf(editor))
        self.rows.setLayout(row, role, beside(editor, button, text, tip))

    def align(self) -> None:
        """Give all labels the same width, folded away or not."""
        labels = [label for rows in (self.rows, self._folded_rows) for label in _labels(rows)]
        width = max(label.sizeHint().width() for label in labels)
        for label in labels:
            label.setMinimumWidth(width)

    def _add(self, rows: QFormLayout, names: Iterable[str]) -> None:
        for name in names:
            info = self._model.model_fields[name]
            title, unit = title_and_unit(name)
            editor = make_editor(info, unit)
            editor.setToolTip(info.description or "")
            changes(editor).connect(lambda *_, name=name: self.changed.emit(name))
            self._editors[name] = editor
            rows.addRow("" if isinstance(editor, QCheckBox) else title, editor)
            if isinstance(editor, QCheckBox):
                editor.setText(title)


def compact_rows(parent: QWidget | None = None) -> QFormLayout:
    """A form layout whose fields use the width there is."""
    rows = QFormLayout(parent)
    rows.setContentsMargins(0, 0, 0, 0)
    rows.setSpacing(6)
    rows.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
    return rows


def with_button(editor: QWidget, text: str, tip: str, action: Callable[[], Any]) -> QHBoxLayout:
    """An editor with a small button on its right."""
    button = QToolButton()
    button.clicked.connect(lambda: action())
    return beside(editor, button, text, tip)


def beside(editor: QWidget, button: QAbstractButton, text: str, tip: str) -> QHBoxLayout:
    """An editor, and on its right a button with a sign or a word."""
    button.setText(text)
    button.setToolTip(tip)
    if len(text) == 1:
        button.setFixedWidth(_SIGN_PX)
    line = QHBoxLayout()
    line.setSpacing(4)
    line.addWidget(editor)
    line.addWidget(button)
    return line


def _labels(rows: QFormLayout) -> list[QWidget]:
    items = (rows.itemAt(i, QFormLayout.ItemRole.LabelRole) for i in range(rows.rowCount()))
    return [item.widget() for item in items if item is not None]


def _folded(content: QWidget) -> QCollapsible:
    section = QCollapsible(expandedIcon=QIcon(), collapsedIcon=QIcon())
    section.setDuration(0)
    section.layout().setContentsMargins(0, 0, 0, 0)
    section.content().layout().setContentsMargins(0, 4, 0, 0)
    section.toggleButton().setStyleSheet(
        "QPushButton { text-align: left; border: none; background: transparent; padding: 2px 0; }"
    )
    section.addWidget(content)
    section.toggled.connect(lambda open_: section.setText(f"{'▾' if open_ else '▸'}  Advanced"))
    section.toggled.emit(False)
    return section
