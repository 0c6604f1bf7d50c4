"""How much an object changed its velocity, when, and along which axis: estimates for gaps in which something happened.

Along the track from the timing: straight lines through how far ahead the sets before and after are bend at the burn,
and cross at its time. Positions at the epochs of sets follow a burn at once, while their mean motions trail it by days.
Across it and radially from the steps of plane and eccentricity vector (`orbwatch.maneuver.around` has the equations).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int

from orbwatch.catalog.gp import GpTable
from orbwatch.constants import DAY_US
from orbwatch.maneuver.around import SIDE, Around, around
from orbwatch.maneuver.kinds import NO_KIND, kind_of
from orbwatch.maneuver.lines import Bend, Step
from orbwatch.maneuver.scatter import Changes, Scatter, changes, detectable_m_s, quiet_gaps, scatter_at

SPLITS = (-1, 1, -2, 2)
"""How many sets later than the gap that is given the change may come too."""
LATE_COST, CROSSING_WEIGHT = 4.0, 0.5
_LINE, _SHORT = 2, 3
"""Sets on a side: with fewer there is no line, and with fewer its slope is hardly checked."""
_FARTHEST_DAY = 1e3
SEEN_ALONG, SEEN_ACROSS, SEEN_RADIAL = 2.0, 4.0, 4.0
"""Sigmas from which a component is more than scatter."""
SURE = 15.0
"""Sigmas from which a step of the plane or of the eccentricity vector counts in full: their scatter has long tails, and
few operators burn across the track. Below, only by the square of its sigmas, which then must outweigh what is along."""
RADIAL_SHARE = 0.5
"""A radial part shows where the eccentricity vector moves by so much more than the part along the track makes it."""
SMOOTHER, ABOVE_CALM = 9.0, 25.0
"""Ratios of squares from which a change of rate is gradual: of bent lines' to parabolas', and to the calm object's."""
SHARE, CROWDED_SHARE = 0.04, 0.7
"""Uncertainty in proportion to the burn: sets fitted over it; and where another event leaves too few sets on a side."""
WIDEN = 1.5
"""Factor on all standard deviations, with which 90 % intervals hold; measured on operators' burns."""


@dataclass(frozen=True, eq=False)
class Estimates:
    """What happened at d events."""

    epoch_us: Int[np.ndarray, " d"]
    """UTC microseconds since 1970."""
    dv_rtn_m_s: Float[np.ndarray, "d 3"]
    """Radial, transverse, normal; components lost in the scatter are zero, but the transverse one stays as found."""
    cov_rtn_m2_s2: Float[np.ndarray, "d 3 3"]
    kind: np.ndarray
    """One of `orbwatch.maneuver.kinds.KINDS` or `NO_KIND`."""
    detectable_m_s: Float[np.ndarray, "d 3"]
    """The least burn along R, T, N that would be seen there and then, as `minimum_detectable_m_s` has it."""

    @property
    def size_m_s(self) -> Float[np.ndarray, " d"]:
        return np.asarray(np.linalg.norm(self.dv_rtn_m_s, axis=1))

    @property
    def sigma_m_s(self) -> Float[np.ndarray, " d"]:
        """Standard deviation of the size: along the burn; of nothing, along the transverse axis."""
        size = self.size_m_s[:, None]
        along = np.where(size > 0.0, self.dv_rtn_m_s / np.where(size > 0.0, size, 1.0), [0.0, 1.0, 0.0])
        return np.asarray(np.sqrt(np.einsum("di,dij,dj->d", along, self.cov_rtn_m2_s2, along)))


def estimate(
    table: GpTable,
    row: Int[np.ndarray, " d"],
    epoch_us: Int[np.ndarray, " d"] | None = None,
    likely: Bool[np.ndarray, " d"] | None = None,
) -> Estimates:
    """Estimates for the gaps after rows of a history that is ordered by object and epoch.

    epoch_us: when the detector has it, instead of the gap's middle. NaN where an object has too few sets to tell. All
    events of an object should be asked for at once, as each that is `likely` (default: all) bounds what the others look
    at. Where no part of the change is more than scatter there is no kind; but events that are said to be `likely` are
    then along the track, by the sign of that part. Nearly circular orbits; above eccentricity 0.1 sizes are rough.
    Source: Gauss' variational equations, Vallado, section 9.3.
    """
    order = np.argsort(row, kind="stable")
    asked = row[order]
    sure = asked if likely is None else asked[likely[order]]
    first, last = _fences(table, asked, sure)
    sets = around(table, asked, first, last)
    scatter = scatter_at(table, asked, quiet_gaps(table, np.unique(table.norad_id[asked]), sure))
    found, late, crowded = _best(sets, scatter)
    dv, variance, seen = _components(found, scatter, crowded)
    gradual = _gradual(sets, found, scatter)
    guess = None if epoch_us is None else epoch_us[order]
    epoch = _epoch(table, asked, guess, found, late, scatter, seen)
    kind = kind_of(np.where(seen, dv, 0.0), gradual)
    if likely is not None:  # nineteen burns of twenty are along the track: one lost in the scatter is called so
        lost = (kind == NO_KIND) & likely[order]
        kind = np.where(lost, kind_of(dv * [0.0, 1.0, 0.0]), kind)
    back = np.argsort(order, kind="stable")
    covariance = np.zeros((len(row), 3, 3))
    covariance[:, range(3), range(3)] = variance
    return Estimates(epoch[back], dv[back], covariance[back], kind[back], detectable_m_s(found, scatter)[back])


