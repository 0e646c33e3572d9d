"""How settings become options: names without units, and pydantic's errors as sentences."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from cyclopts import CycloptsError, Parameter, UnusedCliTokensError
from pydantic import ValidationError
from pydantic_core import ErrorDetails

from ..errors import CryopickError
from ..training.class_marks import ClassMarks

JsonFile = Annotated[
    Path | None,
    Parameter(
        allow_leading_hyphen=True, help="Also write the figures to this file; - for stdout alone."
    ),
]

Endings = Annotated[
    tuple[str, ...],
    Parameter(
        name="--ending",
        allow_leading_hyphen=True,
        help='What a program has put behind the names of micrographs or picks, as in "_flattened"; '
        "the usual endings are known.",
    ),
]

ClassNumbers = Annotated[tuple[int, ...], Parameter(consume_multiple=True)]


@dataclass(frozen=True)
class ClassOptions:
    """Classes as labels.

    Parameters
    ----------
    classes
        Folder that classify wrote: members of the marked classes are labels.
    particle
        Numbers of the classes that are particles.
    junk
        Numbers of the classes that are junk; of all other members nothing is known.
    """

    classes: Path | None = None
    particle: ClassNumbers = ()
    junk: ClassNumbers = ()

    @property
    def marks(self) -> ClassMarks:
        """The marked classes."""
        if self.classes is None:
            raise CryopickError("The marked classes are not known; give their folder as --classes.")
        if not self.particle and not self.junk:
            raise CryopickError(
                "No class is marked; give the numbers of classes with --particle or --junk."
            )
        return ClassMarks(self.classes, self.particle, self.junk)


def option_name(field: str) -> str:
    """Return the name of an option: `diameter_angstrom` becomes `diameter`."""
    return field.removesuffix("_angstrom").removesuffix("_px").replace("_", "-")


def default_shown(value: object) -> str | None:
    """Return a default as `--help` shows it, or None where it says nothing."""
    if value is True:
        return "true; turn it off with =false"
    if value == ():
        return None
    if isinstance(value, tuple):
        return " ".join(f"{one:g}" for one in value)
    return None if value is None or value is False or value == "" else str(value)


def usage_sentence(error: CycloptsError) -> str:
    """Return what is wrong with the options, in one sentence."""
    if isinstance(error.__cause__, ValidationError):
        return "; ".join(_problem(problem) for problem in error.__cause__.errors()) + "."
    if isinstance(error, UnusedCliTokensError):
        return f"Not understood: {shlex.join(error.unused_tokens or ())}."
    return str(error)


def _problem(problem: ErrorDetails) -> str:
    if not problem["loc"]:
        return problem["msg"]
    option = f"--{option_name(str(problem['loc'][-1]))}"
    wanted = problem["msg"].partition(",")[0].replace("Input", option, 1)
    return f'{wanted}, not "{problem["input"]}"'
