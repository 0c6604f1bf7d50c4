"""A message's curves go through its values."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from orbwatch.conjunction.cdm import probabilities
from orbwatch.conjunction.cdm_assess import assess_message
from orbwatch.conjunction.cdm_bounds import largest
from orbwatch.conjunction.cdm_curves import curves_of
from orbwatch.settings import RiskSettings

from .made_messages import made

RISK = RiskSettings()


def test_through_the_values() -> None:
    curves = curves_of(made(), settings=RISK)
    values = {one["method"]: one["pc"] for one in assess_message(made(), settings=RISK, samples=0)["results"]}
    at = int(np.argmin(np.abs(curves.hbr_m - 12.5)))
    assert curves.pc_of_hbr[at] == pytest.approx(values["foster_1992"], rel=1e-6)
    assert curves.square_of_hbr[at] == pytest.approx(4.0 / np.pi * values["foster_1992"], rel=0.02)
    assert curves.in_time.pc[-1] == pytest.approx(values["hall_2021_nc3d"], rel=2e-3)
    assert (np.diff(curves.in_time.pc) >= 0.0).all()
    assert np.ptp(curves.in_time.t_s) < 2.0


def test_radii_asked_for() -> None:
    curves = curves_of(made(), settings=RISK, between_m=(1.0, 2.0), over_time=False)
    assert (curves.hbr_m[0], curves.hbr_m[-1]) == pytest.approx((1.0, 2.0))
    assert not len(curves.in_time.t_s)


def test_largest_says_over_what() -> None:
    near = largest(probabilities(made(scale=100.0)))
    assert near is not None
    assert near["diluted"]
    assert near["pc"] > assess_message(made(scale=100.0), settings=RISK, curved=False)["results"][0]["pc"]
    assert "diluted: with" in near["words"]
    far = largest(probabilities(made(off_km=1.0)))
    assert far is not None
    assert not far["diluted"]
    one = largest(probabilities(made(object1=replace(made().object1, cov_rtn_km2=None))))
    assert one is not None
    assert one["method"] == "frisbee_2015"
    none = [replace(part, cov_rtn_km2=None) for part in made().objects]
    assert largest(probabilities(made(object1=none[0], object2=none[1]))) is None
