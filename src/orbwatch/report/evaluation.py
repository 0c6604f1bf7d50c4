"""The report of an evaluation of short-arc forecasters: one HTML page and the numbers as JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from orbwatch.catalog.written import make_folder, write_atomically
from orbwatch.learn.judging.evaluation import BASE, SETS, Evaluation
from orbwatch.learn.judging.metrics import ALL, Columns, rows_of
from orbwatch.learn.samples.windows import GROUPS, REGIMES
from orbwatch.report import learning_plots as plots
from orbwatch.report.html import Figure, Page, Section, Table, render

NAMES = {
    "hold": "hold", "two_body": "two-body", "j2_j4": "J2-J4", "least_squares": "least squares",
    "least_squares_8x8": "least squares, 8x8 field", "ukf": "UKF",
    "baseline": "baseline model", "scaled": "scaled model", "shipped": "shipped model",
}  # fmt: skip
"""Forecasters as people call them."""
_JOINT = 0.0
_JUDGED = {"baseline", "scaled", "shipped", "ukf"}
_SHOWN_MIN = (1.0, 5.0, 10.0, 20.0, 30.0)


def write_report(evaluation: Evaluation, output: Path) -> Path:
    """Writes report.html and evaluation.json into the folder, each whole or not at all; returns the report's path."""
    make_folder(output)
    write_atomically(output / "evaluation.json", (json.dumps(evaluation.to_dict(), indent=1) + "\n").encode())
    write_atomically(output / "report.html", render(page(evaluation)).encode())
    return output / "report.html"


def page(evaluation: Evaluation) -> Page:
    """What the report says."""
    sections = [_errors(evaluation, name) for name in dict.fromkeys(evaluation.errors.get("set", []))]
    sections += [_coverage(evaluation, name) for name in dict.fromkeys(evaluation.coverage.get("set", []))]
    if evaluation.attributions:
        sections.append(_attributions(evaluation))
    return Page(
        title="Short-arc forecasts: evaluation",
        label="simulated truth and sensors",
        lead=lead(evaluation),
        numbers=_numbers(evaluation),
        figures=_top_figures(evaluation),
        tables=[
            ("Where the model ships", _fallback_table(evaluation)),
            ("Coverage of 90 % regions on unseen objects", _worst_table(evaluation)),
            ("Ratios to least squares, and their tests", _ratio_table(evaluation)),
        ],
        sections_title="In detail",
        sections=sections,
        method=list(evaluation.facts.items()),
    )


def lead(evaluation: Evaluation) -> str:
    """What matters, in two sentences."""
    parts = []
    where = {"quantity": "position", "forecaster": "shipped"}
    for name, regime, words in (
        ("sigma50", "LEO", "in LEO with 50 m noise"),
        ("burn", ALL, "with an unknown burn in the history"),
    ):
        rows = [
            row
            for reference in dict.fromkeys(("least_squares", BASE))
            for row in _last(evaluation.comparisons, set=name, regime=regime, reference=reference, **where)
        ]
        ratios = [
            f"{row['ratio']:.2f} times that of {NAMES[row['reference']]}"
            f" (95 % interval {row['ratio_low']:.2f} to {row['ratio_high']:.2f})"
            for row in rows
        ]
        if rows:
            after = f"the shipped model's median error after {rows[0]['horizon_min']:g} min is"
            parts.append(f"{words} {after} {' and '.join(ratios)}")
    ships = [r for r, yes in zip(evaluation.fallback["regime"], evaluation.fallback["ships"], strict=True) if yes]
    shipped = "It ships nowhere: the answer is that of least squares"
    if ships:
        shipped = f"It ships in {', '.join(ships)}"
        shipped += "" if len(ships) == len(GROUPS) else "; elsewhere the answer is that of least squares"
    text = "; ".join(parts)
    return f"{text[:1].upper()}{text[1:]}. {shipped}."


