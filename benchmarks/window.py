"""Measure how fast the docks open, and how long the window stands still while jobs run in them.

    python benchmarks/window.py [--steps 100] [--rounds 1]

Needs no data: it simulates micrographs. A timer ticks in the window, and another in an idle
process, which shows what the machine itself makes wait. The goals are 0.3 s for a dock, without
torch, and 0.1 s in the window of an otherwise quiet machine. Without a screen, run it under
xvfb-run.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Callable
from tempfile import TemporaryDirectory
from time import perf_counter, sleep
from typing import Any

import napari
from qtpy.QtCore import QTimer
from qtpy.QtWidgets import QApplication, QWidget

from napari_cryopick.io import match_picks, read_picks

TICK_S = 0.005
CLICKS = 10
IDLE = f"""
import sys, threading
from time import perf_counter, sleep
end, longest, last = threading.Event(), 0.0, perf_counter()
threading.Thread(target=lambda: (sys.stdin.read(), end.set()), daemon=True).start()
while not end.is_set():
    sleep({TICK_S})
    now = perf_counter()
    longest, last = max(longest, now - last), now
print(longest)
"""


class Gaps:
    """Times between the ticks of the window's timer."""

    def __init__(self) -> None:
        self._gaps: list[float] = []
        self._last = perf_counter()
        self._timer = QTimer(interval=int(TICK_S * 1000))
        self._timer.timeout.connect(self._tick)
        self._timer.start()

    def _tick(self) -> None:
        now = perf_counter()
        self._gaps.append(now - self._last)
        self._last = now

    def watch(self, name: str, until: Callable[[], bool]) -> None:
        """Let the window live until something is so, and print the longest gaps meanwhile."""
        command = [sys.executable, "-c", IDLE]
        idle = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self._gaps.clear()
        started = self._last = perf_counter()
        while not until():
            QApplication.processEvents()
            sleep(0.001)
        seconds = perf_counter() - started
        longest = ", ".join(f"{gap:.3f}" for gap in sorted(self._gaps, reverse=True)[:3])
        waited = float(idle.communicate()[0])
        print(
            f"{name:22} {seconds:6.1f} s; window {longest}; idle process {waited:.3f}", flush=True
        )

    def rest(self, name: str, seconds: float = 4) -> None:
        """Watch the window while nothing runs in its docks."""
        ready = perf_counter() + seconds
        self.watch(name, lambda: perf_counter() > ready)

    def run(self, name: str, job: Any) -> None:
        """Run the job of a dock, and watch it to its first progress and to its end."""
        job.button.click()
        progress = job.progress
        self.watch(
            f"{name}: imports",
            lambda: job.running is None or progress.maximum() > 0 < progress.value(),
        )
        self.watch(f"{name}: the rest", lambda: job.running is None)
        print(" ", job.status.text())


def open_docks(viewer: napari.Viewer) -> dict[str, Any]:
    """Open all docks, and print how long each takes beside an empty one."""

    def timed(name: str, make: Callable[[], Any]) -> Any:
        started = perf_counter()
        made = make()
        QApplication.processEvents()
        print(f"opening {name:22} {perf_counter() - started:.3f} s")
        return made

    def dock(name: str) -> Any:
        return viewer.window.add_plugin_dock_widget("napari-cryopick", name)[1]

    timed("an empty dock", lambda: viewer.window.add_dock_widget(QWidget(), name="empty"))
    docks = {
        name: timed(name, lambda name=name: dock(name))
        for name in ("Predict particles", "Train", "Self-train")
    }
    print("torch was imported" if "torch" in sys.modules else "without torch")
    return docks


def main() -> None:
    """Open all docks, then train on ten clicks, self-train and predict in a real window."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, default=100, help="of each training")
    parser.add_argument("--rounds", type=int, default=1)
    given = parser.parse_args()
    viewer = napari.Viewer()
    viewer.open_sample("napari-cryopick", "simulated")
    QApplication.processEvents()
    docks, gaps = open_docks(viewer), Gaps()
    gaps.rest("nothing")
    train, self_train = docks["Train"].parts, docks["Self-train"].parts
    paths = viewer.layers[0].metadata["cryopick"].paths
    truth = match_picks(read_picks(paths[0].parents[1] / "particles.star"), list(paths))
    layer = train.begin_picks()
    self_train.begin_picks()
    layer.add([(0, *position) for position in truth[paths[0]].positions[:CLICKS]])
    train.micrographs.diameter.value = 160
    gaps.rest("clicks")
    with TemporaryDirectory() as folder:
        for parts in (train, self_train):
            parts.folder.value = folder
            parts.form.fields["steps"].value = str(given.steps)
        self_train.form.fields["round_steps"].value = str(given.steps)
        self_train.form.fields["rounds"].value = given.rounds
        gaps.run("training", train.job)
        gaps.run("self-training", self_train.job)
        docks["Predict particles"].scope.setCurrentIndex(1)
        gaps.run("prediction", docks["Predict particles"].job)
    viewer.close()


if __name__ == "__main__":
    main()
