"""The catalogue's forecaster at work: SGP4 from the newest set, corrected, with a covariance; no torch.

Networks and trees say by how much time the object will be ahead of SGP4 along its orbit, and how far beside it. The
state is SGP4's, moved so; its covariance is told in the radial, transverse, normal axes of the moved state.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float, Int

from orbwatch.errors import InputError
from orbwatch.frames import rtn_matrix
from orbwatch.learn.samples.catalog_basis import ALONG, mix_of
from orbwatch.learn.samples.catalog_features import FEATURES, CatalogInputs, catalog_inputs
from orbwatch.learn.samples.catalog_windows import CatalogWindows
from orbwatch.models.card import CALIBRATION, Card, check_files, read_card
from orbwatch.models.catalog_answers import Answers, everything
from orbwatch.models.catalog_calibration import CatalogCalibration, Shares
from orbwatch.models.catalog_trees import FACTS, CatalogTrees
from orbwatch.models.members import Member, joined, load_member
from orbwatch.models.registry import find_model
from orbwatch.propagate.curvilinear import shifted
from orbwatch.uncertainty.ensemble import DeepEnsemble
from orbwatch.uncertainty.gaussian import GaussianForecast

BATCH = 256
KIND = "catalog"
FROM_SCALE = 2.0
"""Covariance over scale matrix of the Student distribution that the networks are trained on (4 degrees of freedom)."""


@dataclass(frozen=True, eq=False)
class CatalogForecast:
    """States of n askings at h horizons; NaN where SGP4 has none."""

    rv_teme_km: Float[np.ndarray, "n h 6"]
    cov_rtn_km2: Float[np.ndarray, "n h 3 3"]
    """Position covariance in RTN of these states."""
    group: Int[np.ndarray, " n"]
    """Index into `catalog_groups.GROUPS`; 0 for a model without calibration."""

    def gaussian(self, truth_km: Float[np.ndarray, "n h 3"]) -> tuple[GaussianForecast, Float[np.ndarray, "n h 3"]]:
        """As Gaussians about the forecast positions, and where other positions (km, TEME) lie from them in RTN, km."""
        axes = rtn_matrix(self.rv_teme_km[..., :3], self.rv_teme_km[..., 3:])
        away = np.einsum("nhij,nhj->nhi", axes, truth_km - self.rv_teme_km[..., :3])
        return GaussianForecast(np.zeros_like(away), self.cov_rtn_km2), away


class CatalogForecaster:
    """A catalogue model ready to forecast; `load` makes it.

    Attributes: folder, card, members, trees (None: networks alone), calibration (None: not calibrated), threads.
    """

    def __init__(
        self,
        folder: Path,
        card: Card,
        members: tuple[Member, ...],
        trees: CatalogTrees | None,
        calibration: CatalogCalibration | None,
        threads: int = 1,
    ) -> None:
        self.folder, self.card, self.members, self.trees = folder, card, members, trees
        self.calibration, self.threads = calibration, threads

    @classmethod
    def load(cls, model: str | Path, threads: int = 1) -> CatalogForecaster:
        """A packaged model by its name, or a folder; threads to compute with.

        Raises InputError where there is none, or a file is missing, changed, or made for other features.
        """
        folder = find_model(model)
        card = read_card(folder)
        check_files(card, folder)
        if card.kind != KIND:
            raise InputError("not a model of the catalogue", file=folder, field="kind", value=card.kind)
        if [row["name"] for row in card.features] != [feature.name for feature in FEATURES]:
            hint = f"It was made by orbwatch {card.orbwatch}; use that, or train it again"
            raise InputError("a model of other features", file=folder, field="features", hint=hint)
        calibration = CatalogCalibration.read(folder) if CALIBRATION in card.files else None
        trees = CatalogTrees.load(folder, list(card.files)) if FACTS in card.files else None
        members = tuple(load_member(folder, i) for i in range(card.members))
        return cls(folder, card, members, trees, calibration, threads)

    def predict(self, windows: CatalogWindows) -> CatalogForecast:
        """Forecasts at the windows' horizons; a calibrated model takes its shares of the corrections."""
        return self.believed(windows, self.answers(windows))

    def believed(self, windows: CatalogWindows, answers: Answers) -> CatalogForecast:
        """Forecasts made of answers about the windows that are there already."""
        shape = windows.horizon_day.shape
        if self.calibration is None:
            return corrected(windows, answers, everything(shape), np.zeros(len(windows), np.int64))
        group = self.calibration.grouping.of(windows)
        place = self.calibration.place(windows.horizon_day[0] if len(windows) else np.empty(0))
        shares = self.calibration.shares.at(group, place).without(self.calibration.grouping.shut(windows))
        return corrected(windows, answers, shares, group)

    def answers(self, windows: CatalogWindows) -> Answers:
        """What the networks and the trees say, taken or not."""
        n, h = windows.horizon_day.shape
        out = Answers(*(np.empty((n, h, 3, *more)) for more in ((), (3,), (), ())))

        def work(first: int) -> None:
            rows = slice(first, first + BATCH)
            part = windows.take(rows)
            said = self._networks(part)
            out.mean_km[rows], out.cov_km2[rows] = said.mean_rtn_km, said.cov_rtn_km2
            told = None if self.trees is None else self.trees.predict(part)
            out.trees_km[rows] = 0.0 if told is None else told.mean_km
            out.trees_sigma_km[rows] = np.inf if told is None else told.sigma_km

        starts = range(0, n, BATCH)
        if self.threads == 1:
            for first in starts:
                work(first)
        else:
            with ThreadPoolExecutor(self.threads) as pool:
                list(pool.map(work, starts))
        return out

    def _networks(self, windows: CatalogWindows) -> GaussianForecast:
        given = catalog_inputs(windows)
        mix = mix_of(given.trend, given.scale, given.phase, given.ahead_day, given.speed_km_s)
        whole = np.zeros(len(windows), np.float32)
        mean, factor = joined([member.ask(given, mix, whole) for member in self.members])
        to_km = in_km(windows, given)
        root = to_km[..., None] * factor
        cov = FROM_SCALE * root @ root.swapaxes(-1, -2)
        return DeepEnsemble().predict(to_km * mean[..., :3], cov).forecast


