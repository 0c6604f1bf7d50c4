"""ESA's Collision Avoidance Challenge (Kelvins, 2019): series of conjunction messages with their risk, as a CSV.

One row a message: event_id, time_to_tca (days), risk (log10 Pc; -30 where it is nothing), max_risk_estimate,
miss_distance (m), relative_speed (m/s), relative_position_r/t/n (m), relative_velocity_r/t/n (m/s), covariances as
t_sigma_r, c_sigma_r and so on (m), and much else that is kept by name. The file is the user's: ESA gives it out at
https://zenodo.org/records/4463683. The question asked there: from the messages until two days before TCA, what will the
risk in the last message be? Source: Uriot et al. 2022, "Spacecraft collision avoidance challenge: design and results of
a machine learning competition", Astrodynamics 6, 121-140, doi:10.1007/s42064-021-0101-5.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
from jaxtyping import Bool, Float, Int

from orbwatch.errors import InputError

NEEDED = ("event_id", "time_to_tca", "risk", "miss_distance", "relative_speed")
CUTOFF_DAY, LAST_DAY = 2.0, 1.0
"""Messages until so long before TCA may be used; the last one must be no older than a day at TCA to be a truth."""


@dataclass(frozen=True, eq=False)
class KelvinsMessages:
    """n messages, ordered by event and by time: the first one made stands first."""

    event: Int[np.ndarray, " n"]
    lead_day: Float[np.ndarray, " n"]
    risk: Float[np.ndarray, " n"]
    """log10 Pc."""
    frame: pl.DataFrame
    """All columns of the file, in the same order."""

    def asked(self) -> tuple[Int[np.ndarray, " e"], Float[np.ndarray, " e"], Float[np.ndarray, " e"]]:
        """Events that the challenge would ask about, the risk in the last message that may be used, the one to tell."""
        last = np.append(np.diff(self.event) != 0, True)
        allowed = np.flatnonzero(self.lead_day >= CUTOFF_DAY)
        newest = allowed[np.append(np.diff(self.event[allowed]) != 0, True)] if len(allowed) else allowed
        ends = np.flatnonzero(last)[np.searchsorted(self.event[last], self.event[newest])]
        told: Bool[np.ndarray, " e"] = self.lead_day[ends] <= LAST_DAY
        return self.event[newest][told], self.risk[newest][told], self.risk[ends][told]


def read_kelvins(path: Path) -> KelvinsMessages:
    """Messages of a CSV file. Raises InputError naming file, row and column of what cannot be."""
    try:
        frame = pl.read_csv(path, infer_schema_length=None)
    except FileNotFoundError as error:
        raise InputError("no such file", file=path) from error
    except (OSError, pl.exceptions.PolarsError) as error:
        raise InputError(f"not a readable CSV: {str(error).splitlines()[0]}", file=path) from error
    missing = [name for name in NEEDED if name not in frame.columns]
    if missing:
        raise InputError("columns are missing", file=path, field=", ".join(missing), legal=", ".join(NEEDED))
    for name in NEEDED:
        numbers = frame[name].cast(pl.Float64, strict=False)
        bad = (numbers.is_null() | ~numbers.is_finite().fill_null(False)).to_numpy()
        if bad.any():
            row = int(bad.argmax())
            raise InputError("not a number", file=path, line=row + 2, field=name, value=frame[name][row])
    positive = (frame["risk"] > 0.0).to_numpy()
    if positive.any():
        row = int(positive.argmax())
        legal = "a logarithm of a probability, 0 or less"
        raise InputError("not a risk", file=path, line=row + 2, field="risk", value=frame["risk"][row], legal=legal)
    frame = frame.sort(["event_id", "time_to_tca"], descending=[False, True], maintain_order=True)
    return KelvinsMessages(
        event=frame["event_id"].cast(pl.Int64).to_numpy(),
        lead_day=frame["time_to_tca"].cast(pl.Float64).to_numpy(),
        risk=frame["risk"].cast(pl.Float64).to_numpy(),
        frame=frame,
    )