def _numbers(evaluation: Evaluation) -> list[tuple[str, str]]:
    out = [(f"{sum(evaluation.sets['windows']):,}", "windows judged")]
    where = {"quantity": "position", "forecaster": "shipped", "regime": ALL, "horizon_min": 30.0}
    for name in ("sigma50", "burn"):
        rows = rows_of(evaluation.errors, set=name, **where)
        out += [(f"{row['median']:.3f} km", f"median error after 30 min, {SETS[name]}") for row in rows]
    words = f"cells where conformal 90 % regions hold 88 to 92 %, {SETS['flown']}"
    rows = rows_of(evaluation.worst, set="flown", kind="conformal", source="shipped")
    return out + [(f"{row['within']} of {row['cells']}", words) for row in rows]


def _top_figures(evaluation: Evaluation) -> list[Figure]:
    figures: list[Figure] = []
    for name in dict.fromkeys(evaluation.comparisons.get("set", [])):
        cells: dict[str, list[tuple[str, float, float, float]]] = {}
        minutes = 0.0
        for forecaster in ("ukf", "least_squares_8x8", "baseline", "scaled", "shipped"):
            for regime in (*REGIMES, ALL):
                where = {"quantity": "position", "forecaster": forecaster, "reference": "least_squares"}
                for row in _last(evaluation.comparisons, set=name, regime=regime, **where):
                    minutes = row["horizon_min"]
                    cell = (regime, row["ratio"], row["ratio_low"], row["ratio_high"])
                    cells.setdefault(forecaster, []).append(cell)
        figures.append(plots.ratios(cells, "least squares", minutes, SETS[name]))
    if evaluation.losses:
        figures.append(plots.losses({name: (curve[0], curve[1]) for name, curve in evaluation.losses.items()}))
    return figures


def _errors(evaluation: Evaluation, name: str) -> Section:
    figures, tables = [], []
    for regime in (*REGIMES, ALL):
        curves = {}
        for forecaster in NAMES:
            rows = rows_of(evaluation.errors, set=name, quantity="position", forecaster=forecaster, regime=regime)
            if rows:
                curves[forecaster] = ([row["horizon_min"] for row in rows], [row["median"] for row in rows])
        if curves and regime != ALL:
            figures.append(plots.error_by_horizon(curves, regime, "median position"))
    for quantity, unit in (("position", "km"), ("velocity", "km/s")):
        tables.append((f"Errors of {quantity}, {unit}", _error_table(evaluation, name, quantity, unit)))
    facts = rows_of(evaluation.sets, set=name)
    shown = [(key.replace("_", " "), str(value)) for key, value in (facts[0] if facts else {}).items() if key != "set"]
    return Section(f"errors-{name}", f"Errors: {SETS[name]}", "error", "", shown, tables, figures)


def _error_table(evaluation: Evaluation, name: str, quantity: str, unit: str) -> Table:
    square = f"MSE, {'km²' if unit == 'km' else 'km²/s²'}"
    heads = ["Forecaster", "Regime", "Horizon, min", "Windows", "Objects", "Failed", square]
    heads += [f"{measure}, {unit}" for measure in ("RMSE", "MAE", "median", "p95")]
    rows = [
        [NAMES[row["forecaster"]], *(row[key] for key in ("regime", "horizon_min", "windows", "objects", "failed")),
         *(row[key] for key in ("mse", "rmse", "mae", "median", "p95"))]
        for row in rows_of(evaluation.errors, set=name, quantity=quantity)
        if row["horizon_min"] in _SHOWN_MIN
    ]  # fmt: skip
    formats = dict.fromkeys(heads[2:6], ",g") | dict.fromkeys(heads[6:], ".4g")
    note = "Errors are distances: lengths of difference vectors. All 30 horizons are in evaluation.json."
    return Table(heads, rows, formats, note=note)


