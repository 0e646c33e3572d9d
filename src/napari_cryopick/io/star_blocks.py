"""The text of STAR files, read and written by RELION's rules.

A word may stand in quotes, and "#" begins a comment only where a word begins. RELION ends a loop at
an empty line; here rows go on after it. Blocks of one name may come more than once: RELION reads
the first, here all are.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import takewhile
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import CryopickError
from .files import atomic_path
from .tables import frame_of, read_lines

if TYPE_CHECKING:
    from pandas import DataFrame, Series

NO_NUMBER, NO_WORD = -999, "None"
"""RELION's words for a missing value."""

_WORD = re.compile(r"""(["'])(.*?)\1(?![^ \t])|([^ \t]+)""")
_SPACE = re.compile("[ \t]+")
_LABEL = re.compile(r"_([^ \t]+)([ \t]+#.*)?")


@dataclass
class _Block:
    name: str
    is_loop: bool = False
    labels: list[str] = field(default_factory=list)
    rows: list[tuple[int, str]] = field(default_factory=list)


def read_blocks(path: Path) -> list[tuple[str, DataFrame]]:
    """Read the tables of a file, with their names and in their order.

    The index of a table is the lines in the file. A list of labels and values is a table of one
    row. Columns whose labels end in "Name" or "Coordinates" are text.

    Raises
    ------
    CryopickError
        If the file is no STAR file, or a row does not fit its columns.
    """
    blocks = list(_parse(path))
    if not blocks:
        raise CryopickError(f"{path} is not a STAR file.")
    return [(block.name, _table(block, path)) for block in blocks if block.labels]


def write_blocks(path: Path, blocks: Mapping[str, DataFrame]) -> None:
    """Write tables, with RELION's words for nothing where a value is missing."""
    with atomic_path(path) as part, part.open("w", encoding="utf-8", newline="\n") as file:
        for name, table in blocks.items():
            labels = (f"_{label} #{i}\n" for i, label in enumerate(table, 1))
            file.write(f"\ndata_{name}\n\nloop_\n{''.join(labels)}")
            columns = [_words(table[label]) for label in table]
            file.writelines("\t".join(row) + "\n" for row in zip(*columns, strict=True))
            file.write("\n")


def quoted(word: str) -> str:
    """Return a word as it stands in a STAR file: in quotes where needed."""
    if word[:1] not in "\"'" and _split(word) == [word]:
        return word
    for quote in "\"'":
        if _split(between := f"{quote}{word}{quote}") == [word]:
            return between
    raise CryopickError(f"The quotes in {word} cannot be written to a STAR file; rename it.")


def _parse(path: Path) -> Iterator[_Block]:
    block: _Block | None = None
    for number, line in enumerate(map(_stripped, read_lines(path)), 1):
        mark = _mark(line)
        if mark.startswith("data_"):
            if block:
                yield block
            block = _Block(mark.removeprefix("data_"))
        elif block and mark == "loop_":
            yield block
            block = _Block(block.name, is_loop=True)
        elif block and line and not line.startswith("#"):
            _add(block, number, line, path)
    if block:
        yield block


def _mark(line: str) -> str:
    """Return "data_NAME" or "loop_" if a line says nothing else."""
    words = _split(line) if line.startswith(("data_", "loop_")) else ()
    return words[0] if len(words) == 1 else ""


def _add(block: _Block, number: int, line: str, path: Path) -> None:
    """Add a line to a block: a label, a label with its value, or a row."""
    if block.is_loop and not block.rows and (label := _LABEL.fullmatch(line)):
        block.labels.append(label[1])
    elif block.is_loop and not block.rows and line.startswith(";"):
        pass  # a comment, to RELION
    elif block.is_loop:
        block.rows.append((number, line))
    elif line.startswith("_") and len(words := _split(line)) == 2:
        block.labels.append(words[0][1:])
        first, values = block.rows.pop() if block.rows else (number, "")
        block.rows.append((first, f"{values} {quoted(words[1])}"))
    else:
        raise CryopickError(
            f"{path} is a broken STAR file: line {number} is neither a row of a loop nor a label "
            "with its value."
        )


def _split(line: str) -> list[str]:
    """Return the words of a line, up to a comment."""
    if "#" in line or '"' in line or "'" in line:
        found = takewhile(lambda word: not word[2].startswith("#"), _WORD.findall(line))
        return [between if quote else plain for quote, between, plain in found]
    return line.split() if line.isascii() else [word for word in _SPACE.split(line) if word]


def _table(block: _Block, path: Path) -> DataFrame:
    rows = ((number, _split(line)) for number, line in block.rows)
    text = [label for label in block.labels if label.endswith(("Name", "Coordinates"))]
    return frame_of(block.labels, rows, path, text)


def _stripped(line: str) -> str:
    return line.strip(" \t")


def _words(column: Series) -> list[str]:
    """Return the values of a column as they stand in a file."""
    if column.dtype.kind == "f":
        return [f"{value:.10g}" for value in column.fillna(NO_NUMBER)]
    if column.dtype.kind in "iub":
        return column.astype(str).tolist()
    values = column.fillna("").astype(str).replace("", NO_WORD)
    words = {value: quoted(value) for value in values.unique()}
    return [words[value] for value in values]
