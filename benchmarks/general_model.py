"""Measure how well the general model picks proteins it has never seen, without a click.

    python benchmarks/general_model.py DATA [--model general] [--quick] [--record] [--json FILE]

DATA holds `apoferritin/` (EMPIAR-10146), `apoferritin_single_frame/`, `beta_galactosidase/`
(EMPIAR-10017), `t20s_proteasome/`, `quality_examples/` and `contamination/`; README.md says where
to get them. F1 is the mean over micrographs (macro) at the model's own threshold, with the diameter
given and with one a fifth too small or too large; then picks on fields without particles.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import mrcfile
import numpy as np
from sets import (
    APOFERRITIN,
    CONSENSUS,
    GALACTOSIDASE,
    GALACTOSIDASE_BORDER,
    SINGLE_FRAMES,
    T20S,
    T20S_CERTAIN,
    LabelledSet,
    parser,
    predictions,
    score,
    write_json,
)

from napari_cryopick.io import read_header
from napari_cryopick.model.registry import find_model, load_model
from napari_cryopick.model.weights import Model, save_weights
from napari_cryopick.picks import Picks, Status

SETS: dict[str, tuple[LabelledSet, float | None]] = {
    "apoferritin, first person": (APOFERRITIN, None),
    "apoferritin, two people agree": (CONSENSUS, None),
    "T20S": (T20S, None),
    "T20S, uncertain ignored": (T20S_CERTAIN, None),
    "β-galactosidase": (GALACTOSIDASE, None),
    "β-galactosidase, away from edges": (GALACTOSIDASE, GALACTOSIDASE_BORDER),
    "apoferritin, single frames": (SINGLE_FRAMES, None),
}
STRETCHES = (1.0, 0.8, 1.2)
EMPTY = ("3Empty_no_ice", "4Crystalline_ice", "5Empty_ice_no_particles_but_vitreous_ice")
COLUMNS = {
    "F1": "f1",
    "precision": "precision",
    "recall": "recall",
    "micro F1": "micro_f1",
    "best F1": "best_f1",
    "AP": "average_precision",
    "ECE": "calibration_error",
    "ECE of kept": "calibration_error_of_kept",
}


def measure(
    labelled: LabelledSet, data: Path, model: str, stretch: float, border: float | None
) -> dict[str, float]:
    """Return the figures of one set with one diameter."""
    found, threshold = predictions(labelled, labelled.micrographs(data), model, stretch, border)
    at_threshold = score(labelled, data, found, threshold)
    return {
        "f1": at_threshold.macro.f1,
        "precision": at_threshold.macro.precision,
        "recall": at_threshold.macro.recall,
        "micro_f1": at_threshold.micro.f1,
        "best_f1": at_threshold.best_f1,
        "average_precision": at_threshold.average_precision,
        "calibration_error": score(labelled, data, found, None).calibration_error,
        "calibration_error_of_kept": at_threshold.calibration_error,
    }


def kept(path: Path, width_px: float, model: str) -> Picks:
    """Return the picks of one micrograph as if its particles were so wide."""
    found, threshold = predictions(LabelledSet("", width_px, 1.0), [path], model)
    picks = found[path]
    return picks[picks.scores >= threshold].with_status(Status.OK)


def picks_on_nothing(data: Path, model: str) -> Iterator[tuple[str, str, list[int]]]:
    """Yield how many picks a field without particles gets, a 16th and a 28th of it wide."""
    for kind in EMPTY:
        for path in sorted((data / "quality_examples" / kind).glob("*.png")):
            edge = max(read_header(path).shape)
            yield kind, path.name, [len(kept(path, edge / parts, model)) for parts in (16, 28)]


def picks_on_ice(data: Path, model: str) -> int:
    """Return how many picks lie on the ice ball, with particles 40 and 60 pixels wide."""
    folder = data / "contamination"
    mask = mrcfile.read(folder / "Ucsf_stack_1142_DW_mask.mrc") > 0.5
    total = 0
    for width_px in (40.0, 60.0):
        picks = kept(folder / "Ucsf_stack_1142_DW.mrc", width_px, model)
        y, x = np.rint(picks.positions).astype(int).T
        total += int(mask[y, x].sum())
    return total


def record(rows: list[dict[str, Any]], model: str) -> None:
    """Write F1 with the diameter given into the model's card, as figures of development."""
    file = find_model(model)
    measured = load_model(file)
    development = {row["set"]: round(row["f1"], 3) for row in rows if row["stretch"] == 1}
    card = measured.card.model_copy(update={"development": development})
    save_weights(file, Model(measured.network, card))


def main() -> None:
    """Print a Markdown table of all sets, then the picks on fields without particles."""
    arguments = parser(__doc__.splitlines()[0])
    arguments.add_argument("--model", default="general")
    arguments.add_argument("--quick", action="store_true", help="the given diameter alone")
    arguments.add_argument("--record", action="store_true", help="write F1 into the model's card")
    arguments.add_argument("--json", type=Path, help="write the figures to this file, too")
    given = arguments.parse_args()
    print(f"| set | diameter | {' | '.join(COLUMNS)} |\n|---|---{'|---' * len(COLUMNS)}|")
    rows: list[dict[str, Any]] = []
    for name, (labelled, border) in SETS.items():
        for stretch in STRETCHES[:1] if given.quick else STRETCHES:
            figures = measure(labelled, given.data, given.model, stretch, border)
            rows.append({"set": name, "stretch": stretch, **figures})
            cells = " | ".join(f"{figures[key]:.3f}" for key in COLUMNS.values())
            print(f"| {name} | x {stretch:g} | {cells} |", flush=True)
    empty = list(picks_on_nothing(given.data, given.model))
    for kind, file, counts in empty:
        print(f"{kind}, {file}: {counts[0]} and {counts[1]} picks")
    on_ice = picks_on_ice(given.data, given.model)
    print(f"Picks on the ice ball: {on_ice}")
    if given.record:
        record(rows, given.model)
    write_json(given.json, {"sets": rows, "empty": empty, "on ice": on_ice})


if __name__ == "__main__":
    main()
