"""How long the window stands still while jobs run in its docks: `python benchmarks/freeze.py`.

A timer beats in the window, and another in an idle process: what the idle process waits for is
the machine's doing. The goal is 0.1 s in the window of an otherwise quiet machine.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from tempfile import TemporaryDirectory
from time import perf_counter, sleep

import napari
from cyclopts import run
from qtpy.QtCore import QTimer
from qtpy.QtWidgets import QApplication

from napari_cryopick.io import match_picks, read_picks

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
        print(f"{name:24s} {seconds:6.1f} s; window {gaps}; idle process {waited:.3f}", flush=True)


def main(
    micrographs: str = "",
    picks: str = "",
    diameter: float = 160.0,
    clicks: int = 10,
    steps: int = 100,
) -> None:
    """Train on a few clicks and predict all, in a real window.

    Parameters
    ----------
    micrographs, picks
        A folder and a file of picks; simulated ones by default.
    diameter
        Particle diameter in Å.
    clicks, steps
        How many picks to train on, and for how long.
    """
    viewer = napari.Viewer()
    heartbeat = Heartbeat()
    if micrographs:
        viewer.open(micrographs, plugin="napari-cryopick")
    else:
        viewer.open_sample("napari-cryopick", "simulated")
    _, train = viewer.window.add_plugin_dock_widget("napari-cryopick", "Train")
    _, predict = viewer.window.add_plugin_dock_widget("napari-cryopick", "Predict particles")
    ready = perf_counter() + 3
    heartbeat.watch("nothing", lambda: perf_counter() > ready)
    paths = viewer.layers[0].metadata["cryopick"].paths
    truth = match_picks(read_picks(picks or paths[0].parents[1] / "particles.star"), paths)
    index = next(i for i, path in enumerate(paths) if path in truth)
    train.form.set_value("diameter_angstrom", diameter)
    layer = train.begin_picks()
    layer.add([(index, *position) for position in truth[paths[index]].positions[:clicks]])
    train.form.set_value("steps", steps)
    ready = perf_counter() + 4
    heartbeat.watch("clicks", lambda: perf_counter() > ready)
    with TemporaryDirectory() as folder:
        train.folder.setText(folder)
        train.control.button.click()
        heartbeat.watch(
            "training: imports",
            lambda: (
                train.control.job is None
                or (train.control.progress.maximum() > 0 < train.control.progress.value())
            ),
        )
        heartbeat.watch("training: steps", lambda: train.control.job is None)
        print(train.control.status.text())
        predict.scope.setCurrentIndex(1)
        predict.control.button.click()
        heartbeat.watch(
            "prediction: first",
            lambda: (
                (predict.picks_layer() is not None and predict.control.progress.value() > 0)
                or predict.control.job is None
            ),
        )
        heartbeat.watch("prediction: others", lambda: predict.control.job is None)
        print(predict.control.status.text())
    viewer.close()


if __name__ == "__main__":
    run(main)
