"""Groups: constellations apart from others, small ones joined, and nobody believed where nothing was fitted."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from orbwatch.constants import DAY_US
from orbwatch.learn.samples.catalog_asks import NEAR, asks
from orbwatch.learn.samples.catalog_windows import NODES_DAY, CatalogWindows, windows_of
from orbwatch.learn.samples.crowds import crowded_shells
from orbwatch.models.catalog_calibration import Shares
from orbwatch.models.catalog_groups import BEHAVIOUR, GROUPS, LEAST_OBJECTS, Grouping, behaviour_of
from orbwatch.propagate.sgp4 import Sgp4Catalog

from ..learn.wandering import wandering

TABLE = wandering(objects=8, sets=20)


def looked() -> CatalogWindows:
    ids = np.unique(TABLE.norad_id)
    asked = asks(TABLE, ids, np.full(len(ids), int(TABLE.epoch_us.max() + DAY_US)))
    return windows_of(TABLE, Sgp4Catalog(TABLE), asked, NODES_DAY[:4], truth=False)


def alone(windows: CatalogWindows) -> CatalogWindows:
    """The same with the newest set and no other."""
    last = np.arange(NEAR.most) == NEAR.most - 1
    return replace(windows, age_day=np.where(last, windows.age_day, np.nan),
                   shift=np.where(last[:, None], windows.shift, np.nan))  # fmt: skip


def everyone() -> Grouping:
    return Grouping(np.empty((0, 2), np.int64), np.arange(len(GROUPS)))


def test_behaviour_and_company_make_the_group() -> None:
    windows = looked()
    heavy = replace(windows.newest, bstar_per_er=np.zeros(len(windows)))
    windows = replace(windows, newest=heavy, elements=np.zeros_like(windows.elements))
    group = everyone().of(alone(windows))
    assert (behaviour_of(group) == BEHAVIOUR.index("without a past")).all()
    late = replace(windows, asked_us=windows.asked_us + 10 * DAY_US)
    assert (behaviour_of(everyone().of(late)) == BEHAVIOUR.index("not seen for days")).all()
    assert all("alone" in GROUPS[code] for code in group)
    shell = windows.newest[np.zeros(300, np.int64)]
    crowded = Grouping(crowded_shells(shell), np.arange(len(GROUPS))).of(windows)
    assert "constellation" in GROUPS[crowded[0]]
    assert GROUPS[crowded[0]].split(",")[0] == GROUPS[everyone().of(windows)[0]].split(",")[0]


def test_debris_between_600_and_1200_km_is_told_by_its_drag() -> None:
    windows = looked()
    draggy = replace(windows.newest, bstar_per_er=np.full(len(windows), 1e-3))
    light = replace(windows, newest=draggy, elements=np.full_like(windows.elements, 1e-3))
    fits = replace(light, shift=0.0 * windows.shift)
    airy = np.array(["600-1200 km" in GROUPS[code] for code in everyone().of(fits)])
    assert airy.any()

    def called_light(windows: CatalogWindows) -> np.ndarray:
        return np.array(["light" in GROUPS[code] for code in everyone().of(windows)])

    np.testing.assert_array_equal(called_light(fits), airy)
    # B* alone does not make an object light: its last sets must bear it out.
    gap = np.where((fits.age_day > 0.0) & (fits.age_day < 4.0), np.nan, fits.age_day)
    for other in (
        alone(fits),
        replace(light, shift=1000.0 + 0.0 * windows.shift),
        replace(fits, age_day=gap, shift=np.where(np.isnan(gap)[..., None], np.nan, fits.shift)),
    ):
        assert not called_light(other).any()


def test_small_groups_are_joined_within_their_regime() -> None:
    found = Grouping.fit(TABLE[:8], looked())
    regime = [name.split(",")[0] for name in GROUPS]
    assert [regime[code] for code in found.stands_for] == regime
    many = CatalogWindows.concat([replace(looked(), newest=replace(
        looked().newest, norad_id=looked().newest.norad_id + 100 * k)) for k in range(LEAST_OBJECTS)])  # fmt: skip
    own = Grouping.fit(TABLE[:0], many)
    used = np.unique(everyone().of(many))
    np.testing.assert_array_equal(own.stands_for[used], used)


def test_without_a_past_and_without_a_group_nothing_is_taken() -> None:
    windows = looked()
    few = alone(windows)
    assert not everyone().shut(few).any()
    calm = Grouping(np.empty((0, 2), np.int64), np.arange(len(GROUPS)) // len(BEHAVIOUR) * len(BEHAVIOUR))
    assert calm.shut(few).all()
    assert not calm.shut(windows).any()
    shares = Shares(*(np.full((8, 4), 0.5) for _ in range(4)), np.ones((8, 4, 3))).without(calm.shut(few))
    assert (shares.across + shares.beside + shares.networks + shares.trees == 0.0).all()
    assert (shares.stretch > 1.0).all()
