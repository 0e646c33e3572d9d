"""Output to the terminal: results on stdout, everything else on stderr."""

from __future__ import annotations

import io
import json
import logging
import os
import shlex
import sys
import tempfile
import traceback
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import IntEnum
from math import isnan
from pathlib import Path
from typing import Any

from rich import box
from rich.console import Console, RenderableType
from rich.table import Table

from ..errors import CryopickWarning
from ..io import atomic_path, writing_in

results = Console(highlight=False)
messages = Console(stderr=True, highlight=False)

LEAST_FREE_BYTES = 2**20
"""Space there must be for results before any work: room for a STAR file of 10,000 picks."""

LONGEST_TABLE = 30
"""Micrographs up to which each has its row: about what a terminal shows at once."""


class ExitCode(IntEnum):
    """How a command ended."""

    DONE = 0
    FAILED = 1
    MISUSED = 2
    SOME_FAILED = 3
    STOPPED = 130


def prepare_program() -> None:
    """Let only our own messages reach the terminal, whatever characters it has.

    Warnings and logs of libraries are left out, unless Python's own options ask for them.
    """
    os.environ.setdefault("TORCH_CPP_LOG_LEVEL", "ERROR")
    logging.getLogger().addHandler(logging.NullHandler())
    if not sys.warnoptions:
        warnings.simplefilter("ignore")
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")
    sys.excepthook = report_crash


def report_crash(kind: type[BaseException], error: BaseException, _: object) -> None:
    """Say in a sentence that the program has an error, and keep the traceback in a file."""
    file = Path(tempfile.gettempdir()) / f"napari-cryopick-{os.getpid()}.log"
    file.write_text("".join(traceback.format_exception(error)), "utf-8", "backslashreplace")
    print_error(f"The program has failed ({kind.__name__}: {error}); please report it with {file}.")


def echo(text: str, style: str = "") -> None:
    """Print a message."""
    messages.print(text, style=style, markup=False, soft_wrap=True)


def print_error(text: str, exit_code: ExitCode = ExitCode.FAILED) -> ExitCode:
    """Print what went wrong, and return the exit code."""
    echo(text, "red")
    return exit_code


def print_problems(title: str, problems: Sequence[str]) -> None:
    """Print what went wrong with several things, one line each unless they are many."""
    print_error(f"{title}:")
    for problem in problems[:LONGEST_TABLE]:
        print_error(f"  {problem}")
    if len(problems) > LONGEST_TABLE:
        print_error(f"  … and {len(problems) - LONGEST_TABLE} more.")


@contextmanager
def showing_warnings() -> Iterator[None]:
    """Print each `CryopickWarning` as a message."""
    with warnings.catch_warnings():
        others = warnings.showwarning

        def show(message: Warning | str, *of: Any, **how: Any) -> None:
            if isinstance(message, CryopickWarning):
                echo(str(message), "yellow")
            else:
                others(message, *of, **how)

        warnings.simplefilter("default", CryopickWarning)
        warnings.showwarning = show
        yield


def echo_command(*words: str) -> None:
    """Print a command to type."""
    echo(f"  napari-cryopick {shlex.join(words)}", "cyan")


def pluralise(number: int, noun: str) -> str:
    """Return "1 pick", "2 picks"."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def format_number(value: float, digits: int = 3) -> str:
    """Format a number for a table; NaN is a dash."""
    return "–" if isnan(value) else f"{value:.{digits}f}"


def table(*columns: str, show_header: bool = True) -> Table:
    """Make a table of results: the first column holds names, the others numbers."""
    first, *others = columns
    made = Table(box=box.SIMPLE_HEAD, show_header=show_header, collapse_padding=True)
    made.add_column(first, overflow="fold")
    for name in others:
        made.add_column(name, justify="right")
    return made


def micrograph_table(rows: Sequence[Mapping[str, Any]]) -> Table:
    """Make a table with a row for each micrograph, unless there are many, and one for all.

    Each row has a path and some numbers by name.
    """
    _, *names = rows[0]
    shown = table("micrograph", *names)
    for row in rows if len(rows) <= LONGEST_TABLE else ():
        shown.add_row(Path(row["path"]).name, *(f"{row[name]:.4g}" for name in names))
    shown.add_section()
    totals = (sum(row[name] for row in rows) for name in names)
    shown.add_row(pluralise(len(rows), "micrograph"), *(f"{total:,.10g}" for total in totals))
    return shown


@dataclass(eq=False)
class Summary:
    """What there is to say of a run over many micrographs: a row of each, notes, and failures."""

    rows: list[dict[str, Any]] = field(default_factory=list)
    failed: list[dict[str, str]] = field(default_factory=list)
    notes: dict[str, list[str]] = field(default_factory=dict)

    def note(self, text: str, path: Path) -> None:
        """Keep what is unusual about a micrograph; nothing if there is no text."""
        if text:
            self.notes.setdefault(text, []).append(path.name)

    def show_problems(self) -> None:
        """Print in one block what was unusual, and which micrographs could not be used."""
        for note, names in self.notes.items():
            others = f" and {len(names) - 1} more" if len(names) > 1 else ""
            echo(f"{names[0]}{others}: {note}.")
        if self.failed:
            unused = pluralise(len(self.failed), "micrograph")
            print_problems(f"{unused} could not be used", [one["message"] for one in self.failed])


def print_result(shown: RenderableType, data: object, json_file: Path | None) -> None:
    """Print results, and write them as JSON where asked; for `-` print nothing but JSON."""
    text = json.dumps(data, indent=2)
    if json_file == Path("-"):
        print(text)
        return
    results.print(shown)
    if json_file:
        with atomic_path(json_file) as path:
            path.write_text(text + "\n", "utf-8")


def require_writable(folder: Path) -> None:
    """Make a folder for results before any work, or raise a `CryopickError`."""
    with writing_in(folder):
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(bytes(LEAST_FREE_BYTES))
            file.flush()