def _fences(
    table: GpTable, row: Int[np.ndarray, " d"], sure: Int[np.ndarray, " s"]
) -> tuple[Int[np.ndarray, " d"], Int[np.ndarray, " d"]]:
    """First and last rows that each event may look at: up to the gaps of the nearest others of `sure` (ascending)."""
    bounds = np.unique(sure)
    before = np.searchsorted(bounds, row, "left") - 1
    after = np.searchsorted(bounds, row, "right")
    first = np.where(before >= 0, np.append(bounds, 0)[before] + 1, 0)
    last = np.where(after < len(bounds), np.append(bounds, 0)[after], max(len(table) - 1, 0))
    return first, last


def _best(sets: Around, scatter: Scatter) -> tuple[Changes, Int[np.ndarray, " d"], Bool[np.ndarray, " d"]]:
    """The changes at the split that leaves the least, which split that is, and whether a side has few sets."""
    offset = np.arange(1 - SIDE, SIDE + 1)
    chosen = changes(sets)
    few = _fewest(sets, offset <= 0)
    late, crowded = np.zeros(len(few), np.int64), few < _SHORT
    best = np.where(few < _LINE, np.finfo(np.float64).max, _cost(sets, chosen, scatter, 0))
    for split in SPLITS:
        found, few = changes(sets, split), _fewest(sets, offset <= split)
        cost = np.where(few < _LINE, np.inf, _cost(sets, found, scatter, split))
        better = cost < best
        best, late = np.where(better, cost, best), np.where(better, split, late)
        crowded = np.where(better, few < _SHORT, crowded)
        timing = Bend(*(np.where(better, new, old) for new, old in zip(found.timing, chosen.timing, strict=True)))
        chosen = Changes(timing, _either(better, found.ecc, chosen.ecc), _either(better, found.plane, chosen.plane))
    return chosen, late, crowded


def _fewest(sets: Around, before: Bool[np.ndarray, " m"]) -> Int[np.ndarray, " d"]:
    """Sets on the side that has fewer."""
    return np.asarray(np.minimum((sets.there & before).sum(axis=1), (sets.there & ~before).sum(axis=1)))


def _cost(sets: Around, found: Changes, scatter: Scatter, split: int) -> Float[np.ndarray, " d"]:
    """Chi-squared of a split: what the fits leave, a crossing outside the gap, and how far it is from the one given."""
    cost = np.full(len(sets.there), LATE_COST * split**2)
    with np.errstate(invalid="ignore", divide="ignore"):
        for i, part in enumerate(found.parts()):
            cost += np.nan_to_num(part.squares / scatter.fit[:, i] ** 2)
        start, end = sets.day[:, SIDE - 1 + split], sets.day[:, SIDE + split]
        crossing = found.timing.crossing_day
        miss_day = np.minimum(np.maximum(np.maximum(start - crossing, crossing - end), 0.0), _FARTHEST_DAY)
        cost += CROSSING_WEIGHT * np.nan_to_num(np.square(miss_day * found.timing.slope / scatter.fit[:, 0]))
    return cost


def _either(better: Bool[np.ndarray, " d"], new: Step, old: Step) -> Step:
    level = np.where(better[:, None], new.level, old.level)
    return Step(level, *(np.where(better, a, b) for a, b in zip(new[1:], old[1:], strict=True)))


