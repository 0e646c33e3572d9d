"""Measure 2D class averages: what classes tell of picks, and time and memory.

    python benchmarks/classification.py shares FOLDER... [--seeds 3] [--only NAME]
    python benchmarks/classification.py speed [--counts 2500 5000 10000 20000] [--classes 30]

`shares` takes folders of labelled sets and of the sets that `hard_sets.py` makes. It classifies
the general model's candidates, score above 0.1, and prints for each set: the spread of the share
of true particles between classes, its rank correlation with what `quality` expects, the mean error
of that, and the average precision and best F1 of the scores alone and with the log-odds of the
class's mean score added. `speed` needs no data: its particles are noise, which takes as long.
"""

from __future__ import annotations

import argparse
import resource
from collections.abc import Iterator, Mapping
from pathlib import Path
from time import perf_counter

import numpy as np
import torch
from hard_sets import LABELLED_SETS
from numpy.typing import NDArray
from scipy.special import expit, logit
from scipy.stats import spearmanr
from sets import LabelledSet, predictions

from napari_cryopick.classification import CANDIDATE, ClassifySettings
from napari_cryopick.classification.averaging import Stack, classify
from napari_cryopick.classification.classify import classify_micrographs
from napari_cryopick.classification.coefficients import Basis
from napari_cryopick.classification.events import Classified
from napari_cryopick.classification.quality import quality
from napari_cryopick.classification.statistics import describe
from napari_cryopick.metrics.matching import match
from napari_cryopick.picks import Picks

FEWEST = 20
"""Members of a class whose share of true particles means something."""


def candidates(labelled: LabelledSet, data: Path) -> dict[Path, Picks]:
    """Return the picks of the general model down to a low score, without the uncertain ones."""
    found, _ = predictions(labelled, labelled.micrographs(data), "general")
    ignored = labelled.to_ignore(data)
    kept = {}
    for path, picks in found.items():
        likely = picks[picks.scores >= CANDIDATE]
        others = ignored.get(path, Picks.at([])).positions
        near = match(likely.positions, others, labelled.diameter_px / 2).found
        kept[path] = likely[~np.isin(np.arange(len(likely)), near)]
    return kept


def hits(labelled: LabelledSet, data: Path, picks: Mapping[Path, Picks]) -> NDArray[np.bool_]:
    """Return which of all picks are right."""
    truth = labelled.truth(data)
    right = []
    for path, one in picks.items():
        pairs = match(one.positions, truth[path].positions, labelled.diameter_px / 2)
        right.append(np.isin(np.arange(len(one)), pairs.found))
    return np.concatenate(right)


def ranked(scores: NDArray[np.float64], right: NDArray[np.bool_]) -> str:
    """Return average precision and best F1 among the picks themselves."""
    true = np.cumsum(right[np.argsort(-scores, kind="stable")])
    precision, recall = true / np.arange(1, len(true) + 1), true / max(1, true[-1])
    area = np.sum(precision * np.diff(recall, prepend=0))
    return f"{area:.3f}, {np.max(2 * precision * recall / (precision + recall + 1e-9)):.3f}"


def row(labelled: LabelledSet, picks: Mapping[Path, Picks], right: NDArray, seed: int) -> str:
    """Classify, and return the figures as cells of a table."""
    sizes = labelled.diameter_angstrom, labelled.pixel_size_angstrom
    settings = ClassifySettings(diameter_angstrom=sizes[0], pixel_size_angstrom=sizes[1], seed=seed)
    begun = perf_counter()
    *_, last = classify_micrographs(list(picks), picks, settings)
    seconds = perf_counter() - begun
    assert isinstance(last, Classified)
    return " | ".join(_figures(last, picks, right, seconds))


def _figures(
    last: Classified, picks: Mapping[Path, Picks], right: NDArray, seconds: float
) -> Iterator[str]:
    numbers = np.concatenate([last.members[path].classes for path in picks])
    scores = np.concatenate([one.scores for one in picks.values()])
    numbers, scores, right = (each[numbers > 0] for each in (numbers, scores, right))
    counts = last.classes.members
    shares = np.bincount(numbers, right)[1:] / counts
    expected, words = quality(last.classes)
    large = counts >= FEWEST
    yield f"{len(numbers):,}, {len(counts)}: {seconds:.0f} s"
    yield f"{shares[large].min():.2f} – {shares[large].max():.2f}"
    yield f"{spearmanr(expected[large], shares[large])[0]:.2f}"
    yield f"{np.average(np.abs(expected - shares), weights=counts):.2f}"
    by_word = {word: shares[words == word] for word in ("particle", "unsure", "junk")}
    yield ", ".join(
        f"{len(each)} {word} {each.mean():.2f}" for word, each in by_word.items() if len(each)
    )
    odds = [logit(np.clip(each, 0.01, 0.99)) for each in (scores, last.classes.mean_scores)]
    refined = expit(odds[0] + odds[1][numbers - 1])
    yield f"{ranked(scores, right)}; {ranked(refined, right)}"


def print_shares(folders: list[Path], seeds: int, only: str) -> None:
    """Print a Markdown table with a row for each set that is there, and each seed."""
    print("| set | picks, classes | true share | rank | error | verdicts | AP, F1; with classes |")
    print("|---|---|---|---|---|---|---|")
    for labelled in LABELLED_SETS:
        for data in folders:
            if only in labelled.folder and (data / labelled.folder).is_dir():
                picks = candidates(labelled, data)
                right = hits(labelled, data, picks)
                for seed in range(seeds):
                    cells = row(labelled, picks, right, seed)
                    print(f"| {labelled.folder} | {cells} |", flush=True)


def print_speed(counts: list[int], classes: int) -> None:
    """Print seconds for so many particles, and the peak memory of the process."""
    basis = Basis(torch.device("cpu"))
    for count in counts:
        noise = torch.Generator().manual_seed(0)
        factors = torch.empty(count, 2 * len(basis.frequencies), dtype=torch.float16)
        for some in factors.split(10_000):
            some.copy_(torch.randn(some.shape, generator=noise))
        begun = perf_counter()
        stack = Stack(factors, basis)
        *_, last = classify(stack, basis, classes)
        averaged = perf_counter() - begun
        describe(last, np.full(count, np.nan), stack, basis, 100.0, seed=0)
        total = perf_counter() - begun
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
        print(
            f"{count:,} particles, {classes} classes: {total:.1f} s, of which statistics "
            f"{total - averaged:.1f} s; peak memory {memory:.2f} GB",
            flush=True,
        )


def main() -> None:
    """Run the part that is asked for."""
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parts = arguments.add_subparsers(dest="part", required=True)
    shares = parts.add_parser("shares")
    shares.add_argument("folders", type=Path, nargs="+")
    shares.add_argument("--seeds", type=int, default=1)
    shares.add_argument("--only", default="", help="part of a set's name")
    speed = parts.add_parser("speed")
    speed.add_argument("--counts", type=int, nargs="+", default=[2500, 5000, 10_000, 20_000])
    speed.add_argument("--classes", type=int, default=30)
    given = arguments.parse_args()
    if given.part == "speed":
        print_speed(given.counts, given.classes)
    else:
        print_shares(given.folders, given.seeds, given.only)


if __name__ == "__main__":
    main()
