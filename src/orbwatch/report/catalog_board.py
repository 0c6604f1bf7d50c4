"""The leaderboard of the catalogue's forecasters, for reading: a page (HTML), tables (CSV), and Markdown."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from orbwatch.catalog.written import make_folder, write_atomically
from orbwatch.learn.judging.catalog_board import LEARNED, LEVELS, NETWORKS, SGP4, SHIPPED, TREES, Board
from orbwatch.learn.judging.metrics import ALL, Columns, rows_of
from orbwatch.report import catalog_board_plots as plots
from orbwatch.report.catalog_board_picture import picture
from orbwatch.report.html import Figure, Page, Section, Table, render
from orbwatch.report.tabular import emit

SHOWN_DAYS = (1.0, 3.0, 7.0)
_SURE = 0.05

Row = dict[str, Any]


def write_board(board: Board, output: Path) -> Path:
    """Writes leaderboard.html, .svg and .csv, widths.csv and sharpness.csv into the folder; returns the page's path."""
    make_folder(output)
    for name, columns in (("leaderboard", board.rows), ("widths", board.widths), ("sharpness", board.sharpness)):
        rows = io.BytesIO()
        emit(columns, "csv", rows)
        write_atomically(output / f"{name}.csv", rows.getvalue())
    write_atomically(output / "leaderboard.svg", picture(board.rows).encode())
    write_atomically(output / "leaderboard.html", render(page(board)).encode())
    return output / "leaderboard.html"


def page(board: Board) -> Page:
    """What the page says."""
    groups = list(dict.fromkeys(board.rows["group"]))
    return Page(
        title="Forecasts of the catalogue: who is how good where",
        label="objects and dates that no model saw",
        lead=f"{lead(board)} {width_sentence(board.widths)}",
        numbers=_numbers(board),
        figures=[*plots.overview(board.rows, SHOWN_DAYS), plots.coverage(board.rows)],
        tables=[
            ("Median errors as ratios to SGP4's", _ratio_table(board.rows)),
            ("Tails and regions", _tail_table(board.rows)),
            ("Objects whose 90 % region is below a kilometre along the track", _width_table(board.widths)),
            ("Size of the 90 % ellipsoids, against the empirical covariance", _sharpness_table(board.sharpness)),
        ],
        sections_title="Group by group",
        sections=[_section(board.rows, name) for name in groups],
        method=[*board.facts.items(), *_METHOD],
    )


_METHOD = (
    ("noise floor", "median distance of neighbouring sets, up to half a day apart, half-way between them"),
    ("best physics", "the method without learning that has the least median on these very truths, SGP4 among them"),
    ("networks, trees", "corrections of either taken whole; shipped: the shares that calibration chose"),
    ("Holm p", "that shipped is as good as the best physics, corrected over all cells"),
)


def lead(board: Board) -> str:
    """How many cells are won, in a sentence."""
    rows = rows_of(board.rows, method=SHIPPED)
    won = sum(row["ratio_high"] < 1.0 for row in rows)
    lost = sum(row["ratio_low"] > 1.0 for row in rows)
    beaten = sum(row["over_physics"] < 1.0 and row["p_holm"] < _SURE for row in rows)
    return (
        f"In {won} of {len(rows)} groups and horizons the shipped forecast's median error is below SGP4's, in {lost} "
        f"above (95 % intervals); in {beaten} it is below that of the best method without learning, too (Holm, 5 %)."
    )


def width_sentence(widths: Columns) -> str:
    """For which share of the objects a kilometre is promised."""
    rows = rows_of(widths, group=ALL)
    if not rows:
        return ""
    shares = _slashed([row["share"] for row in rows], ".1%")
    plain = _slashed([row["sgp4_share"] for row in rows], ".1%")
    held = _slashed([row["held"] for row in rows], ".1%")
    return (
        f"Of {rows[0]['objects']:,} objects with a set younger than 3 days, {shares} have a 90 % region below 1 km "
        f"along the track after {_slashed([row['day'] for row in rows], 'g')} days (SGP4 by its own errors: {plain}); "
        f"of those forecasts {held} were within their half-width."
    )