def _components(
    found: Changes, scatter: Scatter, crowded: Bool[np.ndarray, " d"]
) -> tuple[Float[np.ndarray, "d 3"], Float[np.ndarray, "d 3"], Bool[np.ndarray, "d 3"]]:
    """Delta-v, variances, and which parts are more than scatter; along R, T, N."""
    timing, ecc, plane = found
    share = np.where(crowded, CROWDED_SHARE, SHARE)
    along = timing.slope
    with np.errstate(invalid="ignore"):  # infinite units of sides without sets
        along_sd, ecc_sd, plane_sd = (
            part.unit * np.fmax(sd, np.sqrt(part.squares / np.maximum(part.free, 1.0)))
            for part, sd in zip(found.parts(), (scatter.timing, scatter.ecc, scatter.plane), strict=True)
        )
    seen_along = np.abs(along) > SEEN_ALONG * along_sd
    along_sd = np.hypot(along_sd, share * along)
    tilt, turned = (np.linalg.norm(part.level, axis=1) for part in (plane, ecc))
    # The bias of a noisy vector's length is taken off.
    across = np.sqrt(np.maximum(tilt**2 - plane_sd**2, 0.0))
    across = np.where(_counts(tilt, plane_sd, SEEN_ACROSS, along), across, 0.0)
    # (cos u, sin u) dv_N leaves half a turn open in u, and so the sign: as if u were nearest to 0 or 90 degrees.
    greater = np.abs(plane.level[:, 0]) >= np.abs(plane.level[:, 1])
    across = np.copysign(across, np.where(greater, plane.level[:, 0], plane.level[:, 1]))
    across_sd = np.hypot(plane_sd, share * across)
    radial = np.sqrt(np.maximum(turned**2 - 4.0 * along**2, 0.0))
    radial_sd = np.hypot(ecc_sd, 2.0 * along_sd)
    seen = _counts(turned - 2.0 * np.abs(along), radial_sd, SEEN_RADIAL, along)
    # What turns the plane leaves an error in the eccentricity vector.
    seen &= (turned > (1.0 + RADIAL_SHARE) * 2.0 * np.abs(along)) & (radial > RADIAL_SHARE * np.abs(across))
    radial = np.where(seen, radial, 0.0)
    radial_sd = np.hypot(radial_sd, share * radial)
    dv = np.stack([radial, along, across], axis=1)
    variance = np.square(WIDEN * np.stack([radial_sd, along_sd, across_sd], axis=1))
    return dv, variance, np.stack([radial > 0.0, seen_along, across != 0.0], axis=1)


def _counts(
    size: Float[np.ndarray, " d"], sd: Float[np.ndarray, " d"], least: float, along: Float[np.ndarray, " d"]
) -> Bool[np.ndarray, " d"]:
    """Whether a step that is so many sigmas large is believed beside what is found along the track."""
    with np.errstate(divide="ignore", invalid="ignore"):
        sigmas = size / sd
    return np.asarray((sigmas > least) & ((sigmas > SURE) | (size * (sigmas / SURE) ** 2 > np.abs(along))))


def _gradual(sets: Around, found: Changes, scatter: Scatter) -> Bool[np.ndarray, " d"]:
    """Where parabolas that part smoothly at the gap fit the timing far better than lines that bend there."""
    offset = np.arange(1 - SIDE, SIDE + 1)
    use = sets.there & np.isfinite(sets.timing_m_s_day)
    early, late = use & (offset <= 0), use & (offset > 0)
    design = np.stack([use, sets.day * use, sets.day**2 * early, sets.day**2 * late], axis=2).astype(float)
    value = np.where(use, sets.timing_m_s_day, 0.0)
    normal = np.einsum("gmp,gmq->gpq", design, design) + 1e-9 * np.eye(4)
    solved = np.linalg.solve(normal, np.einsum("gmp,gm->gp", design, value)[..., None])
    left = np.square(value - np.einsum("gmp,gp->gm", design, solved[..., 0])).sum(axis=1)
    enough = (early.sum(axis=1) >= 4) & (late.sum(axis=1) >= 4)
    noise = np.square(scatter.calm) * found.timing.free
    return np.asarray(enough & (found.timing.squares > SMOOTHER * left) & (found.timing.squares > ABOVE_CALM * noise))


def _epoch(
    table: GpTable,
    row: Int[np.ndarray, " d"],
    guess_us: Int[np.ndarray, " d"] | None,
    found: Changes,
    late: Int[np.ndarray, " d"],
    scatter: Scatter,
    seen: Bool[np.ndarray, "d 3"],
) -> Int[np.ndarray, " d"]:
    """Where the timing before and after crosses, weighed with the gap that the sets say, within a day of it."""
    end_row = np.minimum(row + 1, len(table) - 1)
    start, end = table.epoch_us[row], table.epoch_us[end_row]
    middle = start + (end - start) // 2
    prior = middle if guess_us is None else guess_us
    if guess_us is None:
        moved = np.clip(row + late, 0, len(table) - 2)
        good = table.norad_id[moved] == table.norad_id[row]
        good &= table.norad_id[moved + 1] == table.norad_id[row]
        shifted = table.epoch_us[moved] + (table.epoch_us[moved + 1] - table.epoch_us[moved]) // 2
        prior = np.where(good, shifted, prior)
    prior_sd = np.maximum((end - start) / DAY_US / np.sqrt(12.0), 0.2)
    with np.errstate(divide="ignore", invalid="ignore"):
        crossing_sd = 0.03 + scatter.timing / np.abs(found.timing.slope)
        weight = np.nan_to_num(prior_sd**2 / (prior_sd**2 + crossing_sd**2))
    crossing = np.nan_to_num(found.timing.crossing_day) * DAY_US + middle
    crossing = np.clip(crossing, start - DAY_US, end + DAY_US)
    return np.asarray(np.round(np.where(seen[:, 1], weight * (crossing - prior), 0.0)).astype(np.int64) + prior)
