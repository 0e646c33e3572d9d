"""Functions for notebooks and scripts; the docks and the command line stand on the same ones."""

from __future__ import annotations

import warnings
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from . import runs
from .classification import ClassifySettings
from .detection import PredictSettings
from .detection.events import DiameterResult, Predicted
from .errors import CryopickError, warn
from .extraction import ExtractSettings, Stack, extract_particles, stack_star
from .io import find_micrographs, left_out, match_picks, read_picks
from .io.class_folder import ClassFolder, write_classes
from .io.ctf import with_ctf
from .io.matching import match_names
from .micrograph import Failed
from .model.registry import DEFAULT
from .picks import Picks, PickSet, common_value, join_picks
from .training.class_marks import ClassMarks
from .training.events import Finished, LeftOut, TrainingEvent
from .training.settings import SelfTrainSettings, TrainSettings

if TYPE_CHECKING:
    from .classification.events import Classified
    from .metrics.particles import ParticleScores

Files = str | Path | Iterable[str | Path]
"""Files, folders, globs or lists: one, or several."""

PicksOrFile = PickSet | str | Path
"""A table of picks, or the file that holds it."""


def predict(
    micrographs: Files,
    diameter_angstrom: float | None = None,
    model: str | Path = DEFAULT,
    **settings: Any,
) -> PickSet:
    """Find the particles in micrographs.

    A micrograph that cannot be used is reported as a warning, and the others go on.

    Parameters
    ----------
    micrographs
        Files, folders, globs or lists.
    diameter_angstrom
        Particle diameter in Å; estimated from three of the micrographs if left out.
    model
        A name that ``napari-cryopick models`` lists, a weights file, or a run folder.
    **settings
        Further fields of `napari_cryopick.detection.PredictSettings`, such as
        `pixel_size_angstrom` (by default that in the files), `threshold` (lowest score kept, in
        [0, 1]; by default the model's own) and `device`.

    Returns
    -------
    PickSet
        Picks by path of the micrograph, with scores in [0, 1] that estimate the probability of
        being a particle. Those at the border or on contamination say so in their status.

    Raises
    ------
    CryopickError
        If there are no such micrographs or model, no micrograph could be used, or no diameter
        could be estimated.
    pydantic.ValidationError
        If a setting does not exist or is out of range.

    Examples
    --------
    >>> picks = cryopick.predict("micrographs", diameter_angstrom=160)
    >>> for path, found in picks.by_micrograph.items():
    ...     print(Path(path).name, found.positions.shape[1])  # y and x in px
    simulated_0001.mrc 2
    simulated_0002.mrc 2
    >>> sure = cryopick.predict("micrographs", diameter_angstrom=160, threshold=0.9)
    >>> len(sure) <= len(picks)
    True
    """
    from .detection.diameter import estimate_diameter
    from .detection.predict import predict_many

    paths = _files(micrographs)
    if diameter_angstrom is None:
        known = {k: settings[k] for k in ("pixel_size_angstrom", "device") if k in settings}
        *_, result = estimate_diameter(paths, str(model), **known)
        diameter_angstrom = round(cast("DiameterResult", result).angstrom, 1)
    chosen = PredictSettings(diameter_angstrom=diameter_angstrom, model=str(model), **settings)
    by_micrograph, sizes, failures = {}, [], []
    for event in predict_many(paths, chosen):
        if isinstance(event, Predicted):
            by_micrograph[str(event.path)] = event.picks
            if event.micrograph.note:
                warnings.warn(f"{event.path}: {event.micrograph.note}.", stacklevel=2)
            sizes.append(event.micrograph.pixel_size_angstrom)
        else:
            failures.append(event.message)
            warnings.warn(event.message, stacklevel=2)
    if not by_micrograph:
        raise CryopickError(failures[0])
    return PickSet(by_micrograph, common_value(sizes), diameter_angstrom=diameter_angstrom)


