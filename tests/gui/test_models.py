from __future__ import annotations

from pathlib import Path

import pytest

from napari_cryopick.gui.widgets.models import ModelCombo, add_session_model, session_models
from napari_cryopick.model import registry
from napari_cryopick.model.registry import import_model


@pytest.fixture
def combo(qtbot):
    session_models.clear()
    combo = ModelCombo()
    qtbot.addWidget(combo)
    return combo


def names(combo: ModelCombo) -> list[str]:
    return [combo.itemText(index) for index in range(combo.count())]


def test_an_iteration_is_listed_with_its_run(combo, tmp_path):
    add_session_model(tmp_path / "run_2" / "iteration_1_selftrain")
    assert combo.currentText() == "run_2 / iteration_1_selftrain"
    assert combo.model() == str(tmp_path / "run_2" / "iteration_1_selftrain")


@pytest.mark.parametrize("inside", ["best", "best/model.safetensors"])
def test_the_best_model_of_a_run_is_called_as_the_run(combo, tmp_path, inside):
    add_session_model(tmp_path / "run_2" / inside)
    assert combo.currentText() == "run_2"


def test_what_is_offered_again_is_chosen_again_and_not_listed_twice(combo, tmp_path):
    first, second = tmp_path / "run_1", tmp_path / "run_2"
    for run in (first, second, first):
        add_session_model(run)
    assert combo.model() == str(first)
    assert [Path(run) for run in session_models].count(first) == 1


def test_own_runs_come_before_what_is_kept_and_what_comes_along(
    combo, model, tmp_path, monkeypatch
):
    bundled = tmp_path / "bundled"
    bundled.mkdir()
    (bundled / "general.safetensors").write_bytes(model.read_bytes())
    monkeypatch.setattr(registry, "_BUNDLED", bundled)
    import_model(str(model), "abc")
    combo.choose("general")
    assert combo.model() == "general"
    add_session_model(tmp_path / "run_1")
    assert names(combo) == ["run_1", "general", "abc"]
    assert combo.currentText() == "run_1"


def test_what_was_imported_in_a_terminal_meanwhile_is_in_the_list(combo, model, tmp_path):
    add_session_model(tmp_path / "run_1")
    import_model(str(model), "mine")
    combo.showPopup()
    combo.hidePopup()
    assert names(combo) == ["run_1", "general", "mine"]
    assert combo.currentText() == "run_1"