def markdown(board: Board) -> str:
    """The leaderboard as two tables, a row for each group, 1 / 3 / 7 days in a cell."""
    first = "| group | noise floor, km | SGP4 median, km | best physics | networks | trees | shipped (95 %) | target |"
    second = "| group | truths | p90, SGP4, km | p90 ratio | target | inside 50 % | inside 90 % | inside 99 % "
    second += "| over best physics (Holm p) | volume, over empirical |"
    tables = [[first, "|---" * 8 + "|"], [second, "|---" * 10 + "|"]]
    for name in dict.fromkeys(board.rows["group"]):
        by = {method: _days(board.rows, name, method) for method in (SHIPPED, NETWORKS, TREES)}
        mine = by[SHIPPED]
        best = [rows_of(board.rows, group=name, day=row["day"], method=row["best_physics"])[0] for row in mine]
        intervals = " / ".join(f"**{r['ratio']:.2f}** ({r['ratio_low']:.2f}-{r['ratio_high']:.2f})" for r in mine)
        physics = [f"{row['method']} {row['ratio']:.2f}" for row in best]
        tables[0].append(
            f"| {name} | {_known(mine[0]['noise_km'], '.2f')} | {_sizes(_of(mine, 'sgp4_median_km'))} "
            f"| {' / '.join(physics)} "
            f"| {_slashed(_of(by[NETWORKS], 'ratio'), '.2f')} | {_slashed(_of(by[TREES], 'ratio'), '.2f')} "
            f"| {intervals} | {_slashed(_of(mine, 'target'), '.2f')} |"
        )
        inside = [_slashed(_of(mine, f"inside_{level:.0%}".rstrip("%")), ".3f") for level in LEVELS]
        over = " / ".join(f"{row['over_physics']:.2f} ({row['p_holm']:.1g})" for row in mine)
        tables[1].append(
            f"| {name} | {_slashed(_of(mine, 'truths'), ',d')} | {_sizes(_of(mine, 'sgp4_p90_km'))} "
            f"| {_slashed(_of(mine, 'ratio_p90'), '.2f')} | {_slashed(_of(mine, 'target_p90'), '.2f')} "
            f"| {' | '.join(inside)} | {over} | {_volumes(board.sharpness, name)} |"
        )
    return "\n\n".join("\n".join(table) for table in tables)


def _volumes(sharpness: Columns, group: str) -> str:
    """Volumes of the 90 % ellipsoids over those of the empirical covariance that hold as many truths."""
    found = {row["day"]: row["volume_ratio"] for row in rows_of(sharpness, group=group)}
    return _slashed([found.get(day, float("nan")) for day in SHOWN_DAYS], ".2g")


def _days(rows: Columns, group: str, method: str) -> list[Row]:
    found = rows_of(rows, group=group, method=method)
    return [row for row in found if row["day"] in SHOWN_DAYS]


def _of(rows: Sequence[Row], name: str) -> list[Any]:
    return [row[name] for row in rows]


def _known(value: Any, form: str) -> str:
    return "-" if value != value else format(value, form)


def _slashed(values: Sequence[Any], form: str) -> str:
    """Values between slashes, a dash for each that is not known; one dash where none is."""
    shown = [_known(value, form) for value in values]
    return "-" if all(each == "-" for each in shown) else " / ".join(shown)


def _sizes(values: Sequence[float]) -> str:
    """Kilometres to three digits, between slashes."""
    return " / ".join(f"{value:,.0f}" if value >= 100.0 else f"{value:.3g}" for value in values)


def _numbers(board: Board) -> list[tuple[str, str]]:
    out = [
        (f"{row['ratio']:.2f}", f"of SGP4's median error after 3 days, {name}")
        for name in ("Starlink", "LEO > 1200 km", "GEO")
        for row in rows_of(board.rows, group=name, day=3.0, method=SHIPPED)
    ]
    rows = rows_of(board.widths, group=ALL)[:1]
    return out + [(f"{row['share']:.1%}", f"of objects within 1 km along the track, {row['day']:g} d") for row in rows]


