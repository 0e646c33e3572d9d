"""The docks in napari as a user opens them."""

from __future__ import annotations

import subprocess
import sys
import threading

import napari
import pytest
from qtpy.QtCore import QThreadPool

DOCKS = ("Predict particles", "Train", "Self-train")
PANELS = (
    "predict.PredictPanel",
    "train.TrainPanel",
    "self_train.SelfTrainPanel",
)


@pytest.mark.parametrize("panel", PANELS)
def test_opening_a_dock_imports_nothing_heavy(panel, folder):
    module, name = panel.split(".")
    code = f"""
import sys
from napari.components import ViewerModel
from qtpy.QtWidgets import QApplication
from napari_cryopick.gui.contributions.reader import read_stacks
from napari_cryopick.gui.docks.{module} import {name}
app = QApplication([])
viewer = ViewerModel()
pixels, attributes, _ = read_stacks({str(folder)!r})[0]
viewer.add_image(pixels, **attributes)
panel = {name}(viewer)
panel.show()
print(*sys.modules.keys() & {{"torch", "matplotlib", "pandas"}})
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""


@pytest.fixture
def window(make_napari_viewer, folder):
    viewer = make_napari_viewer()
    viewer.open(str(folder), plugin="napari-cryopick")
    return viewer


def waiting(token: threading.Event, begun: threading.Event, ended: threading.Event):
    begun.set()
    token.wait(20)
    ended.set()
    yield


@pytest.mark.viewer
@pytest.mark.parametrize("name", DOCKS)
def test_closing_a_dock_ends_its_work(window, qtbot, name):
    dock, panel = window.window.add_plugin_dock_widget("napari-cryopick", name)
    begun, ended = threading.Event(), threading.Event()
    panel.work = lambda image: lambda stop: waiting(stop, begun, ended)
    panel.control.button.click()
    qtbot.waitUntil(begun.is_set)
    dock.destroyOnClose()
    qtbot.waitUntil(ended.is_set)
    assert QThreadPool.globalInstance().waitForDone(5000)
    window.layers.clear()


@pytest.mark.viewer
def test_closing_the_window_ends_the_work(qtbot, folder, make_napari_viewer):
    viewer = make_napari_viewer()
    viewer.open(str(folder), plugin="napari-cryopick")
    _, panel = viewer.window.add_plugin_dock_widget("napari-cryopick", "Train")
    begun, ended = threading.Event(), threading.Event()
    panel.work = lambda image: lambda stop: waiting(stop, begun, ended)
    panel.control.button.click()
    qtbot.waitUntil(begun.is_set)
    viewer.close()
    qtbot.waitUntil(ended.is_set)


@pytest.mark.viewer
def test_menu_commands_make_layers_ready_to_annotate(window, monkeypatch):
    from napari_cryopick.gui.contributions import commands

    monkeypatch.setattr(napari, "current_viewer", lambda: window)
    commands.new_picks_layer()
    assert window.layers.selection.active.mode == "add"
    commands.new_labels_layer()
    assert window.layers.selection.active.mode == "paint"
    assert window.layers.selection.active.data.dtype == "uint8"
