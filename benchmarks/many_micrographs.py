"""Measure how long a folder of many micrographs takes to open, and to step to the next one.

    python benchmarks/many_micrographs.py [--counts 1000 10000] [--picks 300] [--edge 4096]

Needs no data, but 2.2 GB on the disk for 33 files; the others are further names of these. Opens the
folder in a real window with the docks beside it, picks on every micrograph and labels on one, steps
from one to the next until it is drawn, and prints the median and the longest. The goals for 10,000
micrographs are 5 s to open them and 0.35 s to the next one. Without a screen, run it under
xvfb-run.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any

import mrcfile
import napari
import numpy as np
from qtpy.QtWidgets import QApplication

from napari_cryopick import Picks, PickSet, write_picks

STEPS = 8
FILES = 4 * STEPS + 1
"""Each is looked at once: reading from the disk counts."""

DOCKS = ("Predict particles", "Train", "Self-train")


def make_folder(folder: Path, count: int, edge: int) -> None:
    """Write some micrographs of noise, out of the computer's memory, and give them more names."""
    folder.mkdir()
    rng = np.random.default_rng(0)
    noise = rng.normal(0, 1, (edge, edge)).astype(np.float32)
    for number in range(count):
        path, first = (folder / f"m_{n:05d}.mrc" for n in (number, number % FILES))
        if number >= FILES:
            path.hardlink_to(first)
            continue
        mrcfile.write(path, (number + 1) * noise + 10 * number, voxel_size=1.2)
        with path.open("rb") as file:
            os.fsync(file.fileno())
            if hasattr(os, "posix_fadvise"):
                os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def picks_on(folder: Path, per_micrograph: int, edge: int) -> PickSet:
    """Return a model's picks on every micrograph of a folder."""
    rng = np.random.default_rng(1)
    return PickSet(
        {
            path.name: Picks.at(
                rng.uniform(0, edge, (per_micrograph, 2)), rng.random(per_micrograph), "model"
            )
            for path in folder.iterdir()
        },
        pixel_size_angstrom=1.2,
        diameter_angstrom=120,
    )


def timed(name: str, do: Callable[[], Any]) -> Any:
    """Do something until it is drawn, and print how long it took."""
    begun = perf_counter()
    done = do()
    QApplication.processEvents()
    print(f"  {name:34} {perf_counter() - begun:6.2f} s", flush=True)
    return done


def step_through(name: str, viewer: napari.Viewer, first: int) -> int:
    """Look at micrographs that were not yet read, and print how long each takes to be drawn."""
    canvas, seconds = viewer.window._qt_viewer.canvas._scene_canvas.native, []
    for index in range(first, first + STEPS):
        begun = perf_counter()
        viewer.dims.set_point(0, index)
        canvas.repaint()
        QApplication.processEvents()
        seconds.append(perf_counter() - begun)
    median, longest = np.median(seconds), max(seconds)
    print(f"  {name:34} {median:6.2f} s, {longest:.2f} s at most", flush=True)
    return first + STEPS


def measure(count: int, per_micrograph: int, edge: int, name: str) -> None:
    """Open so many micrographs and step through them, alone, with docks and with picks."""
    folder, star = Path(name) / "micrographs", Path(name) / "picks.star"
    make_folder(folder, count, edge)
    viewer = napari.Viewer()
    QApplication.processEvents()
    timed("open", lambda: viewer.open(str(folder), plugin="napari-cryopick"))
    first = step_through("next micrograph", viewer, 1)
    add_dock = viewer.window.add_plugin_dock_widget
    docks = timed("open docks", lambda: {d: add_dock("napari-cryopick", d)[1] for d in DOCKS})
    first = step_through("next micrograph, docks open", viewer, first)
    write_picks(star, picks_on(folder, per_micrograph, edge))
    timed("open picks", lambda: viewer.open(str(star), plugin="napari-cryopick"))
    first = step_through("next micrograph, with picks", viewer, first)
    labels = timed("make labels", docks["Train"].parts.begin_labels)
    timed("paint", lambda: labels.paint((first, *np.divide(labels.data.shape[1:], 2)), 1))
    step_through("next micrograph, with labels", viewer, first)
    viewer.close()
    QApplication.processEvents()


def main() -> None:
    """Measure folders of all the sizes asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--counts", type=int, nargs="+", default=[1000, 10_000])
    parser.add_argument("--picks", type=int, default=300, help="on each micrograph")
    parser.add_argument("--edge", type=int, default=4096, help="of the micrographs, in pixels")
    given = parser.parse_args()
    for count in given.counts:
        print(f"{count:,} micrographs of {given.edge} x {given.edge}, {given.picks} picks on each")
        with TemporaryDirectory() as name:
            measure(count, given.picks, given.edge, name)


if __name__ == "__main__":
    main()