def corrected(
    windows: CatalogWindows, answers: Answers, shares: Shares, group: Int[np.ndarray, " n"]
) -> CatalogForecast:
    """SGP4's states moved by shares of the corrections, and their covariance."""
    speed = np.linalg.norm(windows.rv_teme_km[..., 3:], axis=-1)
    taken = answers.taken(shares)
    moves = np.stack([taken[..., ALONG] / speed, taken[..., 0], taken[..., 2]], axis=-1)
    rv = shifted(windows.rv_teme_km, moves)
    return CatalogForecast(rv, to_rtn(rv, answers.covariance(shares)), group)


def in_km(windows: CatalogWindows, given: CatalogInputs) -> Float[np.ndarray, "n h 3"]:
    """What whitened numbers are to be multiplied by to be kilometres."""
    unit = given.scale.astype(np.float64)
    unit[..., ALONG] *= np.linalg.norm(windows.rv_teme_km[..., 3:], axis=-1)
    return unit


def to_rtn(rv_km: Float[np.ndarray, "n h 6"], cov_km2: Float[np.ndarray, "n h 3 3"]) -> Float[np.ndarray, "n h 3 3"]:
    """Covariances from axes along the velocity (outwards in the plane, along, normal) into RTN: by the path angle.

    An error t along the orbit follows its curve: it lowers the position in these straight axes by t^2 / 2r. The second
    moment of that for a normal t, 3 sigma^4 / 4 r^2, is added to the radial variance.
    """
    r, v = rv_km[..., :3], rv_km[..., 3:]
    climb = np.einsum("nhi,nhi->nh", r, v) / (np.linalg.norm(r, axis=-1) * np.linalg.norm(v, axis=-1))
    level = np.sqrt(np.maximum(1.0 - climb**2, 0.0))
    zero, one = np.zeros_like(climb), np.ones_like(climb)
    turn = np.stack([level, climb, zero, -climb, level, zero, zero, zero, one], axis=-1).reshape(*climb.shape, 3, 3)
    turned = np.asarray(turn @ cov_km2 @ turn.swapaxes(-1, -2))
    turned[..., 0, 0] += 0.75 * (turned[..., 1, 1] / np.linalg.norm(r, axis=-1)) ** 2
    return turned
