"""Files appear whole or not at all, and what goes wrong with one is said in a sentence."""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from math import isnan
from pathlib import Path
from typing import Any

from ..errors import CryopickError, warn

_PART = re.compile(r"\..+\.\d+(\.\w+)?")
_SPEAKING = (OSError, ValueError, RuntimeError, EOFError, SyntaxError)
"""Errors with which libraries say what is wrong with a file; others speak of their own code."""

_ADVICE = {
    "ENOSPC EDQUOT": "is on a full disk; free some space or choose another folder",
    "EACCES EPERM EROFS": "cannot be written to; choose another folder or change its permissions",
    "ENOTDIR EEXIST": "is not a folder; choose another output",
    "EISDIR": "holds a folder of the output's name; choose another name",
}


@contextmanager
def atomic_path(path: str | Path) -> Iterator[Path]:
    """Give a temporary path of the same suffix that becomes `path` if all goes well.

    Missing folders are made. Nothing is left behind if the body raises; a folder that cannot be
    written to, or a full disk, is a `CryopickError`.
    """
    path = Path(path)
    part = path.with_name(f".{path.stem}.{os.getpid()}{path.suffix}")
    with writing_in(path.parent):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            yield part
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)


def sweep(folder: str | Path) -> None:
    """Remove what killed processes have left of `atomic_path` anywhere in a folder."""
    for path in Path(folder).rglob(".*"):
        if _PART.fullmatch(path.name):
            path.unlink(missing_ok=True)


@contextmanager
def writing_in(folder: str | Path) -> Iterator[None]:
    """Say in one sentence if `folder` is full, forbidden or no folder at all."""
    try:
        yield
    except OSError as error:
        for names, advice in _ADVICE.items():
            if errno.errorcode.get(error.errno or 0) in names.split():
                raise CryopickError(f"{folder} {advice}.") from error
        raise


@contextmanager
def reading(path: Path, kind: str) -> Iterator[None]:
    """Say in one sentence why `path` cannot be read as a `kind`, whatever a library raises."""
    try:
        yield
    except CryopickError:
        raise
    except FileNotFoundError as error:
        raise CryopickError(f"{path} does not exist; check its name.") from error
    except PermissionError as error:
        raise CryopickError(f"{path} cannot be opened; check its permissions.") from error
    except IsADirectoryError as error:
        raise CryopickError(f"{path} is a folder, where a file is expected.") from error
    except MemoryError as error:
        raise CryopickError(f"{path} needs more memory than there is; leave it out.") from error
    except Exception as error:
        said = " ".join(str(error).split()) if isinstance(error, _SPEAKING) else ""
        reason = said.rstrip(".") or "its content makes no sense"
        raise CryopickError(
            f"{path} cannot be read as {kind}: {reason}; it may be damaged or cut short."
        ) from error


def leave_out(source: Path, failures: Sequence[str], others: int) -> None:
    """Warn of the files of a folder or list that are left out; raise if there are no `others`."""
    if failures and not others:
        raise CryopickError(failures[0])
    if failures:
        such_as = "1 file is" if len(failures) == 1 else f"{len(failures)} files are"
        warn(f"{such_as} left out of {source}: {failures[0]}")


def without_nan(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the same nested dicts for JSON, with None for NaN."""
    return {
        name: without_nan(value)
        if isinstance(value, Mapping)
        else (None if isinstance(value, float) and isnan(value) else value)
        for name, value in values.items()
    }
