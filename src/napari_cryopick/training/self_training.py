"""Self-training: models label what people have not, and their successors learn from it.

Each round starts from what the run began with, learns from a person's labels and from what the best
model so far is sure of, and is kept only if human labels that took no part say that it is better.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from threading import Event
from time import perf_counter

from ..labels import Labels
from ..model.device import choose_device
from ..picks import Picks
from ..runs.folder import RunFolder
from .events import Simulating, TrainingEvent
from .examples import fingerprint, load_examples
from .lines import lines_of
from .rounds import SelfTraining
from .settings import SelfTrainSettings
from .simulated import Simulated

MOST_UNLABELLED = 32
"""Micrographs without labels that take part, at the most."""


def self_train(
    micrographs: Sequence[Path],
    picks: Mapping[Path, Picks],
    settings: SelfTrainSettings,
    run: Path,
    labels: Mapping[Path, Labels] | None = None,
    stop: Event | None = None,
    resume: bool = False,
    simulate: Callable[[], Generator[Simulating, None, Simulated]] | None = None,
) -> Iterator[TrainingEvent]:
    """Train a model on some picks, then let it teach its successors on all micrographs.

    Parameters
    ----------
    micrographs, picks, labels
        As for `train`.
    run
        A new folder for the run, or that of a run to go on with.
    stop
        Once set, the best model so far is kept and the run ends in order.
    resume
        Go on where a run was killed or stopped, or add rounds to one that was finished.
    simulate
        Makes micrographs that the start learns from in place of picks, once all else is in order.

    Yields
    ------
    TrainingEvent
        `Simulating` where there is something to simulate; `Started`; for each iteration
        `PseudoLabelled` (from the first round on), `Step`, `Validation`, `Checkpoint` if it is
        kept, and `Iteration`; `Finished` at the end.

    Raises
    ------
    CryopickError
        Before any heavy work, if the input cannot be trained on or the run cannot go on.
    """
    begun, stop = perf_counter(), stop or Event()
    device = choose_device(settings.device)
    examples = load_examples(
        micrographs, picks, labels or {}, settings, MOST_UNLABELLED, needed=simulate is None
    )
    open_folder = RunFolder.resume if resume else RunFolder.create
    folder = open_folder(run, settings, fingerprint(examples))
    simulated = (yield from simulate()) if simulate else None
    lines = lines_of(examples, settings, folder, device, simulated)
    training = SelfTraining(lines, settings, folder, stop)
    for event in training.events():
        folder.log(event)
        yield event
    finished = training.finish(perf_counter() - begun)
    folder.log(finished)
    _report(folder.path)
    yield finished


def _report(run: Path) -> None:
    """Tell the run on a page; whatever goes wrong there, the run itself is safe on disk."""
    with suppress(Exception):
        from ..runs.report import write_report  # matplotlib, only now

        write_report(run)
