"""The packaged table of position covariance by regime and age, measured on a history of public element sets.

For a sampled set and an older set of the same object, SGP4 carries the older one to the epoch of the newer, and the
difference is taken in the newer's RTN. Objects are split in two halves by a hash of their number: one makes the table,
the other says how well it covers.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from orbwatch.catalog.files import read_gp
from orbwatch.catalog.gp import GpTable
from orbwatch.constants import DAY_US
from orbwatch.frames import rtn_matrix
from orbwatch.propagate.sgp4 import Sgp4Catalog
from orbwatch.uncertainty.covariance import REGIMES, EmpiricalCovariance, regime_of

TABLE = Path(__file__).parent.parent / "src/orbwatch/uncertainty/data/empirical_covariance.json"

# Nodes, and the ages that count for each.
AGES_DAY = {
    0.1: (0.04, 0.16),
    0.25: (0.16, 0.375),
    0.5: (0.375, 0.7),
    1.0: (0.8, 1.25),
    2.0: (1.7, 2.35),
    3.0: (2.6, 3.4),
    4.0: (3.4, 4.5),
    5.0: (4.5, 5.5),
    7.5: (7.0, 8.0),
    10.0: (9.3, 10.7),
    14.0: (13.0, 15.0),
}
PAIRS = 3_000  # at most, per regime, age, half and source
FEWEST = 100  # a cell of fewer takes the next older one's values
CHI2_68, CHI2_90 = 3.526741, 6.251389  # 68.27 % and 90 % points of chi-squared with three degrees of freedom
FIRST_US = 1_772_323_200_000_000  # 2026-03-01: a few stray sets are years older

ESTIMATOR = (
    "Per axis, sigma = 68.27th percentile of |difference| about zero; radial-transverse correlation from the "
    "differences cut at three sigma, kept where it exceeds three standard errors; then all three axes scaled by one "
    "factor so that the ellipsoid that holds 68.27 % of a normal vector holds 68.27 % of the training half. Maneuvers "
    "and bad sets make the tails heavier than normal: tail_factor_90 is what to multiply the sigmas with for an "
    "ellipsoid that holds 90 % where a normal one would. Variances made non-decreasing with age. Every object counts "
    "alike."
)


def run(data: Path) -> str:
    """Makes the packaged table anew and returns its section in Markdown; `data` holds data/gp_history."""
    folder = data / "data" / "gp_history"
    history, snapshots = read_history(folder), read_snapshots(data / "data" / "catalog_snapshots")
    regimes = [regime_of(table) for table in (history, snapshots)]
    halves = [(table.norad_id * 2654435761 >> 16) & 1 for table in (history, snapshots)]
    rng = np.random.default_rng(2026)
    parts: dict[str, Any] = {}
    tests = {}
    for name in REGIMES:
        cells: list[dict[str, Any] | None] = []
        rows = [[np.flatnonzero((regimes[k] == name) & (halves[k] == side)) for k in (0, 1)] for side in (0, 1)]
        for node, (low, high) in AGES_DAY.items():
            samples = [
                np.concatenate(
                    [
                        differences(table, *pairs(table, rows[side][k], node, low, high, rng))
                        for k, table in enumerate((history, snapshots))
                    ]
                )
                for side in (0, 1)
            ]
            cells.append(estimate(samples[0]) if len(samples[0]) >= FEWEST else None)
            tests[name, node] = samples
        measured = [cell for cell in cells if cell is not None]
        nodes = [cell or measured[0] for cell in cells]  # only the youngest ages of rarely observed regimes are empty
        variance = np.maximum.accumulate(np.array([node["variance_rtn_km2"] for node in nodes]), axis=0)
        parts[name] = {
            "variance_rtn_km2": [[float(f"{value:.4g}") for value in row] for row in variance],
            "correlation_rt": [node["correlation_rt"] for node in nodes],
            "tail_factor_90": [node["tail_factor_90"] for node in nodes],
            "pairs_train": [len(tests[name, node][0]) for node in AGES_DAY],
            "pairs_test": [len(tests[name, node][1]) for node in AGES_DAY],
        }
    span = (
        pl.from_epoch(pl.Series([int(history.epoch_us.min()), int(history.epoch_us.max())]), "us")
        .dt.strftime("%Y-%m-%d")
        .to_list()
    )
    document = {
        "label": "empirical set-to-set 2026 (regime x age)",
        "what": "RTN covariance of SGP4 against a newer element set of the same object: a floor on the real error",
        "estimator": ESTIMATOR,
        "history": f"public element sets of {len(np.unique(history.norad_id))} objects, {span[0]} to {span[1]}, and "
        f"of {len(np.unique(snapshots.norad_id))} objects, 2022-01",
        "age_day": list(AGES_DAY),
        "regimes": parts,
    }
    covariance = EmpiricalCovariance.from_document(document)
    for r, name in enumerate(REGIMES):
        cover = [coverage(tests[name, node][1], covariance, r, k) for k, node in enumerate(AGES_DAY)]
        parts[name]["test_within_68"] = [round(inner, 4) for inner, _ in cover]
        parts[name]["test_within_90"] = [round(outer, 4) for _, outer in cover]
    TABLE.write_text(json.dumps(document, indent=1) + "\n")
    return section(document)


def read_history(folder: Path) -> GpTable:
    """The whole history as a table, ordered by object and epoch, with names."""
    names = pl.read_csv(folder / "objects.tsv", separator="\t", columns=["norad", "name"], quote_char=None)
    rows = (
        pl.read_parquet(folder / "gp_history_2026.parquet")
        .filter(pl.col("epoch_us") >= FIRST_US)
        .sort("norad", "epoch_us")
        .join(
            names.with_columns(pl.col("norad").cast(pl.Int32)).unique("norad"),
            on="norad",
            how="left",
            maintain_order="left",
        )
    )
    angles = {
        "inclination_deg": "inc_e4",
        "raan_deg": "raan_e4",
        "arg_perigee_deg": "argp_e4",
        "mean_anomaly_deg": "ma_e4",
    }
    columns = {
        "norad_id": rows["norad"].to_numpy(),
        "epoch_us": rows["epoch_us"].to_numpy(),
        "mean_motion_rev_day": rows["n_e8"].to_numpy() / 1e8,
        "eccentricity": rows["ecc_e7"].to_numpy() / 1e7,
        "bstar_per_er": rows["bstar_m"].to_numpy() * 1e-5 * 10.0 ** rows["bstar_x"].to_numpy().astype(float),
        "name": rows["name"].fill_null("").str.slice(0, 8).to_numpy().astype("U8"),
        **{name: rows[column].to_numpy() / 1e4 for name, column in angles.items()},
    }
    return GpTable.from_columns(columns, "gp_history_2026.parquet")


def read_snapshots(folder: Path) -> GpTable:
    """Two whole catalogues four days apart: the public history above is thin where objects are not active."""
    reads = [read_gp(path) for path in sorted(folder.glob("202201*.xz"))]
    table = GpTable.concat([read.table for read in reads], "catalog_snapshots/202201*")
    recent = table.epoch_us > int(table.epoch_us.max()) - 30 * DAY_US
    order = np.lexsort((table.epoch_us[recent], table.norad_id[recent]))
    return table[recent][order]


def pairs(
    history: GpTable, rows: np.ndarray, node: float, low: float, high: float, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Indices of older and newer sets whose ages lie within (low, high] days; every object equally likely."""
    if not len(rows):
        return rows, rows
    first = np.searchsorted(history.norad_id, history.norad_id)  # where the object's sets begin
    count = np.searchsorted(history.norad_id, history.norad_id[rows], side="right") - first[rows]
    newer = rng.choice(rows, 4 * PAIRS, p=(1.0 / count) / np.sum(1.0 / count))
    lengths = 2 * 10**13  # microseconds, longer than the history: one sortable key for object and epoch
    start = int(history.epoch_us.min()) - lengths // 4
    key = history.norad_id * lengths + (history.epoch_us - start)
    wanted_day = np.exp(rng.uniform(np.log(low), np.log(high), len(newer)))
    place = np.searchsorted(key, key[newer] - (wanted_day * DAY_US).astype(np.int64))
    older, best = place.copy(), np.full(len(newer), np.inf)
    for shift in (-1, 0):
        at = np.clip(place + shift, 0, len(key) - 1)
        age = (history.epoch_us[newer] - history.epoch_us[at]) / DAY_US
        fits = (history.norad_id[at] == history.norad_id[newer]) & (age > low) & (age <= high)
        nearer = fits & (np.abs(age - node) < best)
        older[nearer], best[nearer] = at[nearer], np.abs(age - node)[nearer]
    good = np.isfinite(best)
    return older[good][:PAIRS], newer[good][:PAIRS]


