"""How well does the general model pick proteins that it has never seen, without a click?

    python benchmarks/general_model.py ../shared/data [--model general] [--quick] [--record]

Real micrographs alone: F1 at the model's own threshold with the diameter given, and with one that
is a fifth too small or too large; calibration; picks on micrographs without particles and on ice.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import mrcfile
import numpy as np

from napari_cryopick.detection.predict import predict
from napari_cryopick.detection.settings import PredictSettings
from napari_cryopick.io import find_micrographs, match_picks, read_micrograph, read_picks
from napari_cryopick.metrics.particles import score_particles
from napari_cryopick.micrograph import Micrograph
from napari_cryopick.model.registry import find_model, load_model
from napari_cryopick.model.weights import Model, save_weights
from napari_cryopick.picks import Picks, Status

STRETCHES = (1.0, 0.8, 1.2)
EMPTY = ("3Empty_no_ice", "4Crystalline_ice", "5Empty_ice_no_particles_but_vitreous_ice")


@dataclass(frozen=True)
class Protein:
    """A folder of micrographs with labels; `border` is where nobody has labelled, in diameters."""

    folder: str
    diameter_angstrom: float
    pixel_size_angstrom: float
    border: float | None = None


PROTEINS = {
    "apoferritin": Protein("apoferritin", 126, 1.5),
    "apoferritin, single frames": Protein("apoferritin_single_frame", 126, 1.5),
    "β-galactosidase": Protein("beta_galactosidase", 191, 1.77),
    "β-galactosidase, where people label": Protein("beta_galactosidase", 191, 1.77, 1.15),
}


@dataclass(frozen=True)
class Figures:
    """Of one protein with one diameter."""

    protein: str
    stretch: float
    f1: float
    precision: float
    recall: float
    best_f1: float
    average_precision: float
    calibration_error: float
    calibration_error_of_kept: float


def measure(name: str, protein: Protein, stretch: float, model: Model, data: Path) -> Figures:
    """Pick all micrographs of a protein, and hold the picks against its labels."""
    paths = find_micrographs([data / protein.folder / "micrographs"])
    truth = match_picks(read_picks(data / protein.folder / "particles.star"), paths)
    settings = PredictSettings(
        diameter_angstrom=protein.diameter_angstrom * stretch,
        pixel_size_angstrom=protein.pixel_size_angstrom,
        border=protein.border and protein.border / stretch,
    )
    found: dict[Path, Picks] = {}
    for path in paths:
        micrograph = read_micrograph(path, protein.pixel_size_angstrom)
        found[path], _ = predict(model, micrograph, settings)
    diameter_px = protein.diameter_angstrom / protein.pixel_size_angstrom
    scores = score_particles(found, truth, diameter_px, threshold=model.card.threshold)
    kept = {path: picks[picks.scores >= model.card.threshold] for path, picks in found.items()}
    return Figures(
        name,
        stretch,
        scores.macro.f1,
        scores.macro.precision,
        scores.macro.recall,
        scores.best_f1,
        scores.average_precision,
        score_particles(found, truth, diameter_px).calibration_error,
        score_particles(kept, truth, diameter_px).calibration_error,
    )


def picks_on_nothing(model: Model, data: Path) -> Iterator[tuple[str, str, list[int]]]:
    """Picks on micrographs without particles, each as if particles were a 16th or 28th as wide."""
    for kind in EMPTY:
        for path in sorted((data / "quality_examples" / kind).glob("*.png")):
            micrograph = read_micrograph(path, 1.0)
            widths = [max(micrograph.shape) / parts for parts in (16, 28)]
            yield kind, path.name, [_good(model, micrograph, width) for width in widths]


def picks_on_ice(model: Model, data: Path) -> int:
    """Good picks on the ice ball."""
    folder = data / "contamination"
    micrograph = read_micrograph(folder / "Ucsf_stack_1142_DW.mrc", 1.0)
    mask = mrcfile.read(folder / "Ucsf_stack_1142_DW_mask.mrc") > 0.5
    total = 0
    for width in (40.0, 60.0):
        picks = _kept(model, micrograph, width)
        y, x = np.rint(picks.positions).astype(int).T
        total += int(mask[y, x].sum())
    return total


def _kept(model: Model, micrograph: Micrograph, width: float) -> Picks:
    picks, _ = predict(model, micrograph, PredictSettings(diameter_angstrom=width))
    return picks[picks.scores >= model.card.threshold].with_status(Status.OK)


def _good(model: Model, micrograph: Micrograph, width: float) -> int:
    return len(_kept(model, micrograph, width))


def table(rows: Sequence[Figures]) -> str:
    """As Markdown."""
    lines = [
        "| protein | diameter | F1 | precision | recall | best F1 | AP | ECE, of kept |",
        "|---" * 8 + "|",
    ]
    lines += [
        f"| {row.protein} | x {row.stretch:g} | {row.f1:.3f} | {row.precision:.3f} "
        f"| {row.recall:.3f} | {row.best_f1:.3f} | {row.average_precision:.3f} "
        f"| {row.calibration_error:.3f}, {row.calibration_error_of_kept:.3f} |"
        for row in rows
    ]
    return "\n".join(lines)


def record(rows: Sequence[Figures], file: Path) -> None:
    """Write F1 with the diameter given into the card of a model."""
    model = load_model(file)
    measured = {row.protein: round(row.f1, 3) for row in rows if row.stretch == 1}
    card = model.card.model_copy(update={"development": {**model.card.development, **measured}})
    save_weights(file, Model(model.network, card))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("--model", default="general")
    parser.add_argument("--quick", action="store_true", help="the given diameter alone")
    parser.add_argument("--record", action="store_true", help="write F1 into the model's card")
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    model = load_model(arguments.model)
    rows = [
        measure(name, protein, stretch, model, arguments.data)
        for name, protein in PROTEINS.items()
        for stretch in (STRETCHES[:1] if arguments.quick else STRETCHES)
    ]
    print(table(rows))
    nothing = list(picks_on_nothing(model, arguments.data))
    for kind, name, counts in nothing:
        print(f"{kind}, {name}: {counts[0]} and {counts[1]} picks")
    on_ice = picks_on_ice(model, arguments.data)
    print(f"Picks on the ice ball: {on_ice}")
    if arguments.record:
        record(rows, find_model(arguments.model))
    if arguments.json:
        figures = {"proteins": [asdict(row) for row in rows], "empty": nothing, "on ice": on_ice}
        arguments.json.write_text(json.dumps(figures, indent=2))


if __name__ == "__main__":
    main()
