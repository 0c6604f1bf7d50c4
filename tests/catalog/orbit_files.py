"""SP3 and CPF files of made-up orbits."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from jaxtyping import Float, Int

from orbwatch.constants import DAY_US


def sp3_text(times_us: Int[np.ndarray, " m"], orbits: Mapping[str, Float[np.ndarray, "m 3"]], system: str) -> str:
    """Epochs are written as they are, whatever the time system."""
    lines = [
        "#cP2019  4  7  0  0  0.00000000       2   u+U IGb08 FIT  WHU",
        f"%c M  cc {system} ccc cccc cccc cccc cccc ccccc ccccc ccccc ccccc",
    ]
    for k, when in enumerate(times_us.astype("datetime64[us]").tolist()):
        second = when.second + when.microsecond / 1e6
        lines.append(f"*  {when:%Y} {when.month:2d} {when.day:2d} {when.hour:2d} {when.minute:2d} {second:11.8f}")
        lines += [f"P{name}" + "".join(f"{x:14.6f}" for x in r[k]) for name, r in orbits.items()]
    return "\n".join([*lines, "EOF", ""])


def cpf_text(times_us: Int[np.ndarray, " m"], r_itrf_km: Float[np.ndarray, "m 3"], target: str, norad_id: int) -> str:
    lines = [f"H1 CPF 2 CNE 2018 6 13 6 164 1 {target}", f"H2 1600201 4379 {norad_id} 2018 6 13 0 0 0", "H9"]
    for time_us, r in zip(times_us.tolist(), r_itrf_km * 1000.0, strict=True):
        day, rest = divmod(time_us, DAY_US)
        lines.append(f"10 0 {day + 40587} {rest / 1e6:.6f} 0 " + " ".join(f"{x:.3f}" for x in r))
    return "\n".join([*lines, "99", ""])
