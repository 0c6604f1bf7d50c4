"""Events of messages: the same in whatever frame their states are, by whatever name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from orbwatch.catalog.cdm_message import CdmObject
from orbwatch.conjunction.what_if import outcome
from orbwatch.conjunction.what_if_event import of_message
from orbwatch.errors import InputError
from orbwatch.frames import gcrf_to_eme2000, gcrf_to_itrf, gcrf_to_teme
from orbwatch.time import us_to_jd

from .made_messages import TCA_US, made

JD = us_to_jd(TCA_US)
State = tuple[np.ndarray, np.ndarray]
TURNS: dict[str, Callable[[np.ndarray, np.ndarray], State]] = {
    "GCRF": lambda r, v: (r, v),
    "EME2000": gcrf_to_eme2000,
    "TEME": lambda r, v: gcrf_to_teme(r, v, *JD),
    "ITRF": lambda r, v: gcrf_to_itrf(r, v, *JD),
}


def turned(part: CdmObject, frame: str, name: str) -> CdmObject:
    r, v = TURNS[frame](part.r_km, part.v_km_s)
    return replace(part, r_km=r, v_km_s=v, ref_frame=name)


@pytest.mark.parametrize(
    ("one", "two"),
    [(("EME2000", "EME2000"), ("EME2000", "J2000")), (("TEME", "TEME"), ("TEME", "TEME")),
     (("ITRF", "ITRF"), ("ITRF", "ITRF")), (("ITRF", "ITRF2000"), ("ITRF", "ITRF-97")),
     (("ITRF", "ITRF"), ("TEME", "TEME")), (("GCRF", "ICRF"), ("EME2000", "EME2000"))],
)  # fmt: skip
def test_the_frame_of_the_states_does_not_matter(one: tuple[str, str], two: tuple[str, str]) -> None:
    message = made()
    event = of_message(message, "a")
    r_km, v_km_s = (np.array(each) for each in zip(*(
        gcrf_to_teme(part.r_km, part.v_km_s, *JD) for part in message.objects
    ), strict=True))  # fmt: skip
    np.testing.assert_allclose(event.r_km, r_km, rtol=0.0, atol=1e-9)
    objects = {"object1": turned(message.object1, *one), "object2": turned(message.object2, *two)}
    same = of_message(replace(message, **objects), "a")
    np.testing.assert_allclose(same.r_km, r_km, rtol=0.0, atol=1e-6)
    np.testing.assert_allclose(same.v_km_s, v_km_s, rtol=0.0, atol=1e-9)
    burned, again = (outcome(each, np.array([0.05]), np.array([36_000.0])) for each in (event, same))
    assert again.miss_km[0] == pytest.approx(burned.miss_km[0], abs=2e-6)
    assert again.pc[0] == pytest.approx(burned.pc[0], rel=1e-4)


def test_another_frame_is_refused() -> None:
    message = made()
    with pytest.raises(InputError, match="the frame of a state is not known"):
        of_message(replace(message, object2=replace(message.object2, ref_frame="MOON")), "a")
