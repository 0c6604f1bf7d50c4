"""Histories with something wrong in them: the forecast has a wide region, or refuses; it is never surely wrong.

Simulated histories always, real ones where there are any.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from jaxtyping import Float, Int

from orbwatch.catalog.gp import GpTable
from orbwatch.catalog.history import clean_history, read_history
from orbwatch.catalog.tle_write import write_tle
from orbwatch.cli import cli
from orbwatch.constants import DAY_US
from orbwatch.errors import InputError
from orbwatch.frames import rtn_matrix
from orbwatch.learn.samples.catalog_asks import Asks, later_sets
from orbwatch.models.catalog_forecast import CONTRADICTED, CatalogForecasts, forecast_catalog
from orbwatch.propagate.sgp4 import Sgp4Catalog
from orbwatch.time import format_utc, parse_utc
from orbwatch.uncertainty.gaussian import mahalanobis

from ..learn.wandering import wandering
from .bad_sets import UNKNOWN, UNUSABLE, WILD, known, newest, of_another, ordered

DAYS = np.array([0.5, 1.0, 3.0, 7.0])


@dataclass(frozen=True, eq=False)
class Case:
    """A history with nothing wrong, its forecast, and where the objects turned out to be."""

    table: GpTable
    asked_us: int
    ids: Int[np.ndarray, " n"]
    clean: CatalogForecasts
    truth_km: Float[np.ndarray, "n h 3"]

    def ask(self, table: GpTable) -> CatalogForecasts:
        return forecast_catalog(table, self.ids, self.asked_us, DAYS, "catalog")

    def read(self, table: GpTable) -> CatalogForecasts:
        """As from a file: what was public, cleaned."""
        return self.ask(clean_history(table[known(table, self.asked_us)]).table)


def made(table: GpTable, asked_us: int) -> Case:
    ids = np.unique(table.norad_id[newest(table, asked_us, 8)])
    table = table[np.isin(table.norad_id, ids)]
    at_us = np.full((len(ids), 1), asked_us) + np.rint(DAYS * DAY_US).astype(np.int64)
    rows = later_sets(table, Asks(ids, np.full(len(ids), asked_us), np.zeros((len(ids), 1), np.int64)), at_us)
    states = Sgp4Catalog(table).at(rows.ravel(), asked_us, (at_us.ravel() - asked_us) / 1e6)[0]
    truth = np.where((rows >= 0)[..., None], states.reshape(*at_us.shape, 3), np.nan)
    return Case(table, asked_us, ids, forecast_catalog(table, ids, asked_us, DAYS, "catalog"), truth)


@pytest.fixture(scope="module")
def simulated() -> Case:
    table = wandering(objects=25, sets=90)
    return made(table, int(table.epoch_us.min() + 20 * DAY_US))


@pytest.fixture(scope="module")
def real(data: Path) -> Case:
    path = data / "gp_history" / "gp_history_2026.parquet"
    ids = [int(line.split("\t")[0]) for line in (data / "gp_history" / "objects.tsv").read_text().splitlines()[1::350]]
    start_us, end_us = parse_utc("2026-06-25"), parse_utc("2026-07-27")
    return made(read_history(path, ids, start_us, end_us).table, parse_utc("2026-07-18T03:00:00"))


@pytest.fixture(params=["simulated", "real"])
def case(request: pytest.FixtureRequest) -> Case:
    return request.getfixturevalue(request.param)


def answered(got: CatalogForecasts) -> np.ndarray:
    return np.isfinite(got.rv_teme_km).all(axis=2)


def outside(case: Case, got: CatalogForecasts) -> np.ndarray:
    """Where there is an answer whose 99 % ellipsoid does not hold the truth."""
    r, v = got.rv_teme_km[..., :3], got.rv_teme_km[..., 3:]
    with np.errstate(invalid="ignore"):
        away = np.einsum("nhij,nhj->nhi", rtn_matrix(r, v), case.truth_km - r)
    missing = np.isnan(case.truth_km).any(axis=2) | ~answered(got)
    return ~missing & ~(mahalanobis(away, got.cov_rtn_km2, missing) <= got.radius[..., 2])


def axis_km(got: CatalogForecasts) -> np.ndarray:
    """Geometric mean of the half axes of the 90 % ellipsoid."""
    return np.linalg.det(np.nan_to_num(got.cov_rtn_km2)) ** (1 / 6) * got.radius[..., 1]


def assert_honest(case: Case, got: CatalogForecasts, share: float = 0.04) -> None:
    """Hardly any truth outside its 99 % ellipsoid, none of them in a smaller one, a reason where there is no answer."""
    wrong = outside(case, got)
    assert wrong.mean() <= share
    assert (wrong & (axis_km(got) < axis_km(case.clean)) & ~outside(case, case.clean)).mean() <= 0.01
    assert not set(got.status[~answered(got).all(axis=1)]) & {"ok", ""}


@pytest.mark.parametrize("name", WILD)
@pytest.mark.parametrize("cleaned", [False, True])
def test_a_wild_newest_set(case: Case, name: str, cleaned: bool) -> None:
    table = WILD[name](case.table, newest(case.table, case.asked_us))
    assert_honest(case, case.read(table) if cleaned else case.ask(table))


@pytest.mark.parametrize("name", WILD)
def test_a_wild_set_between_good_ones(case: Case, name: str) -> None:
    """Reading a history puts it aside, or it does no harm."""
    got = case.read(WILD[name](case.table, newest(case.table, case.asked_us, 2)))
    assert_honest(case, got)
    both = answered(got) & answered(case.clean)
    assert np.median(axis_km(got)[both] / axis_km(case.clean)[both]) < 2.0


@pytest.mark.parametrize("name", UNUSABLE)
def test_a_newest_set_that_is_none(case: Case, name: str) -> None:
    table = UNUSABLE[name](case.table, newest(case.table, case.asked_us))
    refused = case.ask(table)
    assert not answered(refused).any()
    assert set(refused.status) <= {"elements that cannot be propagated", "newest set older than 30 days"}
    # Read from a file, it is put aside and the one before it tells.
    got = case.read(table)
    assert answered(got).mean() > 0.9
    assert (got.newest_us <= case.clean.newest_us).all()
    assert_honest(case, got)


@pytest.mark.parametrize("name", UNKNOWN)
def test_a_set_that_has_no_say(case: Case, name: str) -> None:
    rows = newest(case.table, case.asked_us)
    without = case.ask(case.table[keep(case, rows)])
    got = case.ask(UNKNOWN[name](case.table, rows))
    np.testing.assert_array_equal(got.rv_teme_km, without.rv_teme_km)
    np.testing.assert_array_equal(got.cov_rtn_km2, without.cov_rtn_km2)


def keep(case: Case, rows: np.ndarray) -> np.ndarray:
    """All sets but these."""
    mask = np.ones(len(case.table), np.bool_)
    mask[rows] = False
    return mask


def test_a_set_public_before_its_epoch_is_known_from_its_epoch(case: Case) -> None:
    rows = newest(case.table, case.asked_us)
    seen_us = case.table.seen_us.copy()
    seen_us[rows] = 0
    got = case.ask(replace(case.table, seen_us=seen_us))
    np.testing.assert_array_equal(got.rv_teme_km, case.clean.rv_teme_km)
    early = forecast_catalog(
        replace(case.table, seen_us=seen_us), case.ids, case.asked_us - 3 * DAY_US, DAYS, "catalog"
    )
    assert (early.newest_us <= case.asked_us - 3 * DAY_US).all()


def test_two_wrong_sets_in_a_row(case: Case) -> None:
    table = of_another(case.table, newest(case.table, case.asked_us))
    got = case.read(of_another(table, newest(case.table, case.asked_us, 1)))
    assert_honest(case, got)


def test_gaps_and_single_sets(case: Case) -> None:
    told = known(case.table, case.asked_us)
    last = np.zeros(len(told), np.bool_)
    last[newest(case.table, case.asked_us)] = True
    for name, mask in {
        "gap": ~told | last | (case.table.epoch_us < case.asked_us - 10 * DAY_US),
        "silent": ~told | (case.table.epoch_us < case.asked_us - 6 * DAY_US),
        "single": ~told | last,
    }.items():
        got = case.ask(case.table[mask])
        assert_honest(case, got)
        there = answered(got) & answered(case.clean)
        assert there.any(), name
        if name == "silent":
            assert np.median(axis_km(got)[there] / axis_km(case.clean)[there]) > 2.0
            assert set(got.status[answered(got).all(axis=1)]) <= {"old set: wide region", CONTRADICTED}


def test_sets_999_days_old(case: Case) -> None:
    table = case.table[newest(case.table, case.asked_us)]
    got = case.ask(replace(table, epoch_us=table.epoch_us - 999 * DAY_US, seen_us=table.seen_us - 999 * DAY_US))
    assert not answered(got).any()
    assert set(got.status) == {"newest set older than 30 days"}


def test_doubled_sets_and_any_order(case: Case) -> None:
    """Read from a file, they make no difference; unread, they are refused, or tell the same."""
    twice = GpTable.concat([case.table, case.table])
    mixed = twice[np.random.default_rng(1).permutation(len(twice))]
    with pytest.raises(InputError, match="out of order"):
        case.ask(mixed)
    assert_honest(case, case.ask(ordered(twice)))
    got = case.read(mixed)
    plain = case.read(case.table)
    np.testing.assert_array_equal(got.rv_teme_km, plain.rv_teme_km)
    np.testing.assert_array_equal(got.cov_rtn_km2, plain.cov_rtn_km2)


def test_the_verb_on_a_file_in_disorder(simulated: Case, tmp_path: Path) -> None:
    table = simulated.table[known(simulated.table, simulated.asked_us)]
    # Numbers that a TLE can hold.
    table = replace(table, norad_id=table.norad_id - table.norad_id.min() + 40000)
    text = write_tle(table, names=False)
    (tmp_path / "clean.tle").write_text(text)
    lines = text.splitlines()
    pairs = [lines[at : at + 2] for at in range(0, len(lines), 2)]
    order = np.random.default_rng(2).permutation(2 * len(pairs)) % len(pairs)
    bad = ["1 25544U 98067A   26", "2 25544  51.6", "rubbish"]
    mixed = [*bad, *(line for at in order for line in pairs[at]), *bad]
    (tmp_path / "mixed.tle").write_text("\n".join(mixed) + "\n")
    said = []
    for name in ("clean.tle", "mixed.tle"):
        command = ["forecast", "--history", tmp_path / name, "--at", format_utc(simulated.asked_us), "--format", "csv"]
        result = CliRunner().invoke(cli, [str(word) for word in command])
        assert result.exit_code == 0, result.output
        said.append(result.stdout)
    assert said[0] == said[1]


def test_an_object_that_comes_down(simulated: Case) -> None:
    """A perigee at 130 km with drag to match: no forecast of a week, and the reason."""
    low = simulated.table.norad_id == simulated.ids[0]
    falling = replace(
        simulated.table,
        mean_motion_rev_day=np.where(low, 16.45, simulated.table.mean_motion_rev_day),
        eccentricity=np.where(low, 1e-3, simulated.table.eccentricity),
        bstar_per_er=np.where(low, 1e-2, simulated.table.bstar_per_er),
        mean_motion_dot_rev_day2=np.where(low, 0.05, simulated.table.mean_motion_dot_rev_day2),
    )
    got = simulated.ask(falling)
    assert not answered(got)[0, -1]
    assert got.status[0] not in ("ok", "")
    np.testing.assert_array_equal(got.rv_teme_km[1:], simulated.clean.rv_teme_km[1:])


def test_good_histories_are_believed(case: Case) -> None:
    assert (case.clean.status == CONTRADICTED).mean() < 0.03
