"""The verbs of learning: make a data set, train, evaluate, look at models.

`train`, `evaluate` and `models pack` need orbwatch[learn]; the others do with orbwatch alone.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from orbwatch.options import FILE, config_option, format_option, group_options, settings_of, terminal_progress

data_option = click.option("--data", type=FILE, required=True, help="Folder that `orbwatch dataset build` made.")


@click.group()
def dataset() -> None:
    """Simulated tracks to learn from: numerically integrated truth, sensors with known noise."""


@dataset.command("build")
@click.option("--output", type=FILE, required=True, help="Folder of the data set; an unfinished one is continued.")
@group_options("dataset")
@config_option
def dataset_build(output: Path, **options: Any) -> None:
    """Simulate objects and sensors and fit every window; the defaults give 1,391,000 windows in under 0.3 GB."""
    from orbwatch import views_learn

    views_learn.build_dataset(settings_of(options).dataset, output, terminal_progress())


@dataset.command("catalog")
@click.option("--history", type=FILE, required=True, help="Element sets over months, with the time each became public.")
@click.option("--output", type=FILE, required=True, help="Folder of the data set; an unfinished one is continued.")
@group_options("asks")
@config_option
def dataset_catalog(history: Path, output: Path, **options: Any) -> None:
    """Ask about the objects of a history again and again: what was known, and what became of them."""
    from orbwatch import views_learn

    views_learn.build_catalog_dataset(settings_of(options).asks, history, output, terminal_progress())


@dataset.command("maneuvers")
@click.option("--history", type=FILE, required=True, help="Element sets over months, of all kinds of objects.")
@click.option("--names", type=FILE, help="Names of the objects by number (TSV), which tell debris and rocket bodies.")
@click.option("--gcat", type=FILE, help="GCAT's table of payloads, which tells who has no engine.")
@click.option("--output", type=FILE, required=True, help="Folder of the data set; an unfinished one is continued.")
@group_options("life")
@config_option
def dataset_maneuvers(history: Path, names: Path | None, gcat: Path | None, output: Path, **options: Any) -> None:
    """Lay burns over the histories of objects that cannot burn: lives of six patterns, in the same orbits each."""
    from orbwatch import views_maneuver_learn

    settings = settings_of(options).life
    views_maneuver_learn.build_maneuvers(settings, history, names, gcat, output, terminal_progress())


@dataset.command("info")
@click.argument("folder", type=FILE)
@format_option("table", "json")
def dataset_info(folder: Path, form: Any) -> None:
    """What a data set holds: objects, windows, units, noise, splits, hashes."""
    from orbwatch import views_learn

    views_learn.show_dataset(folder, form)


@dataset.command("check")
@click.argument("folder", type=FILE)
def dataset_check(folder: Path) -> None:
    """Look for leaks, damage and impossible physics; exit code 1 when something is found."""
    from orbwatch import views_learn

    raise click.exceptions.Exit(views_learn.check_dataset(folder, terminal_progress()))


@click.group()
def train() -> None:
    """Train a network; an interrupted run continues with --resume, to the same weights."""


@train.command("trajectory")
@data_option
@click.option("--output", type=FILE, required=True, help="Folder of the run: checkpoints, logs, loss curve, the model.")
@click.option("--resume", is_flag=True, help="Go on from the run's last checkpoint.")
@group_options("train")
@group_options("network")
@config_option
def train_trajectory(data: Path, output: Path, resume: bool, **options: Any) -> None:
    """The short-arc forecaster: what least squares on a noisy track leaves over, and how far it can be off."""
    from orbwatch import views_learn

    views_learn.train_trajectory(data, output, settings_of(options), resume, terminal_progress())


@train.command("catalog")
@click.option("--data", type=FILE, required=True, help="Folder that `orbwatch dataset catalog` made.")
@click.option("--history", type=FILE, required=True, help="The history that it was made from.")
@click.option("--output", type=FILE, required=True, help="Folder of the run: checkpoints, logs, loss curve, the model.")
@click.option("--resume", is_flag=True, help="Go on from the run's last checkpoint.")
@group_options("train", "loss", "augment", "augmentations", "burn_repeat")
@group_options("network", "uncertainty_features")
@config_option
def train_catalog(data: Path, history: Path, output: Path, resume: bool, **options: Any) -> None:
    """The catalogue's forecaster: what SGP4 from the newest element set leaves over, and how far it can be off."""
    from orbwatch import views_learn

    views_learn.train_catalog(data, history, output, settings_of(options), resume, terminal_progress())


@train.command("trees")
@click.option("--history", type=FILE, required=True, help="The history that the data set of askings was made from.")
@click.option("--output", type=FILE, required=True, help="Folder of the trees; regimes that are there are kept.")
@group_options("asks")
@group_options("boost")
@config_option
def train_trees(history: Path, output: Path, **options: Any) -> None:
    """Boosted trees that time objects along their orbits, for `models pack --trees`: the networks' rivals and partners.

    Give the settings of askings that the data set was made with: they say which objects and times are trained on.
    """
    from orbwatch import views_learn

    views_learn.train_trees(history, output, settings_of(options), terminal_progress())


