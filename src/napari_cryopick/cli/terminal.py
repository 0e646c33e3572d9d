"""What is said on the terminal: results on stdout, everything else on stderr."""

from __future__ import annotations

import json
import shlex
import tempfile
from enum import IntEnum
from math import isnan
from pathlib import Path

from rich import box
from rich.console import Console, RenderableType
from rich.table import Table

results = Console(highlight=False)
messages = Console(stderr=True, highlight=False)

LEAST_ROOM = 2**20
"""Bytes that must be free where results are to go."""


class ExitCode(IntEnum):
    """How a command ended."""

    DONE = 0
    FAILED = 1
    MISUSED = 2
    SOME_FAILED = 3
    STOPPED = 130


def echo(text: str, style: str = "") -> None:
    """Say one thing to the person at the terminal."""
    messages.print(text, style=style, markup=False, soft_wrap=True)


def print_error(text: str, exit_code: ExitCode = ExitCode.FAILED) -> ExitCode:
    """Say what went wrong, and hand the exit code on."""
    echo(text, "red")
    return exit_code


def echo_command(*words: str) -> None:
    """Show a command to type."""
    echo(f"  napari-cryopick {shlex.join(words)}", "cyan")


def pluralise(number: int, thing: str) -> str:
    """So many things: "1 pick", "2 picks"."""
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"


def format_number(value: float, digits: int = 3) -> str:
    """A number for a table; a dash where there is none."""
    return "–" if isnan(value) else f"{value:.{digits}f}"


def table(*columns: str, show_header: bool = True) -> Table:
    """A table of results: the first column holds names, the others figures."""
    first, *others = columns
    made = Table(box=box.SIMPLE_HEAD, show_header=show_header)
    made.add_column(first, overflow="fold", min_width=20)
    for name in others:
        made.add_column(name, justify="right")
    return made


def print_result(shown: RenderableType, data: object, json_file: Path | None) -> None:
    """Show results as a table and write them as JSON where asked; `-` is JSON on stdout alone."""
    from ..io import atomic_path

    text = json.dumps(data, indent=2)
    if json_file == Path("-"):
        print(text)
        return
    results.print(shown)
    if json_file:
        with atomic_path(json_file) as path:
            path.write_text(text + "\n")


def require_writable(folder: Path) -> None:
    """Make a folder for results, before any work; `CryopickError` if nothing fits in there."""
    from ..io import writing_in

    with writing_in(folder):
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(bytes(LEAST_ROOM))
            file.flush()
