"""A form made of a settings model through magicgui, so that every parameter is written once."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from types import NoneType
from typing import Any, Generic, Literal, TypeVar, get_args, get_origin

from magicgui.widgets import CheckBox, FileEdit, create_widget
from magicgui.widgets.bases import ValueWidget
from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined
from qtpy.QtCore import QObject, Signal
from qtpy.QtWidgets import QAbstractSpinBox, QSizePolicy

from ...errors import CryopickError
from .layout import Row

Settings = TypeVar("Settings", bound=BaseModel)

AUTOMATIC = "automatic"
_UNITS = {"angstrom": "Å", "px": "px", "kilovolt": "kV"}
_TITLES = {"complete": "Labels are complete"}
_STRUCTURES = "Structures (*.pdb *.cif *.mrc *.map *.pdb.gz *.cif.gz *.mrc.gz *.map.gz)"


class SettingsForm(QObject, Generic[Settings]):
    """Widgets that edit fields of a pydantic model; a dock lays them out.

    Labels, ranges, choices, defaults and tooltips are taken from the model. Fields that may be
    None, or are named in its `AUTOMATIC`, show "automatic" for None.
    """

    changed = Signal(str)

    def __init__(self, model: type[Settings], names: Iterable[str]) -> None:
        super().__init__()
        self._model = model
        self.fields: dict[str, ValueWidget] = {name: _field(model, name) for name in names}
        for name, field in self.fields.items():
            field.changed.connect(lambda *_, name=name: self.changed.emit(name))

    def rows(self, *names: str) -> list[Row]:
        """Return the rows of some fields."""
        fields = self.fields
        return [
            ("" if isinstance(fields[n], CheckBox) else title(n), fields[n].native) for n in names
        ]

    def settings(self, **others: object) -> Settings:
        """Make the settings as they are now; `others` are fields that the form does not show."""
        values = {name: self.value(name) for name in self.fields}
        try:
            return self._model(**{**values, **others})
        except ValidationError as error:
            first = error.errors()[0]
            where = f"{title(str(first['loc'][0]))}: " if first["loc"] else ""
            raise CryopickError(f"{where}{first['msg']}.") from None

    def value(self, name: str) -> Any:
        """Return what a field is set to; None stands for automatic."""
        value = self.fields[name].value
        return None if value in ("", AUTOMATIC) and _may_be_none(self._model, name) else value


def title(name: str) -> str:
    """Return the label of a field: "diameter_angstrom" becomes "Diameter (Å)"."""
    *words, last = name.split("_")
    words, unit = (words, f" ({_UNITS[last]})") if last in _UNITS else ([*words, last], "")
    return _TITLES.get(name) or " ".join(words).capitalize() + unit


def _may_be_none(model: type[BaseModel], name: str) -> bool:
    optional = NoneType in get_args(model.model_fields[name].annotation)
    return optional or name in getattr(model, "AUTOMATIC", ())


def _field(model: type[BaseModel], name: str) -> ValueWidget:
    """Make the widget that suits a field's type, limits and default."""
    info, automatic = model.model_fields[name], _may_be_none(model, name)
    field = _widget(info, automatic)
    field.tooltip = info.description or ""
    if isinstance(field, CheckBox):
        field.text = title(name)
    if not automatic and info.default is not PydanticUndefined:
        field.value = info.default
    field.native.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
    for box in [field.native, *field.native.findChildren(QAbstractSpinBox)]:
        if isinstance(box, QAbstractSpinBox):
            box.setKeyboardTracking(False)
    return field


def _widget(info: FieldInfo, automatic: bool) -> Any:
    kinds = get_args(info.annotation)
    kind: Any = kinds[0] if NoneType in kinds else info.annotation
    if get_origin(kind) is Literal and automatic:
        return create_widget(annotation=str, options={"choices": [AUTOMATIC, *get_args(kind)]})
    if kind is Path:
        file = FileEdit(filter=_STRUCTURES, nullable=True)
        file.choose_btn.text = "…"
        return file
    if kind in (int, float, str) and automatic:
        field = create_widget(annotation=str)
        field.native.setPlaceholderText(AUTOMATIC)
        return field
    if get_origin(kind) is tuple:
        ends = {"min": 0, "max": 1e6, "step": 100}
        return create_widget(info.default, annotation=kind, options={"options": ends})
    options = _limits(kind, info) if kind in (int, float) else {}
    return create_widget(annotation=kind, options=options)


def _limits(kind: type, info: FieldInfo) -> dict[str, float]:
    """Return the range of a number and its step; two decimals are enough for those here."""
    bounds = ("gt", "ge", "lt", "le", "multiple_of")
    rules = {b: getattr(rule, b) for rule in info.metadata for b in bounds if hasattr(rule, b)}
    step = rules.get("multiple_of", 1 if kind is int else 0.01)
    lowest = rules["gt"] + step if "gt" in rules else rules.get("ge", -1e6)
    highest = rules["lt"] - step if "lt" in rules else rules.get("le", 1e6)
    return {"min": lowest, "max": highest, "step": step}
