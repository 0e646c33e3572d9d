"""How long the window stands still while jobs run in its docks: `python benchmarks/freeze.py`.

A timer beats in the window, and another in an idle process: what the idle process waits for is
the machine's doing. The goal is 0.1 s in the window of an otherwise quiet machine.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter, sleep
from typing import TYPE_CHECKING

import napari
from cyclopts import run
from qtpy.QtCore import QTimer
from qtpy.QtWidgets import QApplication

from napari_cryopick.io import match_picks, read_picks

if TYPE_CHECKING:
    from napari_cryopick.gui.docks.predict import PredictPanel
    from napari_cryopick.gui.docks.teaching_panel import TeachingPanel

BEAT_S = 0.005
IDLE = f"""
import sys, threading
from time import perf_counter, sleep
end, longest, last = threading.Event(), 0.0, perf_counter()
threading.Thread(target=lambda: (sys.stdin.read(), end.set()), daemon=True).start()
while not end.is_set():
    sleep({BEAT_S})
    now = perf_counter()
    longest, last = max(longest, now - last), now
print(longest)
"""


class Heartbeat:
    """Gaps between the beats of the window's timer, longest first."""

    def __init__(self) -> None:
        self.gaps: list[float] = []
        self._last = perf_counter()
        self._timer = QTimer(interval=int(BEAT_S * 1000))
        self._timer.timeout.connect(self._beat)
        self._timer.start()

    def _beat(self) -> None:
        now = perf_counter()
        self.gaps.append(now - self._last)
        self._last = now

    def watch(self, name: str, until: Callable[[], bool]) -> None:
        """Let the window live until something is so, and print the longest gaps meanwhile."""
        idle = subprocess.Popen(
            [sys.executable, "-c", IDLE], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.gaps.clear()
        begun = self._last = perf_counter()
        while not until():
            QApplication.processEvents()
            sleep(0.001)
        seconds = perf_counter() - begun
        gaps = ", ".join(f"{gap:.3f}" for gap in sorted(self.gaps, reverse=True)[:5])
        waited = float(idle.communicate()[0])
        print(f"{name:26s} {seconds:6.1f} s; window {gaps}; idle process {waited:.3f}", flush=True)

    def rest(self, name: str, seconds: float) -> None:
        """Watch the window while nothing runs in its docks."""
        ready = perf_counter() + seconds
        self.watch(name, lambda: perf_counter() > ready)


def learn(heartbeat: Heartbeat, panel: TeachingPanel, name: str, **settings: float) -> None:
    """Run the training of a dock with some settings."""
    for setting, value in settings.items():
        panel.form.set_value(setting, value)
    control = panel.control
    control.button.click()
    heartbeat.watch(
        f"{name}: imports",
        lambda: control.job is None or control.progress.maximum() > 0 < control.progress.value(),
    )
    heartbeat.watch(f"{name}: steps", lambda: control.job is None)
    print(control.status.text())


def pick(heartbeat: Heartbeat, panel: PredictPanel) -> None:
    """Predict all micrographs."""
    control = panel.control
    panel.scope.setCurrentIndex(1)
    control.button.click()
    heartbeat.watch(
        "prediction: first",
        lambda: (
            control.job is None
            or (panel.picks_layer() is not None and control.progress.value() > 0)
        ),
    )
    heartbeat.watch("prediction: others", lambda: control.job is None)
    print(control.status.text())


def open_micrographs(viewer: napari.Viewer, folder: str) -> list[Path]:
    """Those of a folder, or simulated ones."""
    if folder:
        viewer.open(folder, plugin="napari-cryopick")
    else:
        viewer.open_sample("napari-cryopick", "simulated")
    return list(viewer.layers[0].metadata["cryopick"].paths)


def main(
    micrographs: str = "",
    picks: str = "",
    diameter: float = 160.0,
    clicks: int = 10,
    steps: int = 100,
    rounds: int = 1,
) -> None:
    """Train on a few clicks, self-train, and predict all, in a real window.

    Parameters
    ----------
    micrographs, picks
        A folder and a file of picks; simulated ones by default.
    diameter
        Particle diameter in Å.
    clicks, steps
        How many picks to train on, and for how long; a round of self-training takes as long.
    rounds
        How many rounds of self-training to take, which are all kept.
    """
    viewer = napari.Viewer()
    heartbeat = Heartbeat()
    paths = open_micrographs(viewer, micrographs)
    train, self_train, predict = (
        viewer.window.add_plugin_dock_widget("napari-cryopick", name)[1]
        for name in ("Train", "Self-train", "Predict particles")
    )
    heartbeat.rest("nothing", 3)
    truth = match_picks(read_picks(picks or paths[0].parents[1] / "particles.star"), paths)
    index = next(i for i, path in enumerate(paths) if path in truth)
    layer = train.begin_picks()
    layer.add([(index, *position) for position in truth[paths[index]].positions[:clicks]])
    self_train.begin_picks()
    heartbeat.rest("clicks", 4)
    usual = {"diameter_angstrom": diameter, "steps": steps}
    more = {"rounds": rounds, "round_steps": steps, "always_accept": True}
    with TemporaryDirectory() as folder:
        for panel in (train, self_train):
            panel.folder.setText(folder)
        learn(heartbeat, train, "training", **usual)
        learn(heartbeat, self_train, "self-training", **usual, **more)
        heartbeat.rest("self-training: outcomes", 4)
        pick(heartbeat, predict)
    viewer.close()


if __name__ == "__main__":
    run(main)
