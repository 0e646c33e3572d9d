"""Measure what limits the figures: labels that leave particles out, and noise.

    python benchmarks/limits.py DATA [--model general]

DATA holds `beta_galactosidase/` (EMPIAR-10017) and `apoferritin_single_frame/` (single frames of
EMPIAR-10146); README.md says where to get them.

* β-galactosidase: how near to the edges labels come, which share of the surest picks is labelled,
  and F1 with and without a border as wide as that of the labels. If even the surest picks are often
  unlabelled, it is the labels that limit precision.
* Single frames: each micrograph, whitened, is correlated with the rotationally averaged mean
  particle of all the others, the best linear detector of a round particle in such noise. It knows
  the labels, which no picker without a click does. Peaks in pure noise, smoothed likewise, say what
  chance reaches.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import fft
from scipy.ndimage import gaussian_filter
from scipy.special import expit
from sets import (
    GALACTOSIDASE,
    GALACTOSIDASE_BORDER,
    SINGLE_FRAMES,
    LabelledSet,
    parser,
    predictions,
    score,
)

from napari_cryopick.detection.peaks import find_peaks
from napari_cryopick.imaging.prepare import Rescaling, prepare
from napari_cryopick.io import read_header, read_micrograph
from napari_cryopick.metrics.matching import match
from napari_cryopick.model.unet import PARTICLE_PX
from napari_cryopick.picks import Picks, Status

RANKS = (0.1, 0.25, 0.5, 0.75, 1.0)
"""Numbers of picks, over that of labels."""

REACH_PX = 22
"""Radius of the mean particle: one diameter at the network's scale, with its rings."""


def label_border(labelled: LabelledSet, data: Path) -> float:
    """Return how near to an edge labels come, in diameters."""
    distances = [
        np.minimum(picks.positions, np.subtract(read_header(path).shape, 1) - picks.positions).min()
        for path, picks in labelled.truth(data).items()
    ]
    return float(min(distances)) / labelled.diameter_px


def purity(labelled: LabelledSet, data: Path, found: dict[Path, Picks]) -> list[float]:
    """Return which share of the surest picks is labelled, for each number of picks in `RANKS`."""
    truth = labelled.truth(data)
    scores, hits = [], []
    for path, picks in found.items():
        usable = picks.with_status(Status.OK)
        hit = np.zeros(len(usable), bool)
        pairs = match(
            usable.positions, truth[path].positions, labelled.diameter_px / 2, usable.scores
        )
        hit[pairs.found] = True
        scores.append(usable.scores)
        hits.append(hit)
    ranked = np.concatenate(hits)[np.argsort(-np.concatenate(scores))]
    labels = sum(map(len, truth.values()))
    return [float(ranked[: round(share * labels)].mean()) for share in RANKS]


def limit_by_labels(labelled: LabelledSet, data: Path, model: str) -> None:
    """Print how labels limit precision."""
    print(f"Labels keep {label_border(labelled, data):.2f} diameters from the edges.")
    print(f"Labelled among the best {', '.join(map(str, RANKS))} times as many picks as labels:")
    for title, border in (("model's border", None), ("labels' border", GALACTOSIDASE_BORDER)):
        micrographs = labelled.micrographs(data)
        found, threshold = predictions(labelled, micrographs, model, border=border)
        scores = score(labelled, data, found, threshold)
        shares = ", ".join(f"{share:.3f}" for share in purity(labelled, data, found))
        print(f"{title}: {shares}; F1 {scores.macro.f1:.3f}, at best {scores.best_f1:.3f}")