def train(
    micrographs: Files,
    picks: PicksOrFile | None = None,
    diameter_angstrom: float | None = None,
    output: str | Path = "run",
    endings: Iterable[str] = (),
    classes: str | Path | None = None,
    particle: Collection[int] = (),
    junk: Collection[int] = (),
    **settings: Any,
) -> Finished:
    """Train a model on some picks, on marked classes, or on a structure.

    What is not picked counts as unknown, not as background.

    Parameters
    ----------
    micrographs
        Files, folders, globs or lists.
    picks
        Particles on some of them, as a table or a file; ten are enough to begin with. None to
        train on `classes` or a `structure`.
    diameter_angstrom
        Particle diameter in Å; by default that of the structure.
    output
        New folder for the run; `predict` takes it as `model`.
    endings
        What programs put behind names, such as "_flattened", so that "a.mrc" means
        "a_flattened.mrc"; the usual ones are known.
    classes, particle, junk
        Folder that ``napari-cryopick classify`` wrote, and the numbers of its classes that are
        particles and junk; of members of other classes nothing is known. Where both speak, `picks`
        decide.
    **settings
        Further fields of `napari_cryopick.training.settings.TrainSettings`, such as
        `pixel_size_angstrom` (by default that in the files), `complete` (every particle of the
        labelled micrographs is picked), `initial_model`, `structure`, `steps` and `seed`.

    Returns
    -------
    Finished
        With the weights file (`model`) and figures by name (`metrics`): F1, precision, recall and
        average precision, NaN where no complete labels were held out, and the threshold.

    Raises
    ------
    CryopickError
        If the picks belong to other micrographs, no class is marked or a marked one does not
        exist, there is nothing to train on, there are picks as well as a `structure`, or `output`
        holds a run.
    pydantic.ValidationError
        If a setting does not exist or is out of range.

    Examples
    --------
    >>> run = cryopick.train("micrographs", "clicks.star", diameter_angstrom=160, steps=5)
    >>> run.model.name
    'model.safetensors'
    >>> picks = cryopick.predict("micrographs", diameter_angstrom=160, model="run")
    """
    diameter = diameter_angstrom or _diameter_of(settings.get("structure"))
    chosen = TrainSettings(diameter_angstrom=diameter, **settings)
    marks = None if classes is None else ClassMarks(Path(classes), particle, junk)
    inputs = training_input(micrographs, picks, endings, marks)
    return _finished(runs.train(*inputs, chosen, Path(output)))


def self_train(
    micrographs: Files,
    picks: PicksOrFile | None = None,
    diameter_angstrom: float | None = None,
    output: str | Path = "run",
    resume: bool = False,
    endings: Iterable[str] = (),
    classes: str | Path | None = None,
    particle: Collection[int] = (),
    junk: Collection[int] = (),
    **settings: Any,
) -> Finished:
    """Train a model, then train it further on its own labels of all micrographs, in rounds.

    With `complete` picks some are held out, and a round is kept only if it is better on them.
    Without, no round replaces the initial model by itself.

    Parameters
    ----------
    micrographs, picks, diameter_angstrom, output
        As for `train`. Without picks and classes the initial model is used as it is.
    resume
        Go on with the run in `output`, or add rounds to it.
    endings, classes, particle, junk
        As for `train`.
    **settings
        Further fields of `napari_cryopick.training.settings.SelfTrainSettings`: those of `train`,
        and `rounds`, `round_steps`, `recipe` and others.

    Returns
    -------
    Finished
        As for `train`, for the best iteration; `advice` says what to do next.

    Raises
    ------
    CryopickError
        As for `train`, and if the run in `output` was begun with other settings or labels.
    pydantic.ValidationError
        If a setting does not exist or is out of range.

    Examples
    --------
    >>> run = cryopick.self_train(
    ...     "micrographs", "clicks.star", diameter_angstrom=160, rounds=1, steps=5, round_steps=5
    ... )
    >>> run.model.parent.name
    'iteration_0_supervised'
    """
    diameter = diameter_angstrom or _diameter_of(settings.get("structure"))
    chosen = SelfTrainSettings(diameter_angstrom=diameter, **settings)
    marks = None if classes is None else ClassMarks(Path(classes), particle, junk)
    inputs = training_input(micrographs, picks, endings, marks)
    return _finished(runs.train(*inputs, chosen, Path(output), resume=resume))


