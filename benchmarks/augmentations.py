"""What each augmentation brings: the same small training without any, with each alone, and with all of them.

Judged on other objects (a data set of another seed), in windows without thrust and in windows with one burn, as the
ratio of median errors after 30 minutes to least squares, with a bootstrap interval over objects.
"""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from orbwatch.learn.judging.evaluation_sets import draws_of, fitted, series_of, with_burn
from orbwatch.learn.judging.forecasters import NETWORK, Model, reference
from orbwatch.learn.judging.metrics import errors
from orbwatch.learn.judging.significance import median_ratio
from orbwatch.learn.samples.augment import AUGMENTATIONS
from orbwatch.learn.samples.dataset import build
from orbwatch.learn.samples.sequences import SequenceStore
from orbwatch.learn.samples.windows import Windows
from orbwatch.learn.training.train import train
from orbwatch.models.export import export_checkpoints
from orbwatch.models.runtime import TrajectoryForecaster
from orbwatch.settings_groups import DatasetSettings, TrainSettings

OBJECTS, WINDOWS, EPOCHS, SHARE = 200, 40_000, 4, 0.5
JUDGED = DatasetSettings(objects=1000, hours=2.5, seed=8)
THREADS = 2


def run(data: Path) -> str:  # noqa: ARG001
    """The section in Markdown; the data is simulated here."""
    variants = {"none": ""} | {name: name for name in AUGMENTATIONS} | {"all six": ",".join(AUGMENTATIONS)}
    with TemporaryDirectory() as place:
        folder = Path(place)
        build(DatasetSettings(objects=OBJECTS, seed=7), folder / "tracks")
        build(JUDGED, folder / "unseen")
        sets = _sets(SequenceStore.open(folder / "unseen"))
        rows = [_row(name, chosen, folder, sets) for name, chosen in variants.items()]
    return (
        "## Augmentations\n\n"
        f"Networks trained on {WINDOWS:,} windows of {OBJECTS} objects for {EPOCHS} epochs, {SHARE:.0%} of the windows "
        f"augmented; median error after 30 minutes as a ratio to least squares in the field to degree 8, with 95 % "
        f"intervals over objects, on {len(sets['quiet']):,} quiet windows and {len(sets['burn']):,} with one burn of "
        "0.1 to 10 m/s in the history (noise 50 m), of objects that none of them saw.\n\n"
        "| augmentation | best validation loss | quiet | with a burn |\n| --- | --- | --- | --- |\n" + "\n".join(rows)
    )


def _sets(store: SequenceStore) -> dict[str, Windows]:
    series = series_of(store, "train")  # of another seed: the networks saw none of these objects
    return {
        "quiet": fitted(draws_of(series, 1, 1, 50.0, threads=THREADS)),
        "burn": fitted(with_burn(series, 0.1, 10.0, 1, 50.0, 4, THREADS)),
    }


def _row(name: str, chosen: str, folder: Path, sets: dict[str, Windows]) -> str:
    settings = TrainSettings(
        windows=WINDOWS, epochs=EPOCHS, augment=SHARE if chosen else 0.0, augmentations=chosen or "noise", device="cpu"
    )
    run_folder, model_folder = folder / f"run {name}", folder / f"model {name}"
    trained = train(folder / "tracks", run_folder, settings=settings)
    export_checkpoints([trained.best_checkpoint], model_folder)
    model = Model(TrajectoryForecaster.load(model_folder, THREADS))
    cells = [_ratio(model, windows) for windows in sets.values()]
    return f"| {name} | {trained.best_loss:.3f} | {' | '.join(cells)} |"


def _ratio(model: Model, windows: Windows) -> str:
    physics = reference(windows, THREADS)
    assert windows.truth_rv_km is not None
    ours, base = (
        errors(each.rv_km, windows.truth_rv_km).position_km[:, -1]
        for each in (model.predict(windows, physics, NETWORK, 1), physics)
    )
    found = median_ratio(ours, base, np.asarray(windows.object_id))
    return f"{found.estimate:.3f} ({found.low:.3f} .. {found.high:.3f})"