def differences(history: GpTable, older: np.ndarray, newer: np.ndarray) -> np.ndarray:
    """Older minus newer at the newer's epoch, RTN of the newer, km (m, 3); failures of SGP4 are left out."""
    if not len(newer):
        return np.zeros((0, 3))
    start_us = int(history.epoch_us[newer].min())
    offset_s = (history.epoch_us[newer] - start_us) / 1e6
    (r_old, _, bad_old), (r_new, v_new, bad_new) = (
        Sgp4Catalog.from_gp(history[rows]).at(np.arange(len(rows)), start_us, offset_s) for rows in (older, newer)
    )
    good = (bad_old == 0) & (bad_new == 0)
    matrix = rtn_matrix(r_new[good], v_new[good])
    return np.asarray(np.einsum("nij,nj->ni", matrix, (r_old - r_new)[good]))


def estimate(difference: np.ndarray) -> dict[str, Any]:
    """Variances, correlation and tail factor of one cell, as `ESTIMATOR` says."""
    sigma = np.quantile(np.abs(difference), 0.6827, axis=0)
    cut = np.clip(difference / sigma, -3.0, 3.0)
    rho = float(np.mean(cut[:, 0] * cut[:, 1]) / np.sqrt(np.mean(cut[:, 0] ** 2) * np.mean(cut[:, 1] ** 2)))
    rho = round(float(np.clip(rho, -0.95, 0.95)), 3) if abs(rho) > 3.0 / np.sqrt(len(difference)) else 0.0
    core, tail = np.sqrt(np.quantile(squared(difference, sigma**2, rho), [0.6827, 0.9]) / [CHI2_68, CHI2_90])
    return {
        "variance_rtn_km2": (core * sigma) ** 2,
        "correlation_rt": rho,
        "tail_factor_90": round(float(tail / core), 3),
    }


