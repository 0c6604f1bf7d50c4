"""Trees as files: low orbits are timed, high ones also placed beside their orbits, and strangers are refused."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest

from orbwatch.errors import InputError
from orbwatch.learn.samples.catalog_far_table import FAR_COLUMNS, columns_of
from orbwatch.learn.samples.catalog_regimes import CATALOG_REGIMES, catalog_regime
from orbwatch.learn.samples.catalog_windows import CatalogWindows
from orbwatch.learn.training.catalog_boosting import Rows, fit_trees
from orbwatch.models.catalog_trees import CatalogTrees, axes_of, tree_file
from orbwatch.settings_groups import BoostSettings

from ..learn.samples.test_catalog_far_table import geostationary, looked
from ..learn.wandering import wandering

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")
GEO, LOW = CATALOG_REGIMES.index("GEO"), CATALOG_REGIMES.index("LEO 600-1200 km")


def grown(regime: int, axis: int) -> bytes:
    """Trees that know one thing: how far beside the orbit an object is in their axis, whatever they are asked."""
    rng = np.random.default_rng(3)
    rows = 600
    truth = np.tile([2.0, 0.5, -3.0], (rows, 1)) + rng.normal(0.0, 0.01, (rows, 3))
    x = rng.normal(0.0, 1.0, (rows, len(columns_of(regime)))).astype(np.float32)
    known = Rows(x, truth, np.zeros((rows, 3)), np.ones((rows, 3)), np.arange(rows) % 9)
    return gzip.compress(fit_trees(known, BoostSettings(least=20), 1, 3, axis))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("trees")
    for regime in (GEO, LOW):
        for axis in axes_of(regime):
            (path / tree_file(regime, axis)).write_bytes(grown(regime, axis))
    return path


def test_each_component_is_told_where_there_are_trees(folder: Path) -> None:
    trees = CatalogTrees.load(folder, [path.name for path in folder.iterdir()])
    windows = CatalogWindows.concat([looked(wandering(objects=8, sets=20)), looked(geostationary())])
    regime = catalog_regime(windows.newest)
    told = trees.predict(windows)
    geo = regime == GEO
    assert np.isfinite(told.sigma_km[geo]).all()
    assert (told.mean_km[geo, :, 0] > 0.0).all()
    assert (told.mean_km[geo, :, 2] < 0.0).all()
    assert np.isfinite(told.sigma_km[regime == LOW, :, 1]).all()
    assert np.isinf(told.sigma_km[regime == LOW][..., [0, 2]]).all()
    others = ~np.isin(regime, (GEO, LOW))
    assert (told.mean_km[others] == 0.0).all()
    assert np.isinf(told.sigma_km[others]).all()


def test_trees_of_other_columns_are_refused(folder: Path, tmp_path: Path) -> None:
    assert len(FAR_COLUMNS) != len(columns_of(LOW))
    name = tree_file(GEO, 0)
    (tmp_path / name).write_bytes((folder / tree_file(LOW)).read_bytes())
    with pytest.raises(InputError, match="trees of other features"):
        CatalogTrees.load(tmp_path, [name])