def _ratio_table(rows: Columns) -> Table:
    methods = list(dict.fromkeys(rows["method"]))
    heads = ["Group", "Day", "Truths", "Noise floor, km", "SGP4, km", *methods[1:], "low", "high", "Target"]
    cells = []
    for row in rows_of(rows, method=SHIPPED):
        every = {each["method"]: each["ratio"] for each in rows_of(rows, group=row["group"], day=row["day"])}
        start = [row[name] for name in ("group", "day", "truths", "noise_km", "sgp4_median_km")]
        end = [row[name] for name in ("ratio_low", "ratio_high", "target")]
        cells.append([*start, *(every.get(name, float("nan")) for name in methods[1:]), *end])
    formats = dict.fromkeys(heads[3:], ".2f") | {"Day": "g", "Truths": ",d", "SGP4, km": ",.2f"}
    note = "low, high: 95 % interval of the shipped forecast's ratio, by drawing objects."
    return Table(heads, cells, formats, note=note)


def _tail_table(rows: Columns) -> Table:
    names = {
        "group": "Group", "day": "Day", "sgp4_p90_km": "SGP4's p90, km", "ratio_p90": "p90 ratio",
        "ratio_p90_low": "low", "ratio_p90_high": "high", "target_p90": "Target", "inside_50": "Inside 50 %",
        "inside_90": "Inside 90 %", "inside_99": "Inside 99 %", "best_physics": "Best physics",
        "over_physics": "Median over it", "over_physics_low": "low ", "over_physics_high": "high ", "p_holm": "Holm p",
    }  # fmt: skip
    cells = [[row[name] for name in names] for row in rows_of(rows, method=SHIPPED)]
    heads = list(names.values())
    formats = dict.fromkeys(heads[3:], ".2f") | {"Day": "g", "SGP4's p90, km": ",.2f", "Holm p": ".1g"}
    return Table(heads, cells, formats | dict.fromkeys(heads[7:10], ".3f"), note="Of the shipped forecast.")


def _width_table(widths: Columns) -> Table:
    heads = ["Group", "Day", "Objects", "Share", "Of these, held", "SGP4's share"]
    cells = [list(row.values()) for row in rows_of(widths)]
    note = "SGP4's: objects of calibration groups in which 90 % of its errors along the track are below a kilometre."
    return Table(heads, cells, {"Day": "g", "Objects": ",d"} | dict.fromkeys(heads[3:], ".1%"), note=note)


def _sharpness_table(sharpness: Columns) -> Table:
    heads = [
        "Group", "Day", "Truths", "Inside 90 %", "Half axis, km", "Empirical: inside 90 %", "Its factor",
        "Its half axis, km", "Volume ratio",
    ]  # fmt: skip
    cells = [list(row.values()) for row in rows_of(sharpness)]
    note = (
        "Medians, in which a few very wide ellipsoids do not show; half axis: geometric mean of the three. Empirical: "
        "covariance by regime and age about SGP4 from the newest set; its sigmas times the factor hold as many of "
        "these very truths as the forecast's ellipsoids."
    )
    formats = {"Day": "g", "Truths": ",d"} | dict.fromkeys((heads[3], heads[5]), ".3f")
    formats |= dict.fromkeys((heads[4], heads[6], heads[7]), ",.2f") | {heads[8]: ".2g"}
    return Table(heads, cells, formats, note=note)


def _section(rows: Columns, group: str) -> Section:
    mine = rows_of(rows, group=group)
    names = ("method", "day", "median_km", "p90_km", "ratio", "ratio_low", "ratio_high", "ratio_p90", "over_physics")
    heads = ["Method", "Day", "Median, km", "p90, km", "Ratio", "low", "high", "p90 ratio", "Over best physics"]
    formats = dict.fromkeys(heads[2:4], ",.3f") | dict.fromkeys(heads[4:], ".3f") | {"Day": "g"}
    table = Table(heads, [[row[name] for name in names] for row in mine], formats)
    learned = [row for row in mine if row["method"] == SHIPPED]
    facts = [("truths", f"{sum(_of(learned, 'truths')):,}"), ("objects", f"{max(_of(learned, 'objects')):,}")]
    anchor = "".join(letter if letter.isalnum() else "-" for letter in group)
    return Section(anchor, group, "group", "", facts, [("Errors", table)], _figures(rows, group))


def _figures(rows: Columns, group: str) -> list[Figure]:
    best = {row["best_physics"] for row in rows_of(rows, group=group, method=SHIPPED)} - {SGP4}
    return [plots.ratios(rows, group, [*sorted(best), *LEARNED]), plots.errors(rows, group)]
