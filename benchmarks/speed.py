"""Measure how long a 4096 x 4096 micrograph takes from file to picks, and how much memory.

    python benchmarks/speed.py [--diameter-px 110] [--architecture compact]

Needs no data: the micrograph is noise, the network has random weights and is loaded before the
clock starts. Prints the median and range of seven runs, and the peak memory of the whole process.
"""

from __future__ import annotations

import argparse
import resource
import tempfile
from pathlib import Path
from time import perf_counter

import mrcfile
import numpy as np

from napari_cryopick.detection import PredictSettings
from napari_cryopick.detection.predict import predict
from napari_cryopick.io import read_micrograph
from napari_cryopick.model.card import ModelCard
from napari_cryopick.model.unet import ARCHITECTURES, PARTICLE_PX
from napari_cryopick.model.weights import Model

EDGE_PX = 4096
RUNS = 7


def main() -> None:
    """Print the median and range of seven runs."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--diameter-px", type=float, default=110)
    parser.add_argument("--architecture", choices=ARCHITECTURES, default="compact")
    given = parser.parse_args()
    network = ARCHITECTURES[given.architecture]().eval()
    model = Model(network, ModelCard(architecture=given.architecture, particle_px=PARTICLE_PX))
    settings = PredictSettings(diameter_angstrom=given.diameter_px * 1.5)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "micrograph.mrc"
        pixels = np.random.default_rng(0).normal(100, 20, (EDGE_PX, EDGE_PX)).astype(np.float32)
        mrcfile.write(path, pixels, voxel_size=1.5)
        del pixels
        seconds = []
        for _ in range(RUNS):
            started = perf_counter()
            predict(model, read_micrograph(path), settings)
            seconds.append(perf_counter() - started)
    peak_gigabytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(
        f"particle of {given.diameter_px:g} px, {given.architecture}: {np.median(seconds):.2f} s "
        f"({min(seconds):.2f}–{max(seconds):.2f}), peak memory {peak_gigabytes:.2f} GB"
    )


if __name__ == "__main__":
    main()
