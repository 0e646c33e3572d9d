"""Compare simulated with real micrographs, by eye and in their statistics.

    python benchmarks/simulation_realism.py DATA [--output docs/images/simulated.jpg]

DATA holds `apoferritin/`, `apoferritin_single_frame/` (EMPIAR-10146), `beta_galactosidase/`
(EMPIAR-10017) and `structures/` (7A4M, 5A1A); README.md says where to get them. Draws simulated
beside real micrographs with their radial power spectra, and prints statistics. The spectra are
those of the contrast, over their mean near the Nyquist frequency. The β-galactosidase micrographs
were denoised, equalised and compressed to JPEG by others: their spectrum cannot be compared above
about 1/50 Å, and their contrast not at all.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray
from scipy import fft, ndimage, stats
from sets import APOFERRITIN, GALACTOSIDASE, SINGLE_FRAMES, LabelledSet, parser

from napari_cryopick.io import read_micrograph
from napari_cryopick.simulation.settings import SimulationSettings
from napari_cryopick.simulation.simulate import make_micrographs
from napari_cryopick.simulation.structures import read_structure

BINS = 120
CUT = 128
SHOWN_ANGSTROM = 1500.0
CLEAN = SimulationSettings(
    count=4, ice_balls=0, aggregates=0, carbon_edges=0, crystalline_ice=0, empty_micrographs=0
)
LIKE_APOFERRITIN = CLEAN.model_copy(
    update={
        "shape": (1200, 1240),
        "pixel_size_angstrom": 1.5,
        "coverage": (0.5, 0.65),
        "defocus_angstrom": (10_000.0, 20_000.0),
        "debris": (14.0, 20.0),
    }
)
LIKE_GALACTOSIDASE = CLEAN.model_copy(
    update={
        "shape": (2048, 2048),
        "pixel_size_angstrom": 1.77,
        "coverage": (0.4, 0.5),
        "defocus_angstrom": (20_000.0, 30_000.0),
        "debris": (25.0, 35.0),
        "detector": "integrating",
        "no_energy_filter": True,
    }
)


@dataclass(frozen=True)
class Case:
    """Real micrographs, and how to simulate such ones."""

    title: str
    real: LabelledSet
    structure: str
    settings: SimulationSettings
    denoised: bool = False

    @property
    def blur_angstrom(self) -> float:
        """Smoothing of simulated micrographs for the eye."""
        return 20.0 if self.denoised else 3.0

    @property
    def reference_angstrom(self) -> tuple[float, float]:
        """Range over which spectra are scaled to 1: near the Nyquist frequency, if that is left."""
        return (150.0, 60.0) if self.denoised else (2.5 * self.real.pixel_size_angstrom, 0.0)


CASES = [
    Case("apoferritin, average", APOFERRITIN, "7A4M.cif.gz", LIKE_APOFERRITIN),
    Case(
        "apoferritin, one frame",
        SINGLE_FRAMES,
        "7A4M.cif.gz",
        LIKE_APOFERRITIN.model_copy(update={"dose": (1.5, 1.5)}),
    ),
    Case(
        "β-galactosidase",
        replace(GALACTOSIDASE, diameter_angstrom=182),
        "5A1A.cif.gz",
        LIKE_GALACTOSIDASE,
        denoised=True,
    ),
]


def spectrum(pixels: NDArray, pixel_size_angstrom: float) -> NDArray:
    """Return the radial power (BINS,) of the contrast up to the Nyquist frequency, in Å²."""
    edge = min(pixels.shape) // 2 * 2
    image = pixels[:edge, :edge].astype(float)
    image = image / image.mean() - 1
    window = np.outer(np.hanning(edge), np.hanning(edge))
    power = np.abs(fft.rfft2(image * window)) ** 2 * pixel_size_angstrom**2 / (window**2).sum()
    y, x = fft.fftfreq(edge)[:, None], fft.rfftfreq(edge)
    ring = (np.hypot(y, x) * 2 * BINS).astype(int).ravel()
    return np.bincount(ring, power.ravel())[:BINS] / np.bincount(ring)[:BINS]


def relative(spectra: Sequence[NDArray], case: Case) -> NDArray:
    """Return the mean of spectra, scaled to 1 in the reference range."""
    mean = np.exp(np.mean(np.log(spectra), axis=0))
    coarse, fine = case.reference_angstrom
    wavelength = 2 * case.real.pixel_size_angstrom * BINS / np.arange(0.5, BINS)
    return mean / mean[(wavelength < coarse) & (wavelength > fine)].mean()


def statistics(pixels: NDArray, pixel_size_angstrom: float) -> dict[str, float]:
    """Return the shape of the histogram, and how much of the contrast is coarser than 20 Å."""
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
    """Return how much darker particles are than the rest, over the spread of the rest."""
    size, diameter_px = case.real.pixel_size_angstrom, case.real.diameter_px
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
    """Draw a part of a micrograph, smoothed a little and evened out."""
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
    size = case.real.pixel_size_angstrom
    truth = case.real.truth(data)
    paths = list(truth)[: case.settings.count]
    rows, columns = case.settings.shape
    real = [np.array(read_micrograph(path).pixels[:rows, :columns]) for path in paths]
    model = read_structure(data / "structures" / case.structure)
    simulated = list(make_micrographs([model], case.settings))
    names = ("real, denoised JPEG" if case.denoised else "real", "simulated")
    images_of = (real, [one.micrograph.pixels for one in simulated])
    positions_of = (
        [truth[path].positions for path in paths],
        [one.picks.positions for one in simulated],
    )
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
    """Label a spectrum."""
    axes.set_title("power, relative", fontsize=8)
    axes.set_xlabel("1/Å", fontsize=7)
    axes.set_ylim(*((1e-3, 1e3) if case.denoised else (0.5, 500)))
    if case.denoised:
        axes.set_xlim(0, 0.05)
    axes.tick_params(labelsize=6)
    axes.legend(fontsize=7)


def main() -> None:
    """Draw and print all cases."""
    arguments = parser(__doc__.splitlines()[0])
    arguments.add_argument("--output", type=Path, default=Path("docs/images/simulated.jpg"))
    given = arguments.parse_args()
    figure = Figure(figsize=(9, 9), dpi=100, layout="constrained")
    for case, row in zip(CASES, figure.subplots(len(CASES), 3), strict=True):
        compare(case, given.data, row)
    figure.savefig(given.output, pil_kwargs={"quality": 70})


if __name__ == "__main__":
    main()