def evaluate(
    picks: PicksOrFile,
    truth: PicksOrFile,
    diameter_angstrom: float,
    pixel_size_angstrom: float | None = None,
    ignored: PicksOrFile | None = None,
    endings: Iterable[str] = (),
) -> ParticleScores:
    """Score picks against annotated particles.

    A pick is right if it lies within half a diameter of a particle that no closer pick has taken.
    Every micrograph in `truth` counts, with picks or without; picks elsewhere do not.

    Parameters
    ----------
    picks, truth
        Picks to score, and all particles of the annotated micrographs: read already, or a file.
    diameter_angstrom
        Particle diameter in Å.
    pixel_size_angstrom
        Pixel size in Å; by default that in the files.
    ignored
        Places that may or may not be particles: picks there are neither right nor wrong.
    endings
        What programs put behind names, as for `train`.

    Returns
    -------
    ParticleScores
        Precision, recall and F1 as means of the micrographs (`macro`) and of all picks together
        (`micro`), average precision, best F1, calibration error and centre error in px and Å.

    Raises
    ------
    CryopickError
        If a file cannot be read, the picks belong to other micrographs, or neither file says the
        pixel size.

    Examples
    --------
    >>> picks = cryopick.predict("micrographs", diameter_angstrom=160)
    >>> scores = cryopick.evaluate(picks, "particles.star", diameter_angstrom=160)
    >>> scores.micrographs
    2
    >>> 0 <= scores.macro.f1 <= 1
    True
    """
    from .metrics.particles import score_particles

    found, annotated = _picks(picks), _picks(truth)
    size = pixel_size_angstrom or annotated.pixel_size_angstrom or found.pixel_size_angstrom
    if not size:
        raise CryopickError("Neither the picks nor the truth say the pixel size; give it in Å.")
    micrographs = {Path(name): particles for name, particles in annotated.by_micrograph.items()}
    return score_particles(
        match_picks(found, list(micrographs), endings),
        micrographs,
        diameter_angstrom / size,
        size,
        ignored=None
        if ignored is None
        else match_picks(_picks(ignored), list(micrographs), endings),
    )


def extract(
    micrographs: Files,
    picks: PicksOrFile,
    box_px: int,
    output: str | Path,
    endings: Iterable[str] = (),
    **settings: Any,
) -> Stack:
    """Cut particles out of micrographs, for 2D classification in RELION or cryoSPARC.

    Particles are bright, and their background has mean 0 and standard deviation 1. Those whose
    box leaves the micrograph, and flagged picks, are left out. A micrograph that cannot be used
    is reported as a warning, and the others go on.

    Parameters
    ----------
    micrographs
        Files, folders, globs or lists; RELION's list after CTF estimation also gives CTF values.
    picks
        Particles on some of them, as a table or a file.
    box_px
        Edge of the boxes in px of the micrograph.
    output
        File for the images, .mrcs; the STAR beside it has the same name.
    endings
        As for `train`.
    **settings
        Further fields of `napari_cryopick.extraction.ExtractSettings`: `bin` (micrograph px per px
        of the images), `pixel_size_angstrom` (by default that in the files), `voltage_kilovolt`
        and others.

    Returns
    -------
    Stack
        Where the images (`path`) and the `star` are, how many `particles`, `size` in px and
        `pixel_size_angstrom` of the images, and whether their CTF is known (`has_ctf`).

    Raises
    ------
    CryopickError
        If a file cannot be read or written, or no particle is left.
    pydantic.ValidationError
        If a setting does not exist or is out of range.

    Examples
    --------
    >>> stack = cryopick.extract("micrographs", "clicks.star", 48, "stack.mrcs", bin=2)
    >>> stack.star.name, stack.size, stack.pixel_size_angstrom
    ('stack.star', 24, 8.0)
    """
    chosen = ExtractSettings(box_px=box_px, **settings)
    inputs = extraction_input(micrographs, picks, Path(output), endings)
    for event in extract_particles(*inputs, chosen, Path(output)):
        if isinstance(event, Failed):
            warnings.warn(event.message, stacklevel=2)
    return cast("Stack", event)


def extraction_input(
    micrographs: Files, picks: PicksOrFile, output: Path, endings: Iterable[str] = ()
) -> tuple[dict[Path, str], PickSet]:
    """Return micrographs with their names in the picks, and the picks with known CTF values."""
    sources = [Path(source).expanduser() for source in _sources(micrographs)]
    paths, star = find_micrographs(sources), stack_star(output)
    is_input = not isinstance(picks, PickSet) and star.absolute() == Path(picks).absolute()
    if is_input or (star.exists() and not output.exists()):
        raise CryopickError(f"{star} would be replaced by the stack's; choose another output.")
    lists = [source for source in sources if source.suffix.lower() == ".star"]
    found = with_ctf(_picks(picks, paths), lists)
    return _names(found, paths, endings), found


