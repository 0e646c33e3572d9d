"""The ablation: train, test and compare, seed by seed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby
from pathlib import Path
from threading import Event

from ...model.device import choose_device
from ...model.registry import WEIGHTS
from ...picks import Picks
from ..events import Finished, Step, TrainingEvent
from ..examples import Example, load_examples
from ..self_training import self_train
from ..settings import SelfTrainSettings, TrainSettings
from ..supervised import train
from .events import AblationEvent, Scored, Tabulated, Training
from .plan import SELF_TRAINING, TRAININGS, Row, plan
from .results import Results
from .scores import Scores
from .scoring import examine
from .settings import AblationSettings
from .split import Split, split
from .tables import Line, caption, summarise, write_tables


def ablate(
    micrographs: Sequence[Path],
    picks: Mapping[Path, Picks],
    settings: AblationSettings,
    output: Path,
    stop: Event | None = None,
) -> Iterator[AblationEvent]:
    """Measure what each part of the recipe is worth, over several random splits.

    Parameters
    ----------
    micrographs
        All of them; those without picks are what self-training learns from.
    picks
        Every particle of the annotated micrographs.
    output
        A new folder, or that of the same ablation to go on with.
    stop
        Once set, the training under way ends and nothing further is begun.

    Yields
    ------
    AblationEvent
        `Training` while it goes on, `Scored` for each row and seed, `Tabulated` at the end.

    Raises
    ------
    CryopickError
        Before any heavy work, if there are too few micrographs, the recipe is unknown or another
        ablation is in the folder.
    """
    chosen, stop = settings.prepared(), stop or Event()
    choose_device(chosen.device)
    splits = [split(micrographs, picks, chosen, seed) for seed in range(chosen.seeds)]
    results = Results.open(output, chosen, micrographs, picks)
    rows = plan(chosen.rounds)
    for seed, parts in enumerate(splits):
        yield from _Seed(seed, parts, picks, chosen, results, stop).events(rows)
        if stop.is_set():
            break
    yield Tabulated(output, _tabulate(results, rows, chosen), stop.is_set())


def _tabulate(results: Results, rows: Sequence[Row], settings: AblationSettings) -> list[Line]:
    """Write the tables of what is known."""
    found = {row.key: [results.load(row, seed) for seed in range(settings.seeds)] for row in rows}
    known = {key: [one for one in scores if one] for key, scores in found.items()}
    lines = summarise(rows, known)
    seeds = max(map(len, known.values()))
    write_tables(results.path, lines, caption(seeds, settings.recipe, settings.scale))
    return lines


@dataclass(frozen=True, eq=False)
class _Seed:
    """All trainings of one split."""

    seed: int
    split: Split
    picks: Mapping[Path, Picks]
    settings: AblationSettings
    results: Results
    stop: Event

    def events(self, rows: Sequence[Row]) -> Iterator[AblationEvent]:
        """One training after the other, and what its models score."""
        trainings = list(dict.fromkeys(row.training for row in rows))
        for index, training in enumerate(trainings):
            wanted = [row for row in rows if row.training == training]
            reused = all(self.results.has(row, self.seed) for row in wanted)
            if not reused:
                job = self.seed * len(trainings) + index
                yield from self._train(training, job, self.settings.seeds * len(trainings))
                if self.stop.is_set() or not self._score(training, wanted):
                    return
            for row in wanted:
                scores = self.results.load(row, self.seed)
                yield Scored(row, self.seed, scores.pixel_f1 if scores else None, reused)

    def _train(self, name: str, job: int, jobs: int) -> Iterator[Training]:
        """Train, unless it was done before."""
        if self.results.training(self.seed, name).exists():
            return
        run = self.results.under_way(self.seed, name, keep=name == SELF_TRAINING)
        for event in self._run(name, run):
            if isinstance(event, Step):
                yield Training(self.seed, name, job, jobs, event.step, event.steps)
            elif isinstance(event, Finished) and not event.stopped:
                self.results.finish(self.seed, name, run)

    def _run(self, name: str, run: Path) -> Iterator[TrainingEvent]:
        """Supervised trainings see labelled micrographs only."""
        settings = self._settings(name)
        known = {path: self.picks[path] for path in self.split.labelled}
        if name == SELF_TRAINING:
            micrographs = self.split.labelled + self.split.unlabelled
            resume = (run / "settings.yaml").exists()
            return self_train(micrographs, known, settings, run, stop=self.stop, resume=resume)
        fields = {field: getattr(settings, field) for field in TrainSettings.model_fields}
        return train(self.split.labelled, known, TrainSettings(**fields), run, stop=self.stop)

    def _score(self, training: str, rows: Sequence[Row]) -> bool:
        """Test the models of a training, each once; False if stopped."""
        for number, group in groupby(rows, lambda row: row.iteration):
            of_model = list(group)
            scores = self._scores(training, number, of_model)
            if scores is None:
                return False
            for row, figures in zip(of_model, scores, strict=True):
                self.results.save(row, self.seed, figures)
        return True

    def _scores(
        self, training: str, number: int, rows: Sequence[Row]
    ) -> Sequence[Scores | None] | None:
        """The figures of one model; None each where there is no such model."""
        run = self.results.training(self.seed, training)
        model = next(run.glob(f"iteration_{number}_*/{WEIGHTS}"), None)
        if model is None:
            return [None] * len(rows)
        settings = self._settings(training)
        evidence = examine(model, self.split.test, self.picks, self._examples, settings, self.stop)
        return [evidence.scores(row.adaptive) for row in rows] if evidence else None

    def _settings(self, training: str) -> SelfTrainSettings:
        return self.settings.of_training(self.seed, TRAININGS[training])

    @cached_property
    def _examples(self) -> list[Example]:
        """The labelled micrographs, with what every training of this seed holds out of them."""
        known = {path: self.picks[path] for path in self.split.labelled}
        return load_examples(self.split.labelled, known, {}, self._settings(SELF_TRAINING))
