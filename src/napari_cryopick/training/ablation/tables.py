"""An ablation as a table: Markdown, CSV and LaTeX."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ...io import atomic_path
from .plan import ELSEWHERE, Row
from .scores import FIGURES, Scores

TITLES = {
    "pixel_f1": "pixel F1",
    "pixel_iou": "pixel IoU",
    "pixel_roc_auc": "pixel ROC-AUC",
    "particle_f1": "particle F1",
    "average_precision": "particle AP",
}
PUBLISHED = "published pixel F1"


@dataclass(frozen=True)
class Spread:
    """Mean and range of a figure over seeds, in per cent."""

    mean: float
    low: float
    high: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Spread:
        percent = [100 * value for value in values]
        return cls(sum(percent) / len(percent), min(percent), max(percent))

    def __str__(self) -> str:
        return f"{self.mean:.1f} ({self.low:.1f}–{self.high:.1f})"


@dataclass(frozen=True)
class Line:
    """A row with its figures by name; those of no seed are missing."""

    name: str
    figures: Mapping[str, Spread]
    seeds: int = 0
    published: float | None = None

    @property
    def cells(self) -> list[str]:
        """As a person reads them: the name, the figures, and what was published."""
        figures = (str(self.figures.get(name, "–")) for name in FIGURES)
        return [self.name, *figures, self.published_as_text]

    @property
    def published_as_text(self) -> str:
        """With the digits it was published with, one at least."""
        return "" if self.published is None else f"{self.published:.2f}".removesuffix("0")


HEADER = ["", *(TITLES[name] for name in FIGURES), PUBLISHED]


def summarise(rows: Sequence[Row], scores: Mapping[str, Sequence[Scores]]) -> list[Line]:
    """The lines of the table, from the scores of each row's seeds by its key."""
    lines = [_line(row, scores.get(row.key, ())) for row in rows]
    return lines + [Line(name, {}, 0, figure) for name, figure in ELSEWHERE.items()]


def _line(row: Row, scores: Sequence[Scores]) -> Line:
    values = {name: [getattr(one, name) for one in scores] for name in FIGURES}
    known = {name: [v for v in each if v == v] for name, each in values.items()}
    figures = {name: Spread.of(each) for name, each in known.items() if each}
    return Line(row.name, figures, len(scores), row.published)


def caption(seeds: int, recipe: str, scale: float) -> str:
    """What the table shows, in a few sentences."""
    splits = "one random split" if seeds == 1 else f"{seeds} random splits"
    told = [f"Per cent on test micrographs: mean over {splits} (lowest–highest)."]
    if recipe:
        told.append(f"Recipe {recipe}.")
    if scale != 1:
        told.append(f"Scaled: only {scale:g} of all steps and epochs, so not to be compared.")
    return " ".join(told)


def as_markdown(lines: Sequence[Line], title: str) -> str:
    """A pipe table below its caption."""
    rule = ["---", *["---:"] * (len(HEADER) - 1)]
    rows = [HEADER, rule, *(line.cells for line in lines)]
    return f"{title}\n\n" + "".join(f"| {' | '.join(cells)} |\n" for cells in rows)


def as_csv(lines: Sequence[Line], title: str) -> str:
    """One column a number, for programs; the caption is in the last column of each row."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    parts = ("mean", "low", "high")
    columns = [f"{name}_{part}" for name in FIGURES for part in parts]
    writer.writerow(["row", "seeds", *columns, "published_pixel_f1", "note"])
    for line in lines:
        spreads = [line.figures.get(name) for name in FIGURES]
        numbers = [f"{getattr(s, part):.4g}" if s else "" for s in spreads for part in parts]
        writer.writerow([line.name, line.seeds, *numbers, line.published_as_text, title])
    return text.getvalue()


def as_latex(lines: Sequence[Line], title: str) -> str:
    """A table environment that needs no package."""
    header, *rows = (" & ".join(map(_escaped, c)) for c in (HEADER, *(e.cells for e in lines)))
    columns = "l" + "r" * (len(HEADER) - 1)
    return "\n".join(
        [
            "\\begin{table}",
            f"\\caption{{{_escaped(title)}}}",
            f"\\begin{{tabular}}{{{columns}}}",
            "\\hline",
            f"{header} \\\\",
            "\\hline",
            *(f"{row} \\\\" for row in rows),
            "\\hline",
            "\\end{tabular}",
            "\\end{table}\n",
        ]
    )


def _escaped(text: str) -> str:
    for sign in "&%_#":
        text = text.replace(sign, f"\\{sign}")
    return text.replace("–", "--")


WRITERS: dict[str, Callable[[Sequence[Line], str], str]] = {
    ".md": as_markdown,
    ".csv": as_csv,
    ".tex": as_latex,
}


def write_tables(folder: Path, lines: Sequence[Line], title: str) -> None:
    """Write ablation.md, ablation.csv and ablation.tex."""
    for suffix, write in WRITERS.items():
        with atomic_path(folder / f"ablation{suffix}") as part:
            part.write_text(write(lines, title), encoding="utf-8")
