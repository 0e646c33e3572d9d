from __future__ import annotations

import pytest
from pydantic import BaseModel, Field, ValidationError
from qtpy.QtWidgets import QCheckBox, QComboBox, QLabel, QLineEdit, QToolButton

from napari_cryopick.detection.settings import PredictSettings
from napari_cryopick.gui.widgets.editors import title_and_unit
from napari_cryopick.gui.widgets.form import SettingsForm
from napari_cryopick.pretraining.settings import Conditions
from napari_cryopick.training.settings import TrainSettings


@pytest.fixture
def form(qtbot):
    form = SettingsForm(TrainSettings, ("diameter_angstrom",), [*TrainSettings.model_fields][1:])
    qtbot.addWidget(form)
    return form


def test_an_untouched_form_gives_the_defaults(form):
    form.set_value("diameter_angstrom", 126)
    assert form.settings() == TrainSettings(diameter_angstrom=126)


def test_what_is_entered_is_given_back(form):
    entered = TrainSettings(
        diameter_angstrom=126.5,
        pixel_size_angstrom=0.6675,
        complete=True,
        architecture="unet-31m",
        steps=40,
        patch_px=64,
        learning_rate=0.0003,
        loss="bce",
        augmentation=0.25,
        device="cpu",
    )
    for name, value in entered:
        form.set_value(name, value)
    assert form.settings() == entered
    form.set_value("pixel_size_angstrom", None)
    assert form.value("pixel_size_angstrom") is None


def test_fields_a_form_does_not_show_are_handed_in(qtbot):
    form = SettingsForm(PredictSettings, ("diameter_angstrom",))
    qtbot.addWidget(form)
    form.set_value("diameter_angstrom", 99)
    assert form.settings(model="a") == PredictSettings(diameter_angstrom=99, model="a")


def test_editors_say_what_the_model_says(form):
    batch, diameter = form.editor("batch_size"), form.editor("diameter_angstrom")
    assert batch.toolTip() == TrainSettings.model_fields["batch_size"].description
    assert batch.minimum() == 1
    assert form.editor("patch_px").singleStep() == 16
    assert form.editor("augmentation").maximum() == 2
    assert diameter.suffix() == " Å"
    assert diameter.minimum() > 0
    assert isinstance(form.editor("loss"), QComboBox)
    assert isinstance(form.editor("complete"), QCheckBox)
    assert isinstance(form.editor("device"), QLineEdit)
    assert "Learning rate" in {label.text() for label in form.findChildren(QLabel)}


def test_numbers_show_no_more_decimals_than_there_are(form):
    diameter = form.editor("diameter_angstrom")
    assert [diameter.textFromValue(value) for value in (126, 1.7745, 0.002)] == [
        "126",
        "1.7745",
        "0.002",
    ]


def test_a_change_tells_its_field(form, qtbot):
    with qtbot.waitSignal(form.changed) as told:
        form.editor("complete").setChecked(True)
    assert told.args == ["complete"]


def test_values_that_break_a_rule_of_the_model_are_refused(qtbot):
    class Strict(BaseModel):
        name: str = Field("", min_length=3)

    form = SettingsForm(Strict, ("name",))
    qtbot.addWidget(form)
    with pytest.raises(ValidationError):
        form.settings()


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("diameter_angstrom", ("Diameter", " Å")),
        ("patch_px", ("Patch", " px")),
        ("voltage_kilovolt", ("Voltage", " kV")),
        ("learning_rate", ("Learning rate", "")),
    ],
)
def test_labels_come_from_names(name, expected):
    assert title_and_unit(name) == expected


def test_what_must_stay_below_a_limit_cannot_be_set_to_it(form):
    form.set_value("alpha", 1)
    assert form.value("alpha") < 1


def test_a_range_has_two_ends(qtbot):
    form = SettingsForm(Conditions, ("defocus_angstrom", "voltage_kilovolt"))
    qtbot.addWidget(form)
    assert form.settings() == Conditions()
    with qtbot.waitSignal(form.changed):
        form.set_value("defocus_angstrom", (9_000, 15_000))
    assert form.settings() == Conditions(defocus_angstrom=(9_000, 15_000))
    form.set_value("defocus_angstrom", (9_000, 1_000))
    with pytest.raises(ValidationError, match="the smallest and the largest"):
        form.settings()


def test_a_button_beside_a_field_leaves_its_row_in_place(form):
    form.put_beside("diameter_angstrom", QToolButton(), "Estimate", "What it does.")
    form.set_value("diameter_angstrom", 126)
    assert form.settings().diameter_angstrom == 126
    assert form.rows.rowCount() == 1
