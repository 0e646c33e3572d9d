"""Measure how much two trainings at once slow each other down, through the terminal.

    python benchmarks/two_trainings.py [--steps 60] [--repeats 1]

Needs no data: it simulates micrographs. Trains alone, then twice at the same time, each in a
process whose environment does not say how OpenMP's threads wait, nor how many there are. Two that
share the processor without loss take 2.0 times as long as one; the goal is 2.2 times, for each.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter

import numpy as np

from napari_cryopick.simulation.simulate import simulate_example

SET_BY_USERS = ("OMP_", "GOMP_", "KMP_", "MKL_")
COMMAND = "import sys; from napari_cryopick.cli.main import main; sys.exit(main())"


def train(data: Path, steps: int) -> float:
    """Train in a process of its own, and return how many seconds it took."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith(SET_BY_USERS)}
    with TemporaryDirectory() as folder:
        inputs = [str(data / "micrographs"), "--picks", str(data / "particles.star")]
        how = ["--diameter", "160", "--steps", str(steps), "--output", f"{folder}/run"]
        command = [sys.executable, "-c", COMMAND, "train", *inputs, *how]
        begun = perf_counter()
        subprocess.run(command, env=environment, check=True, capture_output=True)
        return perf_counter() - begun


def main() -> None:
    """Print how long a training takes alone and beside another, and the ratio."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, default=60)
    parser.add_argument("--repeats", type=int, default=1)
    given = parser.parse_args()
    alone, together = [], []
    with TemporaryDirectory() as folder, ThreadPoolExecutor(2) as at_once:
        data = Path(folder)
        simulate_example(data, count=3, shape=(1024, 1024))
        for _ in range(given.repeats):
            alone.append(train(data, given.steps))
            together.append([*at_once.map(train, [data] * 2, [given.steps] * 2)])
            print(f"alone {alone[-1]:.1f} s, two at once", *(f"{s:.1f} s" for s in together[-1]))
    ratios = np.array(together) / np.array(alone)[:, None]
    print(f"each of two takes {np.median(ratios):.2f} times as long as one alone (goal 2.2)")


if __name__ == "__main__":
    main()
