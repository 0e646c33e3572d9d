"""What commands that learn begin with."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Event

from ..picks import Picks
from .progress import stop_on_interrupt
from .terminal import require_writable


@dataclass(frozen=True)
class Given:
    """Micrographs, a person's picks on some of them, and a token that Ctrl-C sets."""

    micrographs: list[Path]
    picks: dict[Path, Picks]
    stop: Event


@contextmanager
def learning_from(micrographs: Sequence[str], picks: Path | None, output: Path) -> Iterator[Given]:
    """Find micrographs and match picks to them, then make the output folder; Ctrl-C stops.

    Raises
    ------
    CryopickError
        If there are no such micrographs or picks, or the folder cannot be written to.
    """
    from ..io import find_micrographs, match_picks, read_picks

    paths = find_micrographs(micrographs)
    clicks = {} if picks is None else match_picks(read_picks(picks), paths)
    require_writable(output)
    with stop_on_interrupt() as stop:
        yield Given(paths, clicks, stop)
