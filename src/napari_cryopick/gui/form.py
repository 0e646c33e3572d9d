"""A form made of a settings model, so that every parameter is written once."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from types import NoneType
from typing import Any, Generic, Literal, TypeVar, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined
from qtpy.QtCore import Signal
from qtpy.QtGui import QIcon
from qtpy.QtWidgets import (
    QAbstractSpinBox,
    QCheckBox,
    QComboBox,
    QDoubleSpinBox,
    QFormLayout,
    QHBoxLayout,
    QLineEdit,
    QSizePolicy,
    QSpinBox,
    QToolButton,
    QVBoxLayout,
    QWidget,
)
from superqt import QCollapsible

Settings = TypeVar("Settings", bound=BaseModel)

_UNITS = {"angstrom": " Å", "px": " px"}
_LARGEST = {int: 1_000_000, float: 1e6}
_SMALLEST_STEP = 1e-5
_UNSET = "automatic"


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


def beside(editor: QWidget, button: QToolButton, text: str, tip: str) -> QHBoxLayout:
    """An editor, and on its right a button made small."""
    button.setText(text)
    button.setToolTip(tip)
    button.setFixedWidth(22)
    line = QHBoxLayout()
    line.setSpacing(4)
    line.addWidget(editor)
    line.addWidget(button)
    return line


def title_and_unit(name: str) -> tuple[str, str]:
    """ "diameter_angstrom" is titled "Diameter" and counted in Å."""
    *words, last = name.split("_")
    if last not in _UNITS:
        words, last = [*words, last], ""
    return " ".join(words).capitalize(), _UNITS.get(last, "")


def make_editor(info: FieldInfo, unit: str = "") -> QWidget:
    """The widget that suits a field's type, limits and default."""
    kinds = [kind for kind in get_args(info.annotation) if kind is not NoneType]
    optional = NoneType in get_args(info.annotation)
    kind: Any = kinds[0] if optional else info.annotation
    editor: QWidget
    if get_origin(kind) is Literal:
        editor = QComboBox()
        editor.addItems([str(choice) for choice in get_args(kind)])
    elif kind is bool:
        editor = QCheckBox()
    elif kind in (int, float):
        editor = _number(kind, info, unit, optional)
    else:
        editor = QLineEdit()
    editor.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
    if info.default is not PydanticUndefined:
        write(editor, info.default)
    return editor


def read(editor: Any) -> Any:
    """What an editor shows."""
    if isinstance(editor, QComboBox):
        return editor.currentText()
    if isinstance(editor, QCheckBox):
        return editor.isChecked()
    if isinstance(editor, QLineEdit):
        return editor.text()
    unset = editor.specialValueText() and editor.value() == editor.minimum()
    return None if unset else editor.value()


def write(editor: Any, value: Any) -> None:
    """Make an editor show a value."""
    if isinstance(editor, QComboBox):
        editor.setCurrentText(value)
    elif isinstance(editor, QCheckBox):
        editor.setChecked(value)
    elif isinstance(editor, QLineEdit):
        editor.setText(value)
    else:
        editor.setValue(editor.minimum() if value is None else value)


def changes(editor: Any) -> Any:
    """The signal that an editor emits when its value changes."""
    if isinstance(editor, QComboBox):
        return editor.currentTextChanged
    if isinstance(editor, QCheckBox):
        return editor.toggled
    return editor.textChanged if isinstance(editor, QLineEdit) else editor.valueChanged


class _DecimalBox(QDoubleSpinBox):
    """Shows no more decimals than there are, and steps by the last digits that matter."""

    def __init__(self) -> None:
        super().__init__()
        self.setDecimals(5)
        self.setStepType(QAbstractSpinBox.StepType.AdaptiveDecimalStepType)

    def textFromValue(self, value: float) -> str:  # noqa: N802
        return f"{value:.5f}".rstrip("0").rstrip(".")


def _number(kind: type, info: FieldInfo, unit: str, optional: bool) -> QAbstractSpinBox:
    limits = {
        bound: getattr(rule, bound)
        for rule in info.metadata
        for bound in ("gt", "ge", "lt", "le", "multiple_of")
        if hasattr(rule, bound)
    }
    editor = QSpinBox() if kind is int else _DecimalBox()
    step = limits.get("multiple_of", 1) if kind is int else _SMALLEST_STEP
    if kind is int:
        editor.setSingleStep(step)
    lowest = limits["gt"] + step if "gt" in limits else limits.get("ge", -_LARGEST[kind])
    highest = limits["lt"] - step if "lt" in limits else limits.get("le", _LARGEST[kind])
    if optional:
        editor.setSpecialValueText(_UNSET)
        lowest -= step
    editor.setRange(lowest, highest)
    editor.setSuffix(unit)
    editor.setKeyboardTracking(False)
    return editor


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