class Prepared:
    """A micrograph as a network sees it, and where its particles are."""

    def __init__(self, path: Path, labelled: LabelledSet, truth: Picks) -> None:
        micrograph = read_micrograph(path, labelled.pixel_size_angstrom)
        image, self.rescaling, _ = prepare(micrograph, labelled.diameter_angstrom, PARTICLE_PX)
        self.image: NDArray = image.numpy()
        self.centres = np.rint(self.rescaling.to_network(truth.positions)).astype(int)

    def windows(self) -> Iterable[NDArray]:
        """Yield the surroundings of each particle that is far enough from the edges."""
        to_end = np.array(self.image.shape) - self.centres
        inside = ((self.centres >= REACH_PX) & (to_end > REACH_PX)).all(axis=1)
        for y, x in self.centres[inside]:
            yield self.image[y - REACH_PX : y + REACH_PX + 1, x - REACH_PX : x + REACH_PX + 1]


def mean_particle(micrographs: Iterable[Prepared]) -> NDArray:
    """Return the rotationally averaged mean of all particles, zero beyond `REACH_PX`."""
    mean = np.mean([window for one in micrographs for window in one.windows()], axis=0)
    radius = np.hypot(*np.mgrid[-REACH_PX : REACH_PX + 1, -REACH_PX : REACH_PX + 1])
    profile = ring_means(mean, np.rint(radius).astype(int))
    averaged = np.interp(radius, np.arange(len(profile)), profile - profile[REACH_PX])
    return np.where(radius < REACH_PX, averaged, 0.0)


def correlate(image: NDArray, particle: NDArray) -> NDArray:
    """Return the correlation of a whitened image with a particle, in standard deviations."""
    kernel = np.zeros_like(image)
    kernel[: len(particle), : len(particle)] = particle
    kernel = np.roll(kernel, (-REACH_PX, -REACH_PX), axis=(0, 1))
    spectrum = fft.rfft2(image)
    h, w = image.shape
    ring = np.rint(200 * np.hypot(fft.fftfreq(h)[:, None], fft.rfftfreq(w))).astype(int)
    power = ring_means(np.abs(spectrum) ** 2, ring)[ring]
    correlation = fft.irfft2(spectrum * np.conj(fft.rfft2(kernel)) / power, image.shape)
    return np.asarray(correlation / correlation.std())


def ring_means(values: NDArray, ring: NDArray) -> NDArray:
    """Return the mean of each ring, by its number."""
    return np.asarray(np.bincount(ring.ravel(), values.ravel()) / np.bincount(ring.ravel()))


def peaks(correlation: NDArray, rescaling: Rescaling) -> Picks:
    """Return peaks found as those of a network are."""
    found, heights = find_peaks(expit(correlation - 4), PARTICLE_PX / 2, PARTICLE_PX / 20)
    return Picks.at(rescaling.to_micrograph(found), heights)


def limit_by_noise(labelled: LabelledSet, data: Path) -> None:
    """Print what a matched filter and pure noise reach."""
    truth = labelled.truth(data)
    ready = {path: Prepared(path, labelled, picks) for path, picks in truth.items()}
    rng = np.random.default_rng(0)

    def matched(path: Path) -> NDArray:
        others = [one for other, one in ready.items() if other != path]
        return correlate(ready[path].image, mean_particle(others))

    def noise(path: Path) -> NDArray:
        smooth = gaussian_filter(rng.normal(size=ready[path].image.shape), PARTICLE_PX / 7)
        return np.asarray(smooth / smooth.std())

    detectors: dict[str, Callable[[Path], NDArray]] = {"matched filter": matched, "noise": noise}
    for name, detect in detectors.items():
        found = {path: peaks(detect(path), one.rescaling) for path, one in ready.items()}
        scores = score(labelled, data, found, None)
        print(f"{name}: AP {scores.average_precision:.3f}, F1 at best {scores.best_f1:.3f}")


def main() -> None:
    """Print both limits."""
    arguments = parser(__doc__.splitlines()[0])
    arguments.add_argument("--model", default="general")
    given = arguments.parse_args()
    limit_by_labels(GALACTOSIDASE, given.data, given.model)
    limit_by_noise(SINGLE_FRAMES, given.data)


if __name__ == "__main__":
    main()
