"""Readers of conjunction data messages, ephemeris messages, SP3 and CPF for the fuzz harness.

`READERS`: name -> (what to call with a text, seed texts). Only OrbwatchError may come out of the call.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np

from orbwatch.catalog.cdm import hbr, parse_cdms, write_cdm
from orbwatch.catalog.cdm_public import parse_cdm_public
from orbwatch.catalog.cpf import parse_cpf
from orbwatch.catalog.oem import Oem, OemCovariance, OemSegment, parse_oem, write_oem
from orbwatch.catalog.sp3 import parse_sp3
from orbwatch.time import EarthOrientationWarning

_SP3 = """\
#cV2019  4  7  0  0  0.00000000       2   u+U IGb08 FIT  WHU
## 2048      0.00000000   900.00000000 58580     0.000000000
+    2   G01L52  0  0  0
%c M  cc GPS ccc cccc cccc cccc cccc ccccc ccccc ccccc ccccc
*  2019  4  7  0  0  0.00000000
PG01  10000.000000  20000.000000 -10000.000000     -0.334898
VG01  11111.111111      0.000000      0.000000      0.000000
PL52      0.000000      0.000000      0.000000 999999.999999
*  2019  4  7  0 15  0.00000000
PG01  11000.000000  20000.000000 -10000.000000     -0.334898
PL52   1000.000000   2000.000000 999999.999999 999999.999999
EOF
"""
_CPF = """\
H1 CPF 2 CNE 2018 6 13 6 164 1 jason3
H2 1600201 4379 41240 2018 6 13 0 0 0 2018 6 18 0 0 0 240 1 1 0 0 0 1
10 0 58282      0.000000  0       6566174.663       2703003.220      -3022783.901
20 0 1000.0 2000.0 -3000.0
10 0 58282    240.500000  0       5612763.227       3006882.108      -4359836.652
99
"""
_PUBLIC = (
    "CDM_ID,CREATED,EMERGENCY_REPORTABLE,TCA,MIN_RNG,PC,SAT_1_ID,SAT_1_NAME,SAT_1_EXCL_VOL,SAT_2_ID\n"
    '1,2026-08-01 05:08:44,Y,2026-08-05T05:08:44.527,181,2.37e-4,8178,"A, B",1.00,270000001\n',
    '[{"CDM_ID":"2","TCA":"2026-08-05T05:08:44","MIN_RNG":4,"PC":null,"SAT_1_ID":5,"SAT_2_ID":6}]',
)


def _cdm_seeds() -> dict[str, tuple[str, ...]]:
    text = (Path(__file__).parent.parent / "truth" / "cdm_508x0b1.kvn").read_text()
    text = text.replace("OBJECT   ", "COMMENT HBR = 15 [m]\nOBJECT   ").replace("X_DOT", "AREA_PC = 1 [m**2]\nX_DOT")
    (cdm,) = parse_cdms(text)
    whole = replace(cdm, object2=replace(cdm.object2, cov_rtn_km2=cdm.object1.cov_rtn_km2))
    return {"kvn": (text, write_cdm(whole)), "xml": (write_cdm(whole, "xml"),), "json": (write_cdm(whole, "json"),)}


def _oem_seeds() -> dict[str, str]:
    times, covariance = np.array([0, 60_000_000]), OemCovariance(0, np.eye(6), "RTN")
    part = OemSegment("A", "2000-001A", "GCRF", times, np.ones((2, 3)), np.ones((2, 3)), covariances=(covariance,))
    part = replace(part, interpolation="HERMITE", interpolation_degree=7, time_system="TAI")
    oem = Oem((part, part), creation_us=0, originator="A", comments=("a",))
    return {kind: write_oem(oem, kind).replace("UTC", "TAI", 1) for kind in ("kvn", "xml")}


def _cdms(text: str) -> None:
    for cdm in parse_cdms(text, "fuzz"):
        hbr(cdm)
        write_cdm(replace(cdm, unknown={}))


def _oem(text: str) -> None:
    with warnings.catch_warnings():  # meant: epochs in UT1 outside the Earth-orientation table
        warnings.simplefilter("ignore", EarthOrientationWarning)
        oem = parse_oem(text, "fuzz")
    oem.states_at(oem.segments[0].times_us)
    write_oem(oem)


READERS: dict[str, tuple[Callable[[str], object], tuple[str, ...]]] = {
    **{f"cdm_{kind}": (_cdms, texts) for kind, texts in _cdm_seeds().items()},
    **{f"oem_{kind}": (_oem, (text,)) for kind, text in _oem_seeds().items()},
    "cdm_public": (parse_cdm_public, _PUBLIC),
    "sp3": (parse_sp3, (_SP3,)),
    "cpf": (parse_cpf, (_CPF,)),
}
