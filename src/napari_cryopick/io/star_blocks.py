"""The text of STAR files, read and written by RELION's rules.

A word may stand in quotes, and "#" begins a comment only where a word begins. RELION ends a loop at
an empty line; here rows go on after it. Blocks of one name may come more than once: RELION reads
the first, here all are.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
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
_LABEL = re.compile(r"_([^ \t]+)([ \t]+#.*)?")


@dataclass
class _Block:
    name: str
    is_loop: bool = False
    labels: list[str] = field(default_factory=list)
    rows: list[tuple[int, list[str]]] = field(default_factory=list)


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
    return [
        (block.name, frame_of(block.labels, block.rows, path, _text(block.labels)))
        for block in blocks
        if block.labels
    ]


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
        words = _split(line)
        if len(words) == 1 and words[0].startswith("data_"):
            if block:
                yield block
            block = _Block(words[0].removeprefix("data_"))
        elif block and words == ["loop_"]:
            yield block
            block = _Block(block.name, is_loop=True)
        elif block and words:
            _add(block, number, words, line, path)
    if block:
        yield block


def _add(block: _Block, number: int, words: list[str], line: str, path: Path) -> None:
    """Add a line to a block: a label, a label with its value, or a row."""
    if block.is_loop and not block.rows and (label := _LABEL.fullmatch(line)):
        block.labels.append(label[1])
    elif block.is_loop and not block.rows and line.startswith(";"):
        pass  # a comment, to RELION
    elif block.is_loop:
        block.rows.append((number, words))
    elif line.startswith("_") and len(words) == 2:
        block.labels.append(words[0][1:])
        first, values = block.rows.pop() if block.rows else (number, [])
        block.rows.append((first, [*values, words[1]]))
    else:
        raise CryopickError(
            f"{path} is a broken STAR file: line {number} is neither a row of a loop nor a label "
            "with its value."
        )


def _split(line: str) -> list[str]:
    """Return the words of a line, up to a comment."""
    if not any(mark in line for mark in "\"'#"):
        return [word for word in line.replace("\t", " ").split(" ") if word]
    words = []
    for quote, between, plain in _WORD.findall(line):
        if plain.startswith("#"):
            break
        words.append(between if quote else plain)
    return words


def _stripped(line: str) -> str:
    return line.strip(" \t")


def _text(labels: Iterable[str]) -> list[str]:
    return [label for label in labels if label.endswith(("Name", "Coordinates"))]


def _words(column: Series) -> list[str]:
    """Return the values of a column as they stand in a file."""
    if column.dtype.kind == "f":
        return [f"{value:.10g}" for value in column.fillna(NO_NUMBER)]
    if column.dtype.kind in "iub":
        return column.astype(str).tolist()
    values = column.fillna("").astype(str).replace("", NO_WORD)
    words = {value: quoted(value) for value in values.unique()}
    return [words[value] for value in values]
