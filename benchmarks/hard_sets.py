"""Simulate sets on which the general model is in doubt: small, faint, crowded or dirty.

    python benchmarks/hard_sets.py STRUCTURES OUTPUT [--only NAME]

STRUCTURES holds the atomic models named below, as `4HHB.cif.gz` and so on. Each set is a folder of
OUTPUT with eight micrographs and their true particles; `labels_to_picks.py` and `calibration.py`
take OUTPUT where they ask for such sets.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path

from sets import APOFERRITIN, GALACTOSIDASE, SINGLE_FRAMES, T20S_CERTAIN, LabelledSet

from napari_cryopick.cli.main import main as napari_cryopick


@dataclass(frozen=True)
class HardSet:
    """How a set is simulated, and how it is picked."""

    structure: str
    labelled: LabelledSet
    seed: int
    options: str


def _set(name: str, structure: str, size: tuple[float, float], seed: int, options: str) -> HardSet:
    return HardSet(structure, LabelledSet(name, *size), seed, options)


HARD_SETS = (
    _set(
        "haemoglobin", "4HHB", (68, 1.2), 3,
        "--defocus 8000 18000 --dose 40 50 --ice-thickness 250 450 --coverage 0.08 0.15",
    ),
    _set(
        "thin", "1BKS", (120, 1.2), 3,
        "--defocus 5000 10000 --dose 30 40 --ice-thickness 500 900 --coverage 0.08 0.2",
    ),
    _set(
        "crowded", "1KF6", (120, 1.5), 3,
        "--defocus 8000 20000 --dose 40 50 --coverage 0.45 0.6 --spacing 0.75 --overlapping 0.15",
    ),
    _set(
        "dirty", "5I68", (150, 1.5), 3,
        "--defocus 8000 20000 --ice-balls 5 --aggregates 4 --carbon-edges 0.6 "
        "--crystalline-ice 0.3 --fragments 0.6 --debris 25 60 --coverage 0.05 0.15",
    ),
    _set(
        "binding_protein", "3WIP", (95, 1.2), 11,
        "--defocus 6000 15000 --dose 35 50 --ice-thickness 300 500 --coverage 0.06 0.2",
    ),
    _set(
        "tubulin", "1JFF", (95, 1.1), 11,
        "--defocus 8000 20000 --dose 40 55 --ice-thickness 200 400 --coverage 0.08 0.25",
    ),
    _set(
        "nucleosome", "9BE6", (115, 1.3), 11,
        "--defocus 6000 14000 --dose 30 40 --ice-thickness 500 900 --coverage 0.1 0.2",
    ),
    _set(
        "aldolase", "1ADO", (115, 1.4), 11,
        "--defocus 7000 16000 --dose 30 45 --ice-thickness 300 700 --coverage 0.05 0.3 "
        "--fragments 0.5 --debris 15 40 --ice-balls 3",
    ),
    _set(
        "aminopeptidase", "1GYT", (130, 1.4), 11,
        "--defocus 9000 20000 --dose 40 50 --ice-thickness 250 500 --coverage 0.1 0.4",
    ),
)  # fmt: skip


REAL_SETS = APOFERRITIN, SINGLE_FRAMES, T20S_CERTAIN, GALACTOSIDASE
LABELLED_SETS = [*REAL_SETS, *(hard.labelled for hard in HARD_SETS)]


def simulate(hard: HardSet, structures: Path, output: Path) -> None:
    """Simulate one set."""
    (structure,) = structures.glob(f"{hard.structure}.*")
    size = hard.labelled.pixel_size_angstrom
    words = f"--count 8 --shape 1536 1536 --empty-micrographs 0 --seed {hard.seed}"
    options = [*words.split(), "--pixel-size", str(size), *hard.options.split()]
    folder = str(output / hard.labelled.folder)
    if napari_cryopick(["simulate", str(structure), "--output", folder, *options]):
        raise SystemExit(f"{hard.labelled.folder} could not be simulated.")


def main() -> None:
    """Simulate the sets."""
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("structures", type=Path)
    arguments.add_argument("output", type=Path)
    arguments.add_argument("--only", default="", help="part of a set's name")
    given = arguments.parse_args()
    for hard in HARD_SETS:
        if given.only in hard.labelled.folder:
            simulate(hard, given.structures, given.output)


if __name__ == "__main__":
    main()
