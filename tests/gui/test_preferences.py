from __future__ import annotations

from pathlib import Path

import pytest
from napari.settings import get_plugin_settings

from napari_cryopick.gui.widgets.models import ModelCombo, session_models
from napari_cryopick.gui.widgets.models import models_folder as chosen
from napari_cryopick.model.registry import import_model


def test_models_are_kept_where_the_preferences_of_napari_say(models_folder, tmp_path):
    assert chosen() == models_folder
    get_plugin_settings("napari-cryopick").models.folder = "~/cryo models"
    assert chosen() == Path.home() / "cryo models"
    assert "cryo models" in (tmp_path / "napari-cryopick.yaml").read_text()
    get_plugin_settings("napari-cryopick").models.folder = " "
    assert chosen() == models_folder


def test_another_folder_holds_other_models(qtbot, model, tmp_path):
    session_models.clear()
    import_model(str(model), "there", tmp_path / "group")
    combo = ModelCombo()
    qtbot.addWidget(combo)
    assert combo.findText("there") < 0
    get_plugin_settings("napari-cryopick").models.folder = str(tmp_path / "group")
    combo.choose(str(tmp_path / "group" / "there.safetensors"))
    assert combo.currentText() == "there"


@pytest.mark.viewer
def test_the_folder_is_asked_for_in_the_preferences(make_napari_viewer):
    from napari._qt.dialogs.preferences_dialog import PreferencesDialog
    from qtpy.QtWidgets import QLineEdit

    viewer = make_napari_viewer()
    dialog = PreferencesDialog(parent=viewer.window._qt_window)
    (row,) = [i for i in range(dialog._list.count()) if dialog._list.item(i).text() == "CryoPick"]
    (editor,) = dialog._stack.widget(row).findChildren(QLineEdit)
    editor.setText("/data/models")
    assert chosen() == Path("/data/models")
    dialog.close()