def _coverage(evaluation: Evaluation, name: str) -> Section:
    coverage, figures = evaluation.coverage, []
    pairs = list(dict.fromkeys(zip(coverage["source"], coverage["kind"], strict=True)))
    cells, values = [], []
    for source, kind in pairs:
        rows = [row for row in rows_of(coverage, set=name, source=source, kind=kind) if row["regime"] != ALL]
        rows = [row for row in rows if row["horizon_min"] in (*_SHOWN_MIN, _JOINT)]
        cells = [f"{row['regime']} {_horizon(row['horizon_min'])}" for row in rows]
        values.append([row["coverage"] for row in rows])
    labels = [_method(*pair) for pair in pairs]
    figures.append(plots.coverage_map(values, labels, cells, 0.9, f"Coverage of 90 % regions: {SETS[name]}"))
    for regime in (*REGIMES, ALL):
        curves = {}
        for source, kind in pairs:
            rows = rows_of(evaluation.reliability, set=name, source=source, kind=kind, regime=regime)
            if rows:
                curves[_method(source, kind)] = ([row["level"] for row in rows], [row["coverage"] for row in rows])
        if curves:
            figures.append(plots.reliability(curves, f"{regime}: reliability, all horizons"))
    for regime in REGIMES:
        curves = {}
        for source, kind in pairs:
            rows = rows_of(coverage, set=name, source=source, kind=kind, regime=regime)
            rows = [row for row in rows if row["horizon_min"] != _JOINT]
            if rows and kind == "conformal":
                curves[source] = ([row["horizon_min"] for row in rows], [row["axis_m"] for row in rows])
        if curves:
            figures.append(plots.axis_by_horizon(curves, f"{regime}: size of the conformal 90 % regions"))
    densities = {row["source"]: row["density"] for row in rows_of(evaluation.pit, set=name)}
    if densities:
        figures.append(plots.pit(densities, "Probability integral transform of the positions, all axes"))
    tables = [("Coverage", _coverage_table(coverage, name)), ("Calibration", _score_table(evaluation.scores, name))]
    notes = [
        "Conformal regions are fitted on the calibration objects, with the data set's range of noise and burns as they"
        f" come, by regime and apart for windows that no orbit fits. What they promise holds for such windows"
        f" ({SETS['flown']}), not for one noise or for burns by themselves.",
        "axis: geometric mean of the semi-axes; ratio: over least squares scaled by an oracle to hold exactly 90 %;"
        " that has no regions for all horizons at once.",
    ]
    return Section(f"coverage-{name}", f"Uncertainty: {SETS[name]}", "coverage", "", [], tables, figures, notes)


def _coverage_table(coverage: Columns, name: str) -> Table:
    heads = ["Method", "Regime", "Horizon, min", "Windows", "Coverage", "low", "high", "axis, m", "ratio"]
    rows = [
        [_method(row["source"], row["kind"]), row["regime"], _horizon(row["horizon_min"]),
         *(row[key] for key in ("windows", "coverage", "low", "high", "axis_m", "axis_ratio"))]
        for row in rows_of(coverage, set=name)
        if row["horizon_min"] in (*_SHOWN_MIN, _JOINT)
    ]  # fmt: skip
    formats = {"Windows": ",d", "axis, m": ",.1f", "ratio": ".3f"} | dict.fromkeys(("Coverage", "low", "high"), ".3f")
    return Table(heads, rows, formats)


def _score_table(scores: Columns, name: str) -> Table:
    heads = {
        "coverage_gap_mean": "coverage gap, mean", "coverage_gap_max": "coverage gap, greatest", "axis_m": "axis, m",
        "pit_deviation": "PIT deviation", "nll": "NLL", "crps_km": "CRPS, km", "energy_km": "energy score, km",
        "epistemic_share": "epistemic share",
    }  # fmt: skip
    rows = [
        [_method(row["source"], row["kind"]), row["regime"], *(row[key] for key in heads)]
        for row in rows_of(scores, set=name)
    ]
    return Table(["Method", "Regime", *heads.values()], rows, dict.fromkeys(heads.values(), ".4g"))


