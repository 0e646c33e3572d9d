"""How settings become options: names without units, and pydantic's complaints as sentences."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Annotated, Any

from cyclopts import CycloptsError, Parameter, UnusedCliTokensError
from pydantic import ValidationError

JsonFile = Annotated[
    Path | None,
    Parameter(
        allow_leading_hyphen=True, help="Also write the figures to this file; - for stdout alone."
    ),
]


def option_name(field: str) -> str:
    """`diameter_angstrom` becomes `diameter`; `start` is `from`, which is no name in Python."""
    if field == "start":
        return "from"
    return field.removesuffix("_angstrom").removesuffix("_px").replace("_", "-")


def default_shown(value: Any) -> str | None:
    """A default as `--help` shows it: not at all where it says nothing."""
    return None if value is None or value is False or value == "" else str(value)


def usage_sentence(error: CycloptsError) -> str:
    """What is wrong with the options, in one sentence."""
    if isinstance(error.__cause__, ValidationError):
        return "; ".join(_problem(problem) for problem in error.__cause__.errors()) + "."
    if isinstance(error, UnusedCliTokensError):
        return f"Not understood: {shlex.join(error.unused_tokens or ())}."
    return str(error)


def _problem(problem: Any) -> str:
    option = f"--{option_name(problem['loc'][-1])}"
    wanted = problem["msg"].partition(",")[0].replace("Input", option, 1)
    return f'{wanted}, not "{problem["input"]}"'
