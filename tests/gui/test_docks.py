"""The docks in napari as a user opens them."""

from __future__ import annotations

import subprocess
import sys
import threading

import napari
import pytest
from qtpy.QtCore import QThreadPool
from qtpy.QtWidgets import QLabel

NAMES = ("Predict particles", "2D classes", "Train", "Self-train")
DOCKS = (
    "predict.PredictDock",
    "classes.ClassesDock",
    "train.TrainDock",
    "self_train.SelfTrainDock",
)


@pytest.mark.parametrize("dock", DOCKS)
def test_opening_a_dock_imports_nothing_heavy(dock, folder):
    module, name = dock.split(".")
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
dock = {name}(viewer)
dock.show()
print(*sys.modules.keys() & {{"torch", "matplotlib", "pandas"}})
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""


@pytest.fixture
def window(make_napari_viewer, folder):
    viewer = make_napari_viewer()
    viewer.open(str(folder), plugin="napari-cryopick")
    return viewer


def start_waiting(dock, qtbot) -> threading.Event:
    """Start a job that goes on until it is stopped; the event says that it has ended."""
    begun, ended = threading.Event(), threading.Event()

    def work(stop):
        begun.set()
        stop.wait(20)
        ended.set()
        yield

    parts = getattr(dock, "parts", dock)
    parts.job.run(lambda: (parts.micrographs.image, work), lambda event: iter(()))
    qtbot.waitUntil(begun.is_set)
    return ended


@pytest.mark.viewer
@pytest.mark.parametrize("name", NAMES)
def test_closing_a_dock_ends_its_work(window, qtbot, name):
    area, dock = window.window.add_plugin_dock_widget("napari-cryopick", name)
    ended = start_waiting(dock, qtbot)
    area.destroyOnClose()
    qtbot.waitUntil(ended.is_set)
    assert QThreadPool.globalInstance().waitForDone(5000)
    window.layers.clear()


@pytest.mark.viewer
def test_closing_the_window_ends_the_work(window, qtbot):
    _, dock = window.window.add_plugin_dock_widget("napari-cryopick", "Train")
    ended = start_waiting(dock, qtbot)
    window.close()
    qtbot.waitUntil(ended.is_set)


@pytest.mark.viewer
def test_labels_of_all_rows_are_aligned_and_nothing_is_cut_off(window, qtbot):
    for name in NAMES:
        _, dock = window.window.add_plugin_dock_widget("napari-cryopick", name, tabify=True)
        window.window._qt_window.show()
        qtbot.waitUntil(dock.isVisible)
        labels = [label for label in dock.findChildren(QLabel, "row") if label.isVisible()]
        assert len(labels) >= 3
        assert len({label.width() for label in labels}) == 1
        words = [word for label in labels for word in label.text().split()]
        assert max(map(labels[0].fontMetrics().horizontalAdvance, words)) <= labels[0].width()


@pytest.mark.viewer
def test_menu_commands_make_layers_ready_to_annotate(window, monkeypatch):
    from napari_cryopick.gui.contributions import commands

    monkeypatch.setattr(napari, "current_viewer", lambda: window)
    commands.new_picks_layer()
    assert window.layers.selection.active.mode == "add"
    commands.new_labels_layer()
    assert window.layers.selection.active.mode == "paint"
    assert window.layers.selection.active.data.dtype == "uint8"


@pytest.mark.viewer
def test_train_beside_the_classes_opens_the_dock_train(window, qtbot):
    _, dock = window.window.add_plugin_dock_widget("napari-cryopick", "2D classes")
    window.window._qt_window.show()
    dock.open_training()
    _, train = window.window.add_plugin_dock_widget("napari-cryopick", "Train")
    qtbot.waitUntil(train.isVisible)
    assert train.parts.micrographs.image == dock.micrographs.image