def _ratio_table(evaluation: Evaluation) -> Table:
    heads = ["Set", "Forecaster", "over", "Regime", "Horizon, min", "Ratio of medians", "low", "high"]
    heads += ["Wilcoxon p", "Holm", "Diebold-Mariano p", "Holm "]
    keys = (
        "regime",
        "horizon_min",
        "ratio",
        "ratio_low",
        "ratio_high",
        "wilcoxon_p",
        "wilcoxon_holm",
        "dm_p",
        "dm_holm",
    )
    rows = [
        [row["set"], NAMES[row["forecaster"]], NAMES[row["reference"]], *(row[key] for key in keys)]
        for row in rows_of(evaluation.comparisons, quantity="position")
        if row["horizon_min"] in _SHOWN_MIN and {row["forecaster"], row["reference"]} & _JUDGED
    ]
    formats = {"Horizon, min": "g"} | dict.fromkeys(heads[5:8], ".3f") | dict.fromkeys(heads[8:], ".2g")
    return Table(heads, rows, formats, note="Position. Intervals: 95 %, cluster bootstrap by object. Velocity: JSON.")


def _fallback_table(evaluation: Evaluation) -> Table:
    heads = ["Group of windows", "Ships", "Ratio at the last horizon", "low", "high", "Ratio of p95", "Why"]
    table = evaluation.fallback
    rows = [
        [regime, "yes" if ships else "no", *rest]
        for regime, ships, *rest in zip(*(table[key] for key in table), strict=True)
    ]
    note = "Decided on the validation objects, so that the test objects stay a test, and the calibration objects too."
    return Table(heads, rows, dict.fromkeys(heads[2:6], ".3f"), note=note)


def _worst_table(evaluation: Evaluation) -> Table:
    heads = ["Set", "Method", "Least", "Greatest", "Cells in 88-92 %", "Cells", "Joint, least", "Joint, greatest"]
    rows = [
        [row["set"], _method(row["source"], row["kind"]), row["least"], row["greatest"], row["within"], row["cells"],
         row["joint_least"], row["joint_greatest"]]
        for row in rows_of(evaluation.worst)
    ]  # fmt: skip
    formats = dict.fromkeys((*heads[2:4], *heads[6:]), ".3f") | dict.fromkeys(heads[4:6], "d")
    note = "A cell is a regime at one of the horizons; joint: all horizons at once. By object: windows of one object"
    note += " count as one, which promises coverage for finite samples and makes regions wider."
    return Table(heads, rows, formats, note=note)


def _attributions(evaluation: Evaluation) -> Section:
    found = evaluation.attributions
    maps = found["attention"]
    weights = [maps["state"], *maps["horizons"][4::5]]
    labels = ["state", *(f"{5 * (i + 1)} min" for i in range(len(weights) - 1))]
    outputs = {"correction": "size of the correction", "spread": "size of the region"}
    figures = [
        plots.attention_map(weights, labels),
        plots.bars(
            {words: found[key]["groups"] for key, words in outputs.items()},
            "Integrated gradients by group of features", "share",
        ),
        plots.bars(
            {words: {str(i - 19): v for i, v in enumerate(found[key]["steps"])} for key, words in outputs.items()},
            "Integrated gradients by step of the history", "share",
        ),
        plots.bars({"ratio": found["ablation"]}, "Median error when a group is swapped among windows", "ratio", 1.0),
    ]  # fmt: skip
    remainders = ", ".join(f"{words} {found[key]['remainder']:.3f}" for key, words in outputs.items())
    facts = [("unexplained by integrated gradients", remainders)]
    return Section("attributions", "What the scaled model looks at", "inputs", "", facts, [], figures)


def _last(table: Columns, **where: Any) -> Sequence[dict[str, Any]]:
    """The rows of the last horizon among those that match."""
    rows = rows_of(table, **where)
    return [row for row in rows if row["horizon_min"] == max(other["horizon_min"] for other in rows)]


def _method(source: str, kind: str) -> str:
    source = NAMES.get(source, source)
    return source if kind == "alone" else f"{source} + {kind}"


def _horizon(minutes: float) -> str:
    return "joint" if minutes == _JOINT else f"{minutes:g}"
