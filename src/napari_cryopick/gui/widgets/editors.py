"""The widgets that edit single values."""

from __future__ import annotations

from types import NoneType
from typing import Any, Literal, get_args, get_origin

from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined
from qtpy.QtCore import Signal
from qtpy.QtWidgets import (
    QAbstractSpinBox,
    QCheckBox,
    QComboBox,
    QDoubleSpinBox,
    QHBoxLayout,
    QLineEdit,
    QSizePolicy,
    QSpinBox,
    QWidget,
)

_UNITS = {"angstrom": " Å", "px": " px", "kilovolt": " kV"}
_LARGEST = {int: 1_000_000, float: 1e6}
_SMALLEST_STEP = 1e-5
_UNSET = "automatic"


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
    if get_origin(kind) is tuple:
        editor = RangeEditor(unit)
    elif get_origin(kind) is Literal:
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
    if isinstance(editor, RangeEditor):
        return editor.value()
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


class DecimalBox(QDoubleSpinBox):
    """Shows no more decimals than there are, and steps by the last digits that matter."""

    def __init__(self) -> None:
        super().__init__()
        self.setDecimals(5)
        self.setStepType(QAbstractSpinBox.StepType.AdaptiveDecimalStepType)

    def textFromValue(self, value: float) -> str:  # noqa: N802
        return f"{value:.5f}".rstrip("0").rstrip(".")


class RangeEditor(QWidget):
    """The least and the greatest of a range, side by side."""

    valueChanged = Signal()  # noqa: N815

    def __init__(self, unit: str) -> None:
        super().__init__()
        self._ends = DecimalBox(), DecimalBox()
        line = QHBoxLayout(self)
        line.setContentsMargins(0, 0, 0, 0)
        line.setSpacing(4)
        for end in self._ends:
            end.setRange(0, _LARGEST[float])
            end.setSuffix(unit)
            end.setButtonSymbols(QAbstractSpinBox.ButtonSymbols.NoButtons)
            end.setKeyboardTracking(False)
            end.valueChanged.connect(self.valueChanged)
            line.addWidget(end)

    def value(self) -> tuple[float, float]:
        least, greatest = self._ends
        return least.value(), greatest.value()

    def setValue(self, value: tuple[float, float]) -> None:  # noqa: N802
        for end, number in zip(self._ends, value, strict=True):
            end.setValue(number)


def _number(kind: type, info: FieldInfo, unit: str, optional: bool) -> QAbstractSpinBox:
    limits = {
        bound: getattr(rule, bound)
        for rule in info.metadata
        for bound in ("gt", "ge", "lt", "le", "multiple_of")
        if hasattr(rule, bound)
    }
    editor = QSpinBox() if kind is int else DecimalBox()
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