@train.command("maneuver")
@click.option("--lives", type=FILE, multiple=True, help="Data set of simulated maneuvers; can be given again.")
@click.option("--history", type=FILE, help="Element sets of real satellites whose burns are known.")
@click.option("--burns", type=FILE, help="Their operators' lists of burns: a file or a folder.")
@click.option("--start", type=FILE, help="Begin with the weights of this checkpoint, to tune them to other data.")
@click.option("--output", type=FILE, required=True, help="Folder of the run: the gaps, checkpoints, logs, the model.")
@click.option("--resume", is_flag=True, help="Go on from the run's last checkpoint.")
@group_options("train", "loss", "beta", "physics", "horizons", "augment", "augmentations")
@group_options("classifier")
@config_option
def train_maneuver(
    lives: tuple[Path, ...],
    history: Path | None,
    burns: Path | None,
    start: Path | None,
    output: Path,
    resume: bool,
    **options: Any,
) -> None:
    """The maneuver classifier: which gaps between element sets hold a maneuver, of what kind; patterns of life."""
    if (history is None) != (burns is None):
        raise click.UsageError("--history and --burns go together.")
    from orbwatch import views_maneuver_learn

    given = views_maneuver_learn.Given(lives, history, burns, start)
    views_maneuver_learn.train_maneuver(given, output, settings_of(options), resume, terminal_progress())


@train.command("detector")
@click.option("--history", type=FILE, required=True, help="Element sets of satellites whose burns are known.")
@click.option("--burns", type=FILE, required=True, help="Their operators' lists of burns: a file or a folder.")
@click.option("--lives", type=FILE, help="Data set of simulated maneuvers.")
@click.option("--quiet", type=FILE, help="Element sets of objects that cannot maneuver, which also teach.")
@click.option("--output", type=FILE, required=True, help="Folder of the model.")
@group_options("detector")
@config_option
def train_detector(
    history: Path, burns: Path, lives: Path | None, quiet: Path | None, output: Path, **options: Any
) -> None:
    """Boosted trees that find the gaps between element sets in which an object maneuvered."""
    from orbwatch import views_maneuver_learn

    settings = settings_of(options)
    views_maneuver_learn.train_detector(history, burns, lives, quiet, output, settings, terminal_progress())


@click.group()
def evaluate() -> None:
    """Measure models against physics on objects they never saw."""


@evaluate.command("trajectory")
@click.option("--baseline", type=FILE, required=True, help="Model trained on few windows (88, say).")
@click.option("--scaled", type=FILE, required=True, help="Model trained on all.")
@data_option
@click.option("--output", type=FILE, required=True, help="Folder of the report.")
def evaluate_trajectory(baseline: Path, scaled: Path, data: Path, output: Path) -> None:
    """Errors in km and km/s by regime and horizon against every physics baseline, coverage, tests, one HTML report."""
    from orbwatch import views_learn

    views_learn.evaluate_trajectory(baseline, scaled, data, output, terminal_progress())


@evaluate.command("catalog")
@click.option("--model", default="catalog", show_default=True, help="Packaged model, or a model's folder.")
@click.option(
    "--truth",
    type=click.Choice(["sets", "precise", "other"]),
    default="sets",
    show_default=True,
    help="Later sets of the same history; precise orbits; sets of another file.",
)
@click.option("--data", type=FILE, help="With sets: the data set that it was trained on, which says what is unseen.")
@click.option("--history", type=FILE, required=True, help="Element sets: with sets, what the data set was made from.")
@click.option("--names", type=FILE, help="Names of the objects: a table with the columns norad and name.")
@click.option("--orbits", type=FILE, help="With precise: folder of SP3 and CPF files.")
@click.option(
    "--delay-h",
    type=click.FloatRange(0.0, 240.0),
    default=0.0,
    show_default=True,
    help="With precise: hours from a set's epoch to its publication, where the history does not say.",
)
@click.option("--later", type=FILE, help="With other: the sets that are the truth (an operator's, a later catalogue).")
@click.option("--at", help="With other: the one UTC instant of asking. [default: again and again]")
@click.option("--ids", type=FILE, help="With other: file of the catalogue numbers to judge on. [default: all]")
@click.option("--output", type=FILE, help="With sets: folder of the leaderboard, every baseline and plots (HTML, CSV).")
@format_option("table", "csv", "json", "parquet")
def evaluate_catalog(
    model: str,
    truth: str,
    data: Path | None,
    history: Path,
    names: Path | None,
    orbits: Path | None,
    delay_h: float,
    later: Path | None,
    at: str | None,
    ids: Path | None,
    output: Path | None,
    form: Any,
) -> None:
    """Errors against SGP4 and shares inside the ellipsoids.

    With sets: in km, on objects and times that the model never saw; with --output also against what physics makes of
    the same sets (trends, refitted drag, frozen perigees, slots), networks alone and trees alone. With precise, and
    with other: in m, on whatever the files hold; --ids can leave out what the model was trained on. Nothing that was
    not public at an asking enters; but which sets are put aside as bad is decided with hindsight.
    """
    _needs(truth, {"sets": "data", "precise": "orbits", "other": "later"})
    from orbwatch import views_learn, views_truth

    judged = views_truth.Judged(model, history, names, form)
    if orbits is not None:
        views_truth.evaluate_precise(judged, orbits, delay_h, terminal_progress())
    elif later is not None:
        views_truth.evaluate_other(judged, later, at, ids, terminal_progress())
    elif data is not None:
        views_learn.evaluate_catalog(model, data, history, names, output, form, terminal_progress())