def classify(
    micrographs: Files,
    picks: PicksOrFile,
    diameter_angstrom: float,
    output: str | Path | None = None,
    endings: Iterable[str] = (),
    **settings: Any,
) -> ClassFolder:
    """Average picked particles in classes: aligned in the plane, alike with alike.

    Flagged picks, and those whose box of 1.5 diameters leaves the micrograph, have class 0. A
    micrograph that cannot be used is reported as a warning, and the others go on.

    Parameters
    ----------
    micrographs
        Files, folders, globs or lists.
    picks
        Particles on some of them, as a table or a file.
    diameter_angstrom
        Particle diameter in Å.
    output
        Folder to write the classes to.
    endings
        As for `train`.
    **settings
        Further fields of `napari_cryopick.classification.ClassifySettings`: `pixel_size_angstrom`
        (by default that in the files), `classes` (how many), `seed` and `device`.

    Returns
    -------
    ClassFolder
        `averages` (K, h, w), `members`, `expected_shares` of true particles, `resolutions_angstrom`
        and `verdicts` of each class, and the `picks` with their class in a column.

    Raises
    ------
    CryopickError
        If a file cannot be read, or no particle can be cut out.
    pydantic.ValidationError
        If a setting does not exist or is out of range.

    Examples
    --------
    >>> classes = cryopick.classify("micrographs", "clicks.star", diameter_angstrom=160, classes=2)
    >>> int(classes.members.sum()) <= 10
    True
    """
    from .classification.classify import class_folder, classify_micrographs

    chosen = ClassifySettings(diameter_angstrom=diameter_angstrom, **settings)
    names, found = classification_input(micrographs, picks, endings)
    by_path = {path: found.by_micrograph[name] for path, name in names.items()}
    for event in classify_micrographs(list(names), by_path, chosen):
        if isinstance(event, Failed):
            warnings.warn(event.message, stacklevel=2)
    classes = class_folder(cast("Classified", event), names, found)
    if output is not None:
        write_classes(output, classes)
    return classes


def classification_input(
    micrographs: Files, picks: PicksOrFile, endings: Iterable[str] = ()
) -> tuple[dict[Path, str], PickSet]:
    """Return micrographs with their names in the picks, and the picks."""
    paths = _files(micrographs)
    found = _picks(picks, paths)
    return _names(found, paths, endings), found


def training_input(
    micrographs: Files,
    picks: PicksOrFile | None,
    endings: Iterable[str] = (),
    marks: ClassMarks | None = None,
) -> tuple[list[Path], dict[Path, Picks]]:
    """Return the paths of micrographs, and the picks of those that have some.

    Members of marked classes are among them, see `napari_cryopick.training.class_marks`.
    """
    paths = _files(micrographs)
    given = [] if picks is None else [_picks(picks, paths)]
    given += [] if marks is None else [marks.read(paths)]
    by_micrograph: dict[Path, list[Picks]] = {}
    for found in given:
        matched = match_picks(found, paths, endings)
        if others := left_out(found, matched):
            warn(others)
        for path, table in matched.items():
            by_micrograph.setdefault(path, []).append(table)
    return paths, {path: join_picks(tables) for path, tables in by_micrograph.items()}


def _names(found: PickSet, paths: Sequence[Path], endings: Iterable[str]) -> dict[Path, str]:
    """Return what micrographs are called in picks, and warn of picks on others."""
    if others := left_out(found, match_picks(found, paths, endings)):
        warn(others)
    meant = match_names([*found.by_micrograph], paths, endings)
    return {path: meant[path] for path in paths if path in meant}


def _finished(events: Iterable[TrainingEvent]) -> Finished:
    """Follow a training to its end; micrographs that cannot be used are warnings."""
    for event in events:
        for message in event.messages if isinstance(event, LeftOut) else ():
            warnings.warn(message, stacklevel=3)
    return cast("Finished", event)


def _files(micrographs: Files) -> list[Path]:
    return find_micrographs(_sources(micrographs))


def _sources(micrographs: Files) -> Iterable[str | Path]:
    return [micrographs] if isinstance(micrographs, str | Path) else micrographs


def _picks(picks: PicksOrFile, micrographs: Sequence[Path] = ()) -> PickSet:
    return picks if isinstance(picks, PickSet) else read_picks(picks, micrographs)


def _diameter_of(structure: str | Path | None) -> float:
    if structure is None:
        raise CryopickError("The particle diameter is not known; give it in Å.")
    from .pretraining.structure import diameter_of

    return diameter_of(Path(structure))
