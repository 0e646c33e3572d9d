"""How long the docks take to open, in a real window: `python benchmarks/open_dock.py`.

The goal is 0.3 s without torch. An empty dock is opened first, as a measure of the machine.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from time import perf_counter

import napari
from qtpy.QtWidgets import QApplication, QWidget


def timed(action: Callable[[], object]) -> float:
    """Seconds until an action is done and drawn."""
    begun = perf_counter()
    action()
    QApplication.processEvents()
    return perf_counter() - begun


def main() -> None:
    viewer = napari.Viewer()
    viewer.open_sample("napari-cryopick", "simulated")
    QApplication.processEvents()
    empty = timed(lambda: viewer.window.add_dock_widget(QWidget(), name="empty"))
    print(f"{'empty dock':20s} {empty:.3f} s")
    for name in ("Predict particles", "Train", "Self-train"):
        seconds = timed(lambda: viewer.window.add_plugin_dock_widget("napari-cryopick", name))  # noqa: B023
        print(f"{name:20s} {seconds:.3f} s, {seconds / empty:.1f} times an empty dock")
    print("torch was imported" if "torch" in sys.modules else "without torch")
    viewer.close()


if __name__ == "__main__":
    main()
