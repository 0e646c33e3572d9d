from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import BaseModel, Field
from qtpy.QtWidgets import QLabel

from napari_cryopick import CryopickError
from napari_cryopick.gui.widgets.form import SettingsForm, title
from napari_cryopick.gui.widgets.layout import form_rows
from napari_cryopick.training.settings import SelfTrainSettings, TrainSettings

SIZES = {"diameter_angstrom": 126, "pixel_size_angstrom": 1.5}


def set_value(form, name: str, value) -> None:
    """Set a field as a user does; None stands for automatic."""
    field = form.fields[name]
    if value is None and name != "structure":
        value = "automatic" if hasattr(field, "choices") else ""
    field.value = value


@pytest.fixture(params=[TrainSettings, SelfTrainSettings])
def form(request, qtbot):
    fields = [name for name in request.param.model_fields if name not in SIZES]
    form = SettingsForm(request.param, fields)
    form.widget = form_rows(*form.rows(*form.fields))
    qtbot.addWidget(form.widget)
    return form


def test_an_untouched_form_gives_the_defaults(form):
    model = type(form.settings(**SIZES))
    assert form.settings(**SIZES) == model(**SIZES)
    assert form.value("steps") is None


def test_automatic_values_follow_the_others(form):
    set_value(form, "complete", True)
    assert form.settings(**SIZES).steps == 3 * 150
    set_value(form, "structure", Path("particle.pdb"))
    assert form.settings(**SIZES).loss == "bce"


def test_what_is_entered_is_given_back(form, tmp_path):
    entered = form.settings(
        **SIZES,
        complete=True,
        architecture="unet-31m",
        steps=40,
        patch_px=64,
        learning_rate=0.0003,
        loss="bce",
        focal_alpha=0.25,
        structure=tmp_path / "particle.pdb",
        voltage_kilovolt=200,
        defocus_angstrom=(9_000, 15_000),
        device="cpu",
    )
    for name in form.fields:
        set_value(form, name, getattr(entered, name))
    assert form.settings(**SIZES) == entered
    for name in ("steps", "loss", "structure", "voltage_kilovolt"):
        set_value(form, name, None)
        assert form.value(name) is None


def test_fields_say_what_the_model_says(form):
    patch = form.fields["patch_px"]
    assert patch.tooltip == TrainSettings.model_fields["patch_px"].description
    assert (patch.min, patch.step) == (32, 16)
    assert form.fields["augmentation"].max == 2
    form.fields["focal_alpha"].value = 0.99
    with pytest.raises(ValueError, match=r"1\.0"):
        form.fields["focal_alpha"].value = 1.0
    assert "Patch (px)" in {label.text() for label in form.widget.findChildren(QLabel)}


def test_a_change_names_its_field(form, qtbot):
    with qtbot.waitSignal(form.changed) as changed:
        form.fields["complete"].value = True
    assert changed.args == ["complete"]


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("steps", "many", "Steps: Input should be a valid integer"),
        ("learning_rate", "-1", "Learning rate: Input should be greater than 0."),
        ("defocus_angstrom", (9_000, 1_000), "Defocus .Å.: Input should be the smallest"),
    ],
)
def test_what_breaks_a_rule_of_the_model_is_refused_in_a_sentence(form, name, value, sentence):
    set_value(form, name, value)
    with pytest.raises(CryopickError, match=sentence):
        form.settings(**SIZES)


def test_a_rule_about_text_holds_too(qtbot):
    class Strict(BaseModel):
        name: str = Field("", min_length=3)

    form = SettingsForm(Strict, ["name"])
    widget = form_rows(*form.rows("name"))
    qtbot.addWidget(widget)
    with pytest.raises(CryopickError, match="Name: "):
        form.settings()


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("diameter_angstrom", "Diameter (Å)"),
        ("voltage_kilovolt", "Voltage (kV)"),
        ("learning_rate", "Learning rate"),
    ],
)
def test_labels_come_from_names(name, expected):
    assert title(name) == expected
