"""How well can particles be found at all, knowing what they look like? A line to hold pickers to.

    python benchmarks/matched_filter.py ../shared/data/apoferritin_single_frame --diameter 126 \
        --pixel-size 1.5

Correlates each micrograph, whitened, with the mean particle of all the others, turned around its
centre: of noise like this, the best linear detector of a round particle. It knows the labels, which
no picker without a click does. Prints its average precision and F1 at the best threshold, and those
of peaks in pure noise, smoothed likewise, which hit a crowd of particles by chance.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import fft
from scipy.ndimage import gaussian_filter
from scipy.special import expit

from napari_cryopick.detection.peaks import find_peaks
from napari_cryopick.imaging.prepare import Rescaling, prepare
from napari_cryopick.io import find_micrographs, match_picks, read_micrograph, read_picks
from napari_cryopick.metrics.particles import ParticleScores, score_particles
from napari_cryopick.model.unet import PARTICLE_PX
from napari_cryopick.picks import Picks

REACH_PX = 22
"""Radius of the mean particle: one diameter, with its rings."""


class Prepared:
    """A micrograph as a network sees it, and where its particles are."""

    def __init__(self, path: Path, truth: Picks, pixel_size: float, diameter: float) -> None:
        micrograph = read_micrograph(path, pixel_size)
        image, self.rescaling = prepare(micrograph, diameter, PARTICLE_PX)
        self.image: NDArray = image.numpy()
        self.centres = np.rint(self.rescaling.to_network(truth.positions)).astype(int)

    def windows(self) -> Iterable[NDArray]:
        """Around each particle that is far enough from the edges."""
        to_end = np.array(self.image.shape) - self.centres
        inside = ((self.centres >= REACH_PX) & (to_end > REACH_PX)).all(axis=1)
        for y, x in self.centres[inside]:
            yield self.image[y - REACH_PX : y + REACH_PX + 1, x - REACH_PX : x + REACH_PX + 1]


def mean_particle(micrographs: Iterable[Prepared]) -> NDArray:
    """Of all of them, turned around its centre, and zero beyond."""
    mean = np.mean([window for one in micrographs for window in one.windows()], axis=0)
    radius = np.hypot(*np.mgrid[-REACH_PX : REACH_PX + 1, -REACH_PX : REACH_PX + 1])
    ring = np.rint(radius).astype(int)
    profile = _ring_means(mean, ring)
    turned = np.interp(radius, np.arange(len(profile)), profile - profile[REACH_PX])
    return np.where(radius < REACH_PX, turned, 0.0)


def correlate(image: NDArray, particle: NDArray) -> NDArray:
    """A whitened image with a particle, in units of the standard deviation."""
    kernel = np.zeros_like(image)
    kernel[: len(particle), : len(particle)] = particle
    kernel = np.roll(kernel, (-REACH_PX, -REACH_PX), axis=(0, 1))
    spectrum = fft.rfft2(image)
    h, w = image.shape
    ring = np.rint(200 * np.hypot(fft.fftfreq(h)[:, None], fft.rfftfreq(w))).astype(int)
    power = _ring_means(np.abs(spectrum) ** 2, ring)[ring]
    matched = spectrum * np.conj(fft.rfft2(kernel)) / power
    correlation = fft.irfft2(matched, image.shape)
    return np.asarray(correlation / correlation.std())


def _ring_means(values: NDArray, ring: NDArray) -> NDArray:
    """Over all places of each ring, by its number."""
    return np.asarray(np.bincount(ring.ravel(), values.ravel()) / np.bincount(ring.ravel()))


def peaks(correlation: NDArray, rescaling: Rescaling) -> Picks:
    """Found as those of a network are."""
    found, heights = find_peaks(expit(correlation - 4), PARTICLE_PX / 2, PARTICLE_PX / 20)
    return Picks.at(rescaling.to_micrograph(found), heights)


def noise(image: NDArray, rng: np.random.Generator) -> NDArray:
    """With no more in it than a correlation has where nothing is."""
    smooth = gaussian_filter(rng.normal(size=image.shape), PARTICLE_PX / 7)
    return np.asarray(smooth / smooth.std())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path, help="folder with micrographs/ and particles.star")
    parser.add_argument("--diameter", type=float, required=True)
    parser.add_argument("--pixel-size", type=float, required=True)
    given = parser.parse_args()
    paths = find_micrographs([given.data / "micrographs"])
    truth = match_picks(read_picks(given.data / "particles.star"), paths)
    ready = {path: Prepared(path, truth[path], given.pixel_size, given.diameter) for path in paths}
    rng = np.random.default_rng(0)

    def score(name: str, look: Callable[[Path], NDArray]) -> None:
        found = {path: peaks(look(path), one.rescaling) for path, one in ready.items()}
        scores: ParticleScores = score_particles(found, truth, given.diameter / given.pixel_size)
        print(
            f"{name}: average precision {scores.average_precision:.3f}, "
            f"F1 at the best threshold {scores.best_f1:.3f}"
        )

    def matched(path: Path) -> NDArray:
        others = [one for other, one in ready.items() if other != path]
        return correlate(ready[path].image, mean_particle(others))

    score("matched filter", matched)
    score("noise", lambda path: noise(ready[path].image, rng))


if __name__ == "__main__":
    main()
