from __future__ import annotations

import numpy as np

from orbwatch.catalog.gp import NO_TIME, GpTable


def table(n: int = 3) -> GpTable:
    return GpTable.from_columns(
        {
            "norad_id": [25544, 5, 25544][:n],
            "epoch_us": [2_000_000, 5, 1_000_000][:n],
            "mean_motion_rev_day": [15.5, 10.8, 15.4][:n],
            "eccentricity": [0.001, 0.18, 0.001][:n],
            "inclination_deg": [51.6, 34.2, 51.6][:n],
            "raan_deg": [10.0, 20.0, 30.0][:n],
            "arg_perigee_deg": [1.0, 2.0, 3.0][:n],
            "mean_anomaly_deg": [4.0, 5.0, 6.0][:n],
            "name": ["ISS", "VANGUARD 1", "ISS"][:n],
        },
        source="here",
    )


def test_defaults_and_row() -> None:
    row = table().row(1)
    assert row["name"] == "VANGUARD 1"
    assert row["seen_us"] == NO_TIME
    assert row["classification"] == "U"
    assert GpTable.from_rows([row]).row(0) == row


def test_newest_keeps_one_set_per_object() -> None:
    newest = table().newest()
    assert newest.norad_id.tolist() == [5, 25544]
    assert newest.epoch_us.tolist() == [5, 2_000_000]
    assert len(table()[:0].newest()) == 0


def test_concat_and_empty() -> None:
    both = GpTable.concat([table(1), table(2)])
    assert len(both) == 3
    assert both.source == "here"
    assert len(GpTable.concat([])) == 0


def test_content_hash_sees_every_element_but_not_the_name() -> None:
    one = table()
    changed = GpTable.from_rows([{**one.row(i), "eccentricity": 0.5} for i in range(3)])
    renamed = GpTable.from_rows([{**one.row(i), "name": "X"} for i in range(3)])
    assert one.content_hash() == table().content_hash() == renamed.content_hash()
    assert one.content_hash() != changed.content_hash()
    assert np.array_equal(one[1:].norad_id, [5, 25544])
