"""Looking at models, keeping them, giving them away."""

from __future__ import annotations

from pathlib import Path

import pytest
from qtpy.QtWidgets import QDialog, QTextBrowser

from napari_cryopick.gui.widgets.models import (
    ModelCombo,
    ModelMenu,
    add_session_model,
    card_dialog,
    session_models,
)
from napari_cryopick.model.card import ModelCard
from napari_cryopick.model.registry import DEFAULT, list_models, load_model


@pytest.fixture
def menu(qtbot):
    session_models.clear()
    combo = ModelCombo()
    menu = ModelMenu(combo)
    qtbot.addWidget(combo)
    qtbot.addWidget(menu)
    return menu


@pytest.fixture
def told(menu) -> list[tuple[str, bool]]:
    """What the menu says, and whether something is wrong."""
    said: list[tuple[str, bool]] = []
    menu.reported.connect(lambda *what: said.append(what))
    return said


def can(menu: ModelMenu) -> list[str]:
    """What is offered, besides getting other models."""
    menu.menu().aboutToShow.emit()
    return [
        name for name in ("about", "export", "keep", "remove") if getattr(menu, name).isEnabled()
    ]


def words(dialog: QDialog) -> str:
    return dialog.findChild(QTextBrowser).toPlainText()


def test_only_what_makes_sense_is_offered(menu, model, models_folder):
    assert can(menu) == ["about", "export"]
    add_session_model(model)
    assert can(menu) == ["about", "export", "keep"]
    menu.keep_as("mine")
    assert can(menu) == ["about", "export", "remove"]


def test_an_opened_model_is_kept_for_other_days_and_removed(menu, model, models_folder):
    add_session_model(model)
    assert "mine was saved to your models" in menu.keep_as("mine")
    session_models.clear()
    menu.models.choose(str(models_folder / "mine.safetensors"))
    assert menu.models.currentText() == "mine"
    assert load_model(menu.models.model()).card.threshold == 0.3
    menu.remove_kept()
    assert menu.models.currentText() == DEFAULT
    assert not list(models_folder.iterdir())


def test_a_model_is_saved_as_one_file(menu, model, tmp_path):
    add_session_model(model)
    file = tmp_path / "for you.safetensors"
    assert str(file) in menu.save_as(file)
    assert file.read_bytes() == model.read_bytes()


def test_a_card_is_shown_whole_and_as_it_was_written(menu, qtbot, model):
    card = ModelCard(
        architecture="compact",
        particle_px=20,
        description="Small <b>complexes</b>.",
        training_data=("EMPIAR-1", "EMPIAR-2"),
        known_failures=("Filaments.",),
        metrics={"f1": 0.87},
    )
    dialog = card_dialog("my model", model, card, None)
    qtbot.addWidget(dialog)
    shown = words(dialog)
    for told in ("my model", "<b>complexes</b>", "EMPIAR-2", "Filaments.", "F1 0.87", str(model)):
        assert told in shown


def test_about_shows_the_card_of_the_model_chosen(menu, qtbot, model):
    add_session_model(model)
    dialog = menu.card()
    qtbot.addWidget(dialog)
    dialog.open()
    assert model.name in words(dialog)
    assert "0.30" in words(dialog)


def test_what_is_wrong_with_a_model_is_told(menu, told, tmp_path):
    add_session_model(tmp_path / "lost.safetensors")
    menu.about.trigger()
    menu.export.trigger()
    menu.keep.trigger()
    assert len(told) == 3
    assert all("lost.safetensors" in sentence and wrong for sentence, wrong in told)


def test_an_address_without_a_hash_is_told(menu, told, qtbot):
    menu.download("https://127.0.0.1/model.safetensors")
    qtbot.waitUntil(lambda: len(told) == 2)
    assert told[0] == ("Downloading…", False)
    assert "comes without its hash" in told[1][0]
    assert told[1][1]


def test_a_model_from_the_web_is_kept_and_chosen(menu, told, qtbot, web, model):
    menu.download(web.publish(model))
    qtbot.waitUntil(lambda: len(told) == 2)
    assert told[1] == (
        f"untrained was saved to your models in {Path(menu.models.model()).parent}.",
        False,
    )
    assert menu.models.currentText() == "untrained"
    assert [one.name for one in list_models() if one.origin == "imported"] == ["untrained"]
