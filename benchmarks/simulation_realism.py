"""Do simulated micrographs look like real ones, to the eye and in their statistics?

    python benchmarks/simulation_realism.py ../shared/data [--output docs/images/simulated.jpg]

Draws simulated beside real micrographs of apoferritin and β-galactosidase with their radial power
spectra, and prints what pixels are like. Spectra are those of the contrast, over their mean near
the Nyquist frequency. The β-galactosidase at hand was denoised, equalised and compressed to JPEG
by others: its spectrum cannot be compared above about 1/20 Å, and its contrast not at all.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray
from scipy import fft, ndimage, stats

from napari_cryopick.io import find_micrographs, match_picks, read_micrograph, read_picks
from napari_cryopick.simulation.settings import SimulationSettings
from napari_cryopick.simulation.simulate import make_micrographs
from napari_cryopick.simulation.structures import read_structure

BINS = 120
CUT = 128
SHOWN_ANGSTROM = 1500.0
USUAL = SimulationSettings(
    count=4, ice_balls=0, aggregates=0, carbon_edges=0, crystalline_ice=0, empty_micrographs=0
)


@dataclass(frozen=True)
class Case:
    """Real micrographs, and how to simulate the like."""

    title: str
    folder: str
    model: str
    diameter_angstrom: float
    settings: SimulationSettings
    denoised: bool = False

    @property
    def pixel_size_angstrom(self) -> float:
        return self.settings.pixel_size_angstrom

    @property
    def blur_angstrom(self) -> float:
        """What simulated micrographs are smoothed by for the eye."""
        return 20.0 if self.denoised else 3.0

    @property
    def reference_angstrom(self) -> tuple[float, float]:
        """Where spectra are brought together: near the Nyquist frequency, if that is left."""
        return (150.0, 60.0) if self.denoised else (2.5 * self.pixel_size_angstrom, 0.0)


CASES = [
    Case(
        "apoferritin, average",
        "apoferritin",
        "7A4M.cif.gz",
        126,
        USUAL.model_copy(
            update={
                "shape": (1200, 1240),
                "pixel_size_angstrom": 1.5,
                "coverage": (0.5, 0.65),
                "defocus_angstrom": (10_000.0, 20_000.0),
                "debris": (14.0, 20.0),
            }
        ),
    ),
    Case(
        "apoferritin, one frame",
        "apoferritin_single_frame",
        "7A4M.cif.gz",
        126,
        USUAL.model_copy(
            update={
                "shape": (1200, 1240),
                "pixel_size_angstrom": 1.5,
                "coverage": (0.5, 0.65),
                "defocus_angstrom": (10_000.0, 20_000.0),
                "debris": (14.0, 20.0),
                "dose": (1.5, 1.5),
            }
        ),
    ),
    Case(
        "β-galactosidase",
        "beta_galactosidase",
        "5A1A.cif.gz",
        182,
        USUAL.model_copy(
            update={
                "shape": (2048, 2048),
                "pixel_size_angstrom": 1.77,
                "coverage": (0.4, 0.5),
                "defocus_angstrom": (20_000.0, 30_000.0),
                "debris": (25.0, 35.0),
                "detector": "integrating",
                "no_energy_filter": True,
            }
        ),
        denoised=True,
    ),
]


def spectrum(pixels: NDArray, pixel_size_angstrom: float) -> NDArray:
    """Radial power (BINS,) of the contrast up to the Nyquist frequency, in Å²."""
    edge = min(pixels.shape) // 2 * 2
    image = pixels[:edge, :edge].astype(float)
    image = image / image.mean() - 1
    window = np.outer(np.hanning(edge), np.hanning(edge))
    power = np.abs(fft.rfft2(image * window)) ** 2 * pixel_size_angstrom**2 / (window**2).sum()
    y, x = fft.fftfreq(edge)[:, None], fft.rfftfreq(edge)
    ring = (np.hypot(y, x) * 2 * BINS).astype(int).ravel()
    return np.bincount(ring, power.ravel())[:BINS] / np.bincount(ring)[:BINS]


def relative(spectra: Sequence[NDArray], case: Case) -> NDArray:
    """The mean of spectra, over its mean where they are brought together."""
    mean = np.exp(np.mean(np.log(spectra), axis=0))
    coarse, fine = case.reference_angstrom
    wavelength = 2 * case.pixel_size_angstrom * BINS / np.arange(0.5, BINS)
    return mean / mean[(wavelength < coarse) & (wavelength > fine)].mean()


def statistics(pixels: NDArray, pixel_size_angstrom: float) -> dict[str, float]:
    """Shape of the histogram, and how much of the contrast is coarser than 20 Å."""
    values = pixels.astype(float).ravel()
    even = pixels / ndimage.gaussian_filter(pixels.astype(float), 200 / pixel_size_angstrom)
    coarse = ndimage.gaussian_filter(even, 10 / pixel_size_angstrom)
    return {
        "spread": values.std() / values.mean(),
        "skewness": stats.skew(values),
        "kurtosis": stats.kurtosis(values),
        "coarse share": coarse.std() / even.std(),
        "coarse skewness": stats.skew(coarse.ravel()),
    }


def visibility(image: NDArray, positions: NDArray, case: Case, blur_angstrom: float) -> float:
    """How much darker particles are than what lies between them, over the spread of the latter."""
    size, diameter_px = case.pixel_size_angstrom, case.diameter_angstrom / case.pixel_size_angstrom
    even = ndimage.gaussian_filter(image.astype(float), blur_angstrom / size)
    even -= ndimage.uniform_filter(even, int(2.5 * diameter_px))
    nearest = np.round(positions).astype(int)
    nearest = nearest[np.all((nearest >= 0) & (nearest < image.shape), axis=1)]
    marked = np.ones(image.shape, bool)
    marked[tuple(nearest.T)] = False
    away = ndimage.distance_transform_edt(marked) / diameter_px
    margin = int(diameter_px)
    away, even = (one[margin:-margin, margin:-margin] for one in (away, even))
    between = even[away > 0.75]
    return float((between.mean() - even[away < 0.35].mean()) / between.std())


def show(
    axes: Axes, pixels: NDArray, pixel_size_angstrom: float, blur_angstrom: float, title: str
) -> None:
    """A part of a micrograph, smoothed a little and evened out, between its outer per cents."""
    edge = round(SHOWN_ANGSTROM / pixel_size_angstrom)
    part = pixels[CUT : CUT + edge, CUT : CUT + edge].astype(float)
    image = ndimage.gaussian_filter(part, blur_angstrom / pixel_size_angstrom)
    image -= ndimage.gaussian_filter(part, 200 / pixel_size_angstrom)
    low, high = np.percentile(image, [0.5, 99.5])
    axes.imshow(image, cmap="gray", vmin=low, vmax=high)
    axes.set_title(title, fontsize=8)
    axes.set_axis_off()


def compare(case: Case, data: Path, row: Sequence[Axes]) -> None:
    """Draw and print one case."""
    size = case.pixel_size_angstrom
    paths = find_micrographs([data / case.folder / "micrographs"])[: case.settings.count]
    rows, columns = case.settings.shape
    real = [np.array(read_micrograph(path).pixels[:rows, :columns]) for path in paths]
    picked = match_picks(read_picks(data / case.folder / "particles.star"), paths)
    model = read_structure(data / "structures" / case.model)
    fields = list(make_micrographs([model], case.settings))
    names = ("real, denoised JPEG" if case.denoised else "real", "simulated")
    images_of = (real, [field.micrograph.pixels for field in fields])
    positions_of = ([picked[p].positions for p in paths], [f.picks.positions for f in fields])
    for axes, name, images, positions in zip(row, names, images_of, positions_of, strict=False):
        smooth = name.startswith("real") and case.denoised
        show(axes, images[0], size, 0.0 if smooth else case.blur_angstrom, f"{case.title}, {name}")
        figures = [statistics(image, size) for image in images]
        mean = {key: np.mean([one[key] for one in figures]) for key in figures[0]}
        mean["visibility"] = np.median(
            [
                visibility(image, centres, case, 0.0 if smooth else 17.0)
                for image, centres in zip(images, positions, strict=True)
            ]
        )
        print(f"{case.title}, {name}: " + ", ".join(f"{k} {v:.3f}" for k, v in mean.items()))
        power = relative([spectrum(image, size) for image in images], case)
        row[2].semilogy(np.arange(BINS) / BINS / 2 / size, power, label=name, linewidth=1)
        at = [round(2 * size * frequency * BINS) for frequency in (1 / 100, 1 / 40, 1 / 20, 1 / 10)]
        print("    power at 1/100, 1/40, 1/20, 1/10 Å:", np.round(power[at], 2))
    finish(row[2], case)


def finish(axes: Axes, case: Case) -> None:
    """Tell what a spectrum shows."""
    axes.set_title("power, relative", fontsize=8)
    axes.set_xlabel("1/Å", fontsize=7)
    axes.set_ylim(*((1e-3, 1e3) if case.denoised else (0.5, 500)))
    if case.denoised:
        axes.set_xlim(0, 0.05)
    axes.tick_params(labelsize=6)
    axes.legend(fontsize=7)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("--output", type=Path, default=Path("docs/images/simulated.jpg"))
    arguments = parser.parse_args()
    figure = Figure(figsize=(9, 9), dpi=100, layout="constrained")
    for case, row in zip(CASES, figure.subplots(len(CASES), 3), strict=True):
        compare(case, arguments.data, row)
    figure.savefig(arguments.output, pil_kwargs={"quality": 70})


if __name__ == "__main__":
    main()