def squared(difference: np.ndarray, variance: np.ndarray, rho: float) -> np.ndarray:
    """Squared Mahalanobis distances (m,) for diagonal variances and a radial-transverse correlation."""
    r, t, n = (difference / np.sqrt(variance)).T
    return np.asarray((r**2 - 2.0 * rho * r * t + t**2) / (1.0 - rho**2) + n**2)


def coverage(difference: np.ndarray, table: EmpiricalCovariance, regime: int, node: int) -> tuple[float, float]:
    """Shares within the 68.27 % and the 90 % ellipsoid of the table."""
    d2 = squared(difference, table.variance_km2[regime, node], float(table.correlation_rt[regime, node]))
    return float(np.mean(d2 <= CHI2_68)), float(np.mean(d2 <= CHI2_90))


def section(document: dict[str, Any]) -> str:
    """The table in Markdown: sigmas at some ages, and coverage on the objects that made nothing of it."""
    shown = [document["age_day"].index(age) for age in (0.1, 0.5, 1.0, 3.0, 7.5)]
    lines = [
        "## Empirical covariance",
        "",
        f"{document['what']}. From {document['history']}. {document['estimator']}",
        "",
        "Sigma in radial / transverse / normal, km, by the age of the set:",
        "",
        "| regime | " + " | ".join(f"{document['age_day'][k]:g} d" for k in shown) + " |",
        "|---|" + "---|" * len(shown),
    ]
    for name, part in document["regimes"].items():
        sigma = np.sqrt(np.array(part["variance_rtn_km2"]))
        lines.append(f"| {name} | " + " | ".join(" / ".join(f"{s:.3g}" for s in sigma[k]) for k in shown) + " |")
    total = sum(sum(part["pairs_train"]) + sum(part["pairs_test"]) for part in document["regimes"].values())
    lines += [
        "",
        f"Coverage on the half of the objects kept out ({total:,} pairs in both halves): share within the 68 % "
        "ellipsoid (wanted 0.68), then within the 90 % ellipsoid (wanted 0.90; less means heavy tails), then the "
        "factor on sigma that the 90 % ellipsoid would need:",
        "",
        "| regime | " + " | ".join(f"{document['age_day'][k]:g} d" for k in shown) + " |",
        "|---|" + "---|" * len(shown),
    ]
    for name, part in document["regimes"].items():
        cells = [
            f"{part['test_within_68'][k]:.2f}, {part['test_within_90'][k]:.2f}, {part['tail_factor_90'][k]:.2g}"
            for k in shown
        ]
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return "\n".join(lines)
