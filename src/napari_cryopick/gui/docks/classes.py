"""The dock *2D classes*."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from math import isfinite
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
from napari.components import ViewerModel
from napari.layers import Image, Layer, Points
from qtpy.QtCore import Qt
from qtpy.QtWidgets import (
    QFileDialog,
    QLabel,
    QPushButton,
    QSizePolicy,
    QSlider,
)
from superqt import QLabeledDoubleSlider

from ...classification import CANDIDATE, ClassifySettings
from ...classification.events import Aligned, Averaged, ClassificationEvent, Classified, Cut
from ...errors import CryopickError
from ...io.class_folder import PICTURE, write_classes
from ...micrograph import Failed
from ...picks import Picks, PickSet
from ..layers.classes import (
    MARK_COLOURS,
    Mark,
    PickClasses,
    candidates,
    class_numbers,
    classes_of,
    describe_marks,
    exported,
    members_of,
    refine_scores,
    remove_junk,
    set_classes,
    show_members,
)
from ..layers.crops import Crop, cut_crops
from ..layers.curation import threshold_of
from ..layers.layers import PICKS, diameter_px, look_at, role_of, stack_of
from ..layers.stack import ensure_stack, write_files
from ..widgets.form import SettingsForm
from ..widgets.gallery import Gallery, Tile, grey_picture
from ..widgets.jobs import JobControl, JobError, LatestWorker, Work, duration, pluralise, throttled
from ..widgets.layout import Dock, folded, form_rows, side_by_side
from ..widgets.micrographs import LayerCombo, MicrographChooser
from ..widgets.plot import import_matplotlib

_MOST_CROPS = 30
"""More than one looks at, from as many micrographs at most."""

_TILE_PX, _SMALLEST_PX, _LARGEST_PX, _CROP_PX = 72, 40, 200, 64

_NO_PICKS = "There are no picks to classify; predict particles, or open a file of picks."
_ADVANCED = ("seed", "device")
_LETTERS = {"P": Mark.PARTICLE, "J": Mark.JUNK, "U": Mark.NONE}

Event = ClassificationEvent | PickClasses | None


class ClassesDock(Dock):
    """Average picks in classes, look at them, and mark which are particles and which are junk."""

    def __init__(self, napari_viewer: ViewerModel) -> None:
        super().__init__(napari_viewer)
        self.micrographs = MicrographChooser(self)
        self.picks = LayerCombo(self, self._are_picks_here)
        self.form = SettingsForm(ClassifySettings, ("classes", *_ADVANCED))
        self.lowest = QLabeledDoubleSlider(Qt.Orientation.Horizontal)
        self.job = JobControl("Classify", self)
        self.gallery = Gallery(_TILE_PX, "Classify picks to see their class averages here.")
        self.tile_size = QSlider(Qt.Orientation.Horizontal)
        self.strip = Gallery(_CROP_PX, "Select classes to see some members.", one_row=True)
        self.marks = {mark: QPushButton() for mark in _LETTERS.values()}
        self.counts = QLabel(wordWrap=True)
        self.remove = QPushButton("Remove junk")
        self.refine = QPushButton("Refine scores")
        self.train = QPushButton("Train…")
        self.export = QPushButton("Export…")
        self._followed: Points | None = None
        self._layer: Points | None = None
        self._failed: list[str] = []
        self._begun = 0.0
        self._places: list[list[float]] = []
        self._cropping, self._exporting = LatestWorker(self), LatestWorker(self)
        self._show_soon = throttled(self._show, self)
        self._explain()
        self._arrange()
        self._connect()

    def classify(self) -> tuple[Image, Work]:
        """Return the work of classifying the picks as they are now."""
        image, layer = self.micrographs.require(), self.picks.layer()
        sizes = self.micrographs.sizes()
        settings = self.form.settings(**sizes)
        picks = {} if layer is None else candidates(layer, self.lowest.value())
        if not picks:
            raise CryopickError(_NO_PICKS)
        stack, self._layer = ensure_stack(image), layer
        self._failed, self._begun = [], perf_counter()

        def work(stop: threading.Event) -> Iterator[Event]:
            from ...classification.classify import classify_micrographs

            write_files(image, stack)
            for event in classify_micrographs(list(picks), picks, settings, stop):
                yield _judged(event, picks, sizes) if isinstance(event, Classified) else event
            if stop.is_set():
                yield None

        return image, work

    def mark(self, mark: Mark) -> None:
        """Mark the classes that are selected."""
        layer, numbers = self.picks.layer(), self._selected()
        classes = classes_of(layer)
        if classes is not None and numbers:
            set_classes(layer, classes.with_mark(numbers, mark))

    def remove_junk(self) -> None:
        """Reject the members of the classes that are marked as junk."""
        layer = self.viewer.layers.selection.active = self.picks.layer()
        count = remove_junk(layer)
        self.job.say(f"{pluralise(count, 'pick')} of junk classes removed; Ctrl+Z takes it back.")

    def refine_scores(self) -> None:
        """Have the scores of the picks count what the classes say."""
        layer = self.viewer.layers.selection.active = self.picks.layer()
        refine_scores(layer)
        self.job.say(
            f"Scores refined: {pluralise(int(layer.shown.sum()), 'pick')} from the threshold "
            f"{threshold_of(layer):.2f} on; Ctrl+Z takes it back."
        )

    # classifying

    def _on_event(self, event: Event) -> Iterator[None]:
        match event:
            case Cut() | Failed():
                self._on_cut(event)
            case Aligned():
                self._on_aligned(event)
            case Averaged():
                self._show_averages(event)
            case PickClasses():
                self._on_classes(event)
            case None:
                self.job.say("Stopped. Classes unchanged.")
        yield

    def _on_cut(self, event: Cut | Failed) -> None:
        if isinstance(event, Failed):
            self._failed.append(event.message)
        done = event.index + 1
        left = (perf_counter() - self._begun) / done * (event.total - done)
        self.job.show_progress(done, event.total, left)
        self.job.say("Cutting out particles…")
        if done == event.total:
            self._begun = perf_counter()

    def _on_aligned(self, event: Aligned) -> None:
        done = min(1.0, event.done / event.total)
        left = (perf_counter() - self._begun) * (1 / done - 1)
        self.job.show_progress(round(100 * done), 100, left)
        self.job.progress.setFormat(f"{done:.0%}, {duration(left)} left")

    def _show_averages(self, event: Averaged) -> None:
        """Show the averages as they take shape."""
        last = event.number == event.total
        what = "Comparing averages of halves…" if last else "Aligning and averaging…"
        self.job.say(f"Pass {event.number} of {event.total} done. {what}")
        averages = zip(event.averages, event.members.tolist(), strict=True)
        self.gallery.show_tiles(
            [
                Tile(-1 - row, grey_picture(average), (f"{members:,}", ""), faint=not members)
                for row, (average, members) in enumerate(averages)
            ]
        )

    def _on_classes(self, classes: PickClasses) -> None:
        layer = self._layer
        if layer is None or layer not in self.viewer.layers:
            self.job.say("The picks were removed, and their classes with them.", wrong=True)
            return
        set_classes(layer, classes)
        members = int(classes.found.members.sum())
        outside = len(classes.found.picks) - members
        sentence = f"{pluralise(members, 'pick')} in {len(classes.found)} classes"
        sentence += f", {outside:,} too near to an edge" * bool(outside)
        failed = f" {len(self._failed)} left out: {self._failed[-1]}" if self._failed else ""
        self.job.say(f"{sentence}.{failed}", wrong=bool(failed))
        self.job.status.setToolTip("\n".join(self._failed))

    # what is shown

    def _are_picks_here(self, layer: Layer) -> bool:
        image = self.micrographs.image
        here = image is not None and stack_of(layer) == stack_of(image)
        return here and role_of(layer) == PICKS

    def _on_image(self) -> None:
        self.picks.refresh()
        self._on_picks()

    def _on_picks(self) -> None:
        """Follow the picks layer that is chosen."""
        self._stop_following()
        layer = self._followed = self.picks.layer()
        if layer is not None:
            for changed in (layer.events.metadata, layer.events.features):
                changed.connect(self._show_soon)
        self._show()

    def _stop_following(self) -> None:
        if self._followed is not None:
            for changed in (self._followed.events.metadata, self._followed.events.features):
                changed.disconnect(self._show_soon)
        self._followed = None

    def _show(self) -> None:
        """Show the classes of the picks, and what they are marked as."""
        layer = self.picks.layer()
        classes = classes_of(layer)
        for button in (self.export, *self.marks.values()):
            button.setEnabled(classes is not None)
        marked = classes is not None and any(map(classes.marked, (Mark.PARTICLE, Mark.JUNK)))
        self.train.setEnabled(marked)
        self.refine.setEnabled(classes is not None and classes.refined is not None)
        self.remove.setEnabled(classes is not None and bool(classes.marked(Mark.JUNK)))
        if self.job.running is not None and self._layer is layer:
            return
        if classes is None:
            self.gallery.show_tiles([])
            self.counts.setText("")
            return
        members = members_of(layer)
        self.gallery.show_tiles([_tile(classes, n, members[n]) for n in classes.ranking])
        self.counts.setText(describe_marks(layer))
        self._on_selected()

    def _on_job(self) -> None:
        if self.job.running is None:
            self._show()

    def _selected(self) -> list[int]:
        """Return the numbers of the classes selected; those that take shape have none yet."""
        return [key for key in self.gallery.selected_keys() if key > 0]

    def _on_selected(self) -> None:
        """Light up the members of what is selected, and show crops of some."""
        image, layer = self.micrographs.image, self.picks.layer()
        numbers = self._selected()
        if image is None or image not in self.viewer.layers:
            return
        show_members(self.viewer, image, layer, numbers)
        places = [] if layer is None else _some_members(layer, numbers)
        paths, diameter = ensure_stack(image).paths, diameter_px(image)
        if places != self._places:
            self._places = places
            self._cropping.ask(lambda: list(cut_crops(places, paths, diameter)))

    def _on_crops(self, crops: Sequence[Crop] | JobError) -> None:
        if isinstance(crops, JobError):
            self.job.say(crops.message, wrong=True)
            return
        tiles = [
            Tile((c.index, c.position), grey_picture(c.pixels), tip="Go there.") for c in crops
        ]
        self.strip.show_tiles(tiles)

    def _go_to(self) -> None:
        """Look at the pick whose crop was clicked."""
        image = self.micrographs.image
        for index, position in self.strip.selected_keys():
            if image is not None:
                look_at(self.viewer, image, index, position)

    # what follows

    def export_to(self, folder: Path) -> None:
        """Write the folder that `napari-cryopick classify` writes, with marks as verdicts."""
        classes = classes_of(self.picks.layer())
        if classes is None:
            return

        def write() -> str:
            from ...classification.pictures import draw_classes

            import_matplotlib()
            written = exported(classes)
            write_classes(folder, written)
            draw_classes(folder / PICTURE, written)
            return f"{len(written)} class averages exported to {folder}."

        self._exporting.ask(write)

    def _on_exported(self, done: str | JobError) -> None:
        wrong = isinstance(done, JobError)
        self.job.say(done.message if isinstance(done, JobError) else done, wrong)

    def open_training(self) -> None:
        """Open the dock *Train*, which takes members of marked classes for labels."""
        window: Any = self.viewer.window
        area, _ = window.add_plugin_dock_widget("napari-cryopick", "Train", tabify=True)
        area.show()
        area.raise_()

    def _choose_export(self) -> None:
        start = str(ensure_stack(self.micrographs.require()).paths[0].parent)
        if folder := QFileDialog.getExistingDirectory(self, "Export class averages to", start):
            self.export_to(Path(folder))

    # the parts

    def _connect(self) -> None:
        self.micrographs.chosen.connect(self._on_image)
        self.picks.chosen.connect(self._on_picks)
        self.job.asked.connect(lambda: self.job.run(self.classify, self._on_event))
        self.job.changed.connect(self._on_job)
        self.tile_size.valueChanged.connect(self.gallery.set_edge)
        self.gallery.selected.connect(throttled(self._on_selected, self))
        self.gallery.typed.connect(self._on_typed)
        self.strip.selected.connect(self._go_to)
        self._cropping.done.connect(self._on_crops)
        self._exporting.done.connect(self._on_exported)
        for mark, button in self.marks.items():
            button.clicked.connect(lambda *_, mark=mark: self.mark(mark))
        self.remove.clicked.connect(self.remove_junk)
        self.refine.clicked.connect(self.refine_scores)
        self.train.clicked.connect(self.open_training)
        self.export.clicked.connect(self._choose_export)
        self.closed.connect(self._stop_following)
        self.closed.connect(self._cropping.leave)

    def _on_typed(self, letter: str) -> None:
        if letter in _LETTERS:
            self.mark(_LETTERS[letter])

    def _explain(self) -> None:
        """Say what buttons and sliders do."""
        for widget, tip in (
            (self.lowest, "Classify the model's picks from this score on, shown or not."),
            (self.tile_size, "Size of the averages."),
            (self.remove, "Reject the members of junk classes; Ctrl+Z takes it back."),
            (self.refine, "Scores count the class of a pick and its likeness; marks do not."),
            (self.train, "Train with members of particle classes as picks, of junk as rejected."),
            (self.export, "Write class averages, a table of them, and the picks with their class."),
        ):
            widget.setToolTip(tip)
        for letter, mark in _LETTERS.items():
            button = self.marks[mark]
            word = "Unmark" if mark is Mark.NONE else mark.capitalize()
            button.setText(f"{word} ({letter})")
            button.setToolTip("Mark the classes that are selected.")
            button.setFocusPolicy(Qt.FocusPolicy.NoFocus)  # so that letters still mark

    def _arrange(self) -> None:
        self.lowest.setRange(0, 1)
        self.lowest.setDecimals(2)
        self.lowest.setValue(CANDIDATE)
        self.tile_size.setRange(_SMALLEST_PX, _LARGEST_PX)
        self.tile_size.setValue(_TILE_PX)
        expanding = QSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        expanding.setVerticalStretch(1)
        self.gallery.setSizePolicy(expanding)
        self.gallery.setMinimumHeight(220)
        self.strip.setFixedHeight(_CROP_PX + 24)
        self.lay_out(
            form_rows(
                self.micrographs.rows()[0],
                ("Picks", self.picks),
                *self.micrographs.rows()[1:],
                ("Lowest score", self.lowest),
                *self.form.rows("classes"),
            ),
            self.micrographs.hint,
            folded("Advanced", *self.form.rows(*_ADVANCED)),
            self.job.button,
            self.job.progress,
            form_rows(("Tile size", self.tile_size)),
            self.gallery,
            side_by_side(*self.marks.values()),
            self.strip,
            self.counts,
            side_by_side(self.remove, self.refine, self.train, self.export),
            self.job.status,
        )


def _judged(
    result: Classified, picks: Mapping[Path, Picks], sizes: Mapping[str, float | None]
) -> PickClasses:
    from ...classification.classify import class_folder
    from ...classification.refine import refine

    def named(tables: Mapping[Path, Picks]) -> PickSet:
        by_name = {str(path): table for path, table in tables.items()}
        diameter = sizes["diameter_angstrom"]
        return PickSet(by_name, sizes["pixel_size_angstrom"], diameter_angstrom=diameter)

    refined = refine(picks, result)
    found = class_folder(result, {path: str(path) for path in picks}, named(picks))
    return PickClasses(found, None if refined is None else named(refined))


def _some_members(layer: Points, numbers: Sequence[int]) -> list[list[float]]:
    """Return places (slice, y, x) of some members of classes, evenly spread over the layer."""
    members = np.flatnonzero(np.isin(class_numbers(layer), numbers))
    count = min(len(members), _MOST_CROPS)
    places: list[list[float]] = layer.data[
        members[np.linspace(0, len(members) - 1, count).astype(int)]
    ].tolist()
    return places


def _tile(classes: PickClasses, number: int, members: int) -> Tile:
    row, mark, found = number - 1, classes.mark(number), classes.found
    share, resolution = found.expected_shares[row], found.resolutions_angstrom[row]
    figures = [f"{share:.0%}"] * isfinite(share) + [f"{resolution:.0f} Å"] * isfinite(resolution)
    known = f", expected share of particles {share:.0%}" if isfinite(share) else ""
    return Tile(
        number,
        grey_picture(found.averages[row]),
        (f"{members:,}", " · ".join(figures)),
        "" if mark is Mark.NONE else MARK_COLOURS[mark],
        "" if mark is Mark.NONE else mark[0].upper(),
        faint=not members,
        tip=f"Class {number}: {pluralise(members, 'pick')}{known} ({found.verdicts[row]})",
    )