@evaluate.command("maneuver")
@click.option("--model", default="maneuver", show_default=True, help="Packaged model, or a model's folder.")
@click.option("--data", type=FILE, required=True, help="Gaps that `orbwatch train maneuver` put into its folder.")
@format_option("table", "csv", "json")
def evaluate_maneuver(model: str, data: Path, form: Any) -> None:
    """Kinds of maneuvers and patterns of life on objects that the model never saw, against rivals.

    The rivals learn from the same objects: one sees height and inclination only (no better than chance, or the data
    give the answer away), one when the sets come, one is gradient boosting on the same evidence.
    """
    from orbwatch import views_maneuver_learn

    views_maneuver_learn.evaluate_maneuver(model, data, form, terminal_progress())


@evaluate.command("detector")
@click.option("--history", type=FILE, required=True, help="Element sets of satellites whose burns are known.")
@click.option("--burns", type=FILE, required=True, help="Their operators' lists of burns: a file or a folder.")
@click.option("--lives", type=FILE, help="Data set of simulated maneuvers that also teach.")
@click.option("--quiet", type=FILE, help="Element sets of objects that cannot maneuver, which also teach.")
@group_options("detector")
@config_option
@format_option("table", "csv", "json")
def evaluate_detector(
    history: Path, burns: Path, lives: Path | None, quiet: Path | None, form: Any, **options: Any
) -> None:
    """Detectors of maneuvers on satellites left out: recall at false alarms a year, F1, calibration."""
    from orbwatch import views_maneuver_learn

    settings = settings_of(options)
    views_maneuver_learn.evaluate_detector(history, burns, lives, quiet, settings, form, terminal_progress())


_OPTIONS_OF = {"sets": ("data", "output"), "precise": ("orbits", "delay_h"), "other": ("later", "at", "ids")}


def _needs(truth: str, needed: dict[str, str]) -> None:
    """The option that a truth needs, and no option that would be ignored."""
    context = click.get_current_context()
    if context.params[needed[truth]] is None:
        raise click.UsageError(f"--truth {truth} needs --{needed[truth]}.")
    for other, names in _OPTIONS_OF.items():
        for name in names if other != truth else ():
            if context.get_parameter_source(name) is ParameterSource.COMMANDLINE:
                raise click.UsageError(f"--{name.replace('_', '-')} goes with --truth {other} only.")


@click.group()
def models() -> None:
    """Trained models: what they were trained on, and how well they do."""


@models.command("list")
@format_option("table", "json", "csv")
def models_list(form: Any) -> None:
    """The packaged models with their measured figures."""
    from orbwatch import views_models

    views_models.show_models(form)


@models.command("show")
@click.argument("name")
@format_option("table", "json")
def models_show(name: str, form: Any) -> None:
    """The card of a model: a packaged name, or a folder."""
    from orbwatch import views_models

    views_models.show_model(name, form)


@models.command("pack")
@click.argument("runs", type=FILE, nargs=-1, required=True)
@data_option
@click.option("--output", type=FILE, required=True, help="Folder of the model.")
@click.option("--name", help="Its name. [default: the folder's]")
@click.option("--history", type=FILE, help="For models of the catalogue: the history that the data set was made from.")
@click.option("--trees", type=FILE, help="For models of the catalogue: the folder of `orbwatch train trees`.")
def models_pack(
    runs: tuple[Path, ...], data: Path, output: Path, name: str | None, history: Path | None, trees: Path | None
) -> None:
    """One calibrated model from up to five training runs: an ensemble. Needs orbwatch[learn]."""
    from orbwatch import views_learn

    if history is not None:
        views_learn.pack_catalog_models(list(runs), data, history, trees, output, name, terminal_progress())
    else:
        views_learn.pack_models(list(runs), data, output, name, terminal_progress())


VERBS = (dataset, train, evaluate, models)
