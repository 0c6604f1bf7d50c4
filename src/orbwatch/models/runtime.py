"""A packaged model at work, from windows to calibrated Gaussians in km: ONNX Runtime, no torch.

Batches of 512 windows pass through features, network and back to kilometres while they are in the processor's cache;
threads take batches, not parts of one. In regimes where the card says so, and in those that the windows' fit does not
tell, the answer is least squares itself.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Bool, Float, Float32

from orbwatch.errors import InputError
from orbwatch.learn.samples.features import Inputs, feature_table, inputs, moved, restore
from orbwatch.learn.samples.windows import GROUPS, Windows, group_code
from orbwatch.models.card import CONFORMAL, Card, check_files, read_card
from orbwatch.models.members import Member, joined, load_member
from orbwatch.models.radii import Radii
from orbwatch.models.registry import find_model
from orbwatch.propagate.least_squares import OK
from orbwatch.uncertainty.ensemble import DeepEnsemble
from orbwatch.uncertainty.gaussian import GaussianForecast, Regions
from orbwatch.uncertainty.mc_dropout import MCDropout
from orbwatch.uncertainty.mixture import Mixture

BATCH = 512
"""Windows in one call of the network; larger gains nothing."""


@dataclass(frozen=True, eq=False)
class Answers:
    """k answers (members, or passes with dropout) for n windows at H horizons, in RTN of the least-squares prediction.

    Rows of windows without a fit are NaN.
    """

    mean_rtn_km: Float[np.ndarray, "k n H 3"]
    velocity_rtn_km_s: Float[np.ndarray, "k n H 3"]
    cov_rtn_km2: Float[np.ndarray, "k n H 3 3"]
    rv_km: Float[np.ndarray, "n H 6"]
    """The least-squares prediction, km, km/s, in the frame of the windows."""
    rtn: Float[np.ndarray, "n H 3 3"]
    """Its R, T, N as rows."""
    method: DeepEnsemble | MCDropout
    """How the answers become one: as members, or as passes."""

    def gaussian(self) -> GaussianForecast:
        """One Gaussian: the only answer, or that of `mixture`."""
        if len(self.mean_rtn_km) == 1:
            return GaussianForecast(self.mean_rtn_km[0], self.cov_rtn_km2[0])
        return self.mixture().forecast

    def mixture(self) -> Mixture:
        """All answers as one Gaussian, with what they expect and how far they lie apart (law of total covariance)."""
        return self.method.predict(self.mean_rtn_km, self.cov_rtn_km2)

    def states_km(self) -> Float[np.ndarray, "n H 6"]:
        """Mean of the forecast states, km, km/s, in the frame of the windows."""
        return moved(self.rv_km, self.rtn, self.mean_rtn_km.mean(axis=0), self.velocity_rtn_km_s.mean(axis=0))


class TrajectoryForecaster:
    """A trajectory model ready to forecast; `load` makes it.

    Attributes: folder, card, members, radii (None: not calibrated), fallback (codes of groups), threads.
    """

    def __init__(
        self,
        folder: Path,
        card: Card,
        members: tuple[Member, ...],
        radii: Radii | None,
        fallback: tuple[int, ...],
        threads: int,
    ) -> None:
        self.folder, self.card, self.members = folder, card, members
        self.radii, self.fallback, self.threads = radii, fallback, threads
        self.uncertainty = len(members[0].scaler.features) == len(feature_table())

    @classmethod
    def load(cls, model: str | Path, threads: int = 1) -> TrajectoryForecaster:
        """A packaged model by its name, or a folder that `export` wrote; threads to compute with.

        Raises InputError where there is none, or a file is missing, changed, or made for other features.
        """
        folder = find_model(model)
        card = read_card(folder)
        check_files(card, folder)
        if card.kind != "trajectory":
            raise InputError("not a model of trajectories", file=folder, field="kind", value=card.kind)
        uncertainty = bool(card.network.get("uncertainty_features", True))
        if [row["name"] for row in card.features] != [feature.name for feature in feature_table(uncertainty)]:
            hint = f"It was made by orbwatch {card.orbwatch}; use that, or train it again"
            raise InputError("a model of other features", file=folder, field="features", hint=hint)
        unknown = [name for name in card.fallback if name not in GROUPS]
        if unknown:
            raise InputError("unknown group", file=folder, field="fallback", value=unknown, legal=", ".join(GROUPS))
        radii = Radii.read(folder) if CONFORMAL in card.files else None
        members = tuple(load_member(folder, member) for member in range(card.members))
        return cls(folder, card, members, radii, tuple(GROUPS.index(name) for name in card.fallback), threads)

    def predict(self, windows: Windows) -> GaussianForecast:
        """Positions at `windows.horizon_s` as Gaussians, RTN of the least-squares prediction; NaN where no fit."""
        return self.answers(windows).gaussian()

    def answers(self, windows: Windows) -> Answers:
        """Each member's answer; windows without a fit are NaN."""
        return self._all(windows, len(self.members), self._ask_members, DeepEnsemble())

    def samples(self, windows: Windows, passes: int = 30, seed: int = 0, member: int = 0) -> Answers:
        """Answers of one member with dropout kept on: `passes` masks drawn by seed, the same for all windows.

        The trunk runs once, the heads for many masks at a time (Gal & Ghahramani 2016). Raises InputError for a member
        that is not there.
        """
        if not 0 <= member < len(self.members):
            legal = f"0 .. {len(self.members) - 1}"
            raise InputError("no such network in the ensemble", field="member", value=member, legal=legal)
        chosen, share = self.members[member], float(self.card.network["dropout"])
        rng = np.random.default_rng(seed)
        keep = (rng.random((2, passes, chosen.width)) >= share) / np.float32(1.0 - share)
        masks = keep.astype(np.float32)

        def ask(given: Inputs) -> tuple[Any, Any]:
            return chosen.ask(given, given.mix, given.log_scale, masks[0], masks[1])

        return self._all(windows, passes, ask, MCDropout())

    def regions(self, windows: Windows, forecast: GaussianForecast, level: float) -> Regions:
        """Calibrated regions around a forecast for these windows, each horizon by itself.

        Raises InputError where the model was not calibrated (for this level, or these horizons).
        """
        return self._calibrated().regions(windows, forecast, level)

    def tube(self, windows: Windows, forecast: GaussianForecast, level: float) -> Regions:
        """The same for all horizons at once."""
        return self._calibrated().tube(windows, forecast, level)

    def _calibrated(self) -> Radii:
        if self.radii is None:
            raise InputError("the model has not been calibrated", file=self.folder / CONFORMAL)
        return self.radii

    def _ask_members(self, given: Inputs) -> tuple[Float32[np.ndarray, "k n H 6"], Float32[np.ndarray, "k n H 3 3"]]:
        return joined([member.ask(given, given.mix, given.log_scale) for member in self.members])

    def _all(
        self,
        windows: Windows,
        count: int,
        ask: Callable[[Inputs], tuple[Any, Any]],
        method: DeepEnsemble | MCDropout,
    ) -> Answers:
        windows = replace(windows, truth_rv_km=None, truth_history_rv_km=None)
        n, horizons = windows.horizon_s.shape
        shape = (count, n, horizons)
        out = Answers(
            np.empty((*shape, 3)),
            np.empty((*shape, 3)),
            np.empty((*shape, 3, 3)),
            np.empty((n, horizons, 6)),
            np.empty((n, horizons, 3, 3)),
            method,
        )
        size = max(1, min(BATCH, -(-n // self.threads)))

        def work(begin: int) -> None:
            rows = slice(begin, begin + size)
            part = windows.take(rows)
            given = inputs(part, self.uncertainty)
            mean, factor = ask(given)
            physics = np.isin(group_code(part), (-1, *self.fallback))
            mean[:, physics] = 0.0
            factor[:, physics] = np.exp(-given.log_scale[physics])[:, None, None, None] * np.eye(3, dtype=np.float32)
            failed: Bool[np.ndarray, " n"] = part.fit.status != OK
            for k in range(count):
                for whole, values in zip(
                    (out.mean_rtn_km, out.velocity_rtn_km_s, out.cov_rtn_km2),
                    restore(given, mean[k], factor[k]),
                    strict=True,
                ):
                    values[failed] = np.nan
                    whole[k, rows] = values
            given.rv_km[failed] = np.nan
            out.rv_km[rows], out.rtn[rows] = given.rv_km, given.rtn

        starts = range(0, n, size)
        if self.threads == 1 or len(starts) < 2:
            for begin in starts:
                work(begin)
        else:
            with ThreadPoolExecutor(self.threads) as pool:
                list(pool.map(work, starts))
        return out
