"""Looking for what must not be in a data set: leaks between splits, damage, numbers that physics does not allow."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from jaxtyping import Bool, Float, Shaped, UInt8

from orbwatch.catalog.written import file_hash
from orbwatch.constants import WGS84_RADIUS_KM
from orbwatch.learn.samples.sequences import FRAME, MANIFEST, SequenceStore, data_hash, shard_folder
from orbwatch.learn.samples.shards import BUILD_AGAIN, COLUMNS, LOWER, units
from orbwatch.learn.samples.windows import REGIMES
from orbwatch.progress import Progress, silent
from orbwatch.propagate.least_squares import OK, TOO_FEW
from orbwatch.propagate.zonal import propagate_zonal

_STAGE = "checking"
_LOWEST_KM = WGS84_RADIUS_KM + 80.0
_HIGHEST_KM = 1e6
_CALM_KM = WGS84_RADIUS_KM + 300.0  # above it, what J2-J4 leaves out is small from row to row, drag included
_JUMP_KM, _JUMP_KM_S = 5e-3, 2e-4  # most of that in a minute; grows with the step squared, and with the step
_SAMPLE = 20_000  # windows looked at more closely
_FAILED = 0.01  # share of windows without thrust that may lack a fit
_RMS = (0.8, 1.5)  # median of the reduced chi-square's root without thrust: 1 where the dynamics say all
_FITTED = ("fit_rv", "fit_cov", "fit_rms")
_ENOUGH = 500  # windows of a regime that a median is taken of
_NEES = (3.5, 30.0)  # median squared error over covariance of the six numbers, 5.35 where the dynamics say all


def check(folder: Path, progress: Progress = silent) -> list[str]:
    """Findings, one sentence each; none in a sound data set. Raises InputError where it cannot be opened at all.

    Hashes of all files and the units in the manifest; every object in exactly one split, and no two objects alike;
    NaN; radii; motion from row to row without thrust; noise against its stated sigma; chi-square of the fits and
    their errors against their covariance.
    """
    store = SequenceStore.open(folder)
    findings = [*_manifest(store), *_leaks(store)]
    for i in range(len(store.extents)):
        findings += [f"{shard_folder(folder, i)}: {found}" for found in (*_hashes(store, i), *_numbers(store, i))]
        progress(_STAGE, (i + 1) / (len(store.extents) + 1))
    findings += _fits(store)
    progress(_STAGE, 1.0)
    return findings


def _manifest(store: SequenceStore) -> Iterator[str]:
    for name, value in (("frame", FRAME), ("units", units()), ("data_hash", data_hash(store.manifest["shards"]))):
        if store.manifest.get(name) != value:
            yield f"{store.folder / MANIFEST}: {name} is not that of this data set"


def _leaks(store: SequenceStore) -> Iterator[str]:
    """Objects in no split or several, or twice in the data set."""
    times = np.bincount(np.concatenate(list(store.splits.values())), minlength=store.objects)
    for many, what in ((times == 0, "in no split"), (times > 1, "in more than one split")):
        if many.any():
            yield f"{many.sum()} objects {what}, the first is number {np.flatnonzero(many)[0]}"
    if len(np.unique(store.object_table["object_id"])) < store.objects:
        yield "objects with the same number"
    shards = range(len(store.extents))
    starts = np.concatenate([store.column(i, "truth_rv_km")[:, 0] for i in shards])
    twins = store.objects - len(np.unique(starts[np.isfinite(starts).all(axis=1)], axis=0))
    if twins:
        yield f"{twins} objects begin at a state that another one begins at"


def _hashes(store: SequenceStore, i: int) -> Iterator[str]:
    for name in COLUMNS:
        path = shard_folder(store.folder, i) / f"{name}.npy"
        if file_hash(path, BUILD_AGAIN) != store.manifest["shards"][i]["arrays"][name]["sha256"]:
            yield f"{path.name} is not what was written (SHA-256)"


def _numbers(store: SequenceStore, i: int) -> Iterator[str]:
    """What single rows and windows of a shard must be."""
    truth, noise, burn = (store.column(i, name) for name in ("truth_rv_km", "noise_km", "burn"))
    objects, status, count = (store.column(i, name) for name in ("objects", "fit_status", "fit_count"))
    good = status == OK
    finite = np.isfinite(truth).all(axis=2)
    seen = np.isfinite(noise)
    cov = store.column(i, "fit_cov")
    variance = cov[..., np.flatnonzero(LOWER[0] == LOWER[1])]
    fitted = [np.isfinite(store.column(i, name)).reshape(*good.shape, -1).all(axis=2) for name in _FITTED]
    radius = np.linalg.norm(np.where(finite[..., None], truth[..., :3], _LOWEST_KM), axis=2)
    with np.errstate(invalid="ignore"):
        negative = (variance <= 0.0).any(axis=2)
    wrong = {
        "true states that are not finite": ~finite,
        "true positions below 80 km or beyond 1,000,000 km": (radius < _LOWEST_KM) | (radius > _HIGHEST_KM),
        "positions seen in part, or infinitely far": (seen.any(axis=2) != seen.all(axis=2))
        | np.isinf(noise).any(axis=2),
        "rows with a thrust mark other than 0 or 1": burn > 1,
        "jumps from row to row without thrust": _jumps(truth, burn, finite, store.step_s),
        "series noisier or quieter than their sensor says": ~_as_stated(noise, objects["sigma_km"]),
        "series without a positive sigma and ballistic coefficient": ~_positive(objects),
        "good fits that are not finite": good & ~np.logical_and.reduce(fitted),
        "good fits with a variance that is not positive": good & negative,
        "fits whose status and number of positions disagree": (status == TOO_FEW) != (count < 4),
    }
    for what, where in wrong.items():
        if where.any():
            place = ", ".join(
                f"{axis} {at}" for axis, at in zip(("object", "row"), np.argwhere(where)[0], strict=False)
            )
            yield f"{where.sum()} {what}, the first at {place}"


def _jumps(
    truth: Float[np.ndarray, "n m 6"], burn: UInt8[np.ndarray, "n m"], finite: Bool[np.ndarray, "n m"], step_s: float
) -> Bool[np.ndarray, "n m"]:
    """Rows that no free motion from the row before leads to."""
    n, m = burn.shape
    jumps = np.zeros((n, m), bool)
    for k in range(n):
        before, after = truth[k, :-1], truth[k, 1:]
        with np.errstate(all="ignore"):
            went = propagate_zonal(before, np.full((m - 1, 1), step_s)).rv_km[:, 0]
            off = np.abs(went - after)
            calm = np.linalg.norm(before[:, :3], axis=1) > _CALM_KM
        far = (off[:, :3] > _JUMP_KM * (step_s / 60.0) ** 2).any(axis=1)
        fast = (off[:, 3:] > _JUMP_KM_S * (step_s / 60.0)).any(axis=1)
        jumps[k, 1:] = (far | fast) & calm & (burn[k, 1:] == 0) & finite[k, 1:] & finite[k, :-1]
    return jumps


def _as_stated(noise: Float[np.ndarray, "n m 3"], sigma_km: Float[np.ndarray, " n"]) -> Bool[np.ndarray, " n"]:
    """Whether the noise of each series has the size stated for it: to 10 %, and what few positions leave open."""
    seen = np.maximum(np.isfinite(noise).sum(axis=(1, 2)), 1)
    rms = np.sqrt(np.nansum(np.square(noise, dtype=np.float64), axis=(1, 2)) / seen) / np.maximum(sigma_km, 1e-12)
    return np.asarray(np.abs(rms - 1.0) < 0.1 + 6.0 / np.sqrt(2.0 * seen))


def _positive(objects: Shaped[np.ndarray, " n"]) -> Bool[np.ndarray, " n"]:
    names = ("sigma_km", "ballistic_m2_kg", "ballistic_public_m2_kg")
    return np.asarray(np.logical_and.reduce([np.isfinite(objects[name]) & (objects[name] > 0.0) for name in names]))


def _fits(store: SequenceStore) -> Iterator[str]:
    """Least squares on windows without thrust: found, as good as the noise allows, as far off as they say."""
    quiet = np.flatnonzero((store.burn_bits == 0) & (store.fit_status != TOO_FEW))
    if not len(quiet):
        return
    failed = np.count_nonzero(store.fit_status[quiet]) / len(quiet)
    if failed > _FAILED:
        yield f"{failed:.1%} of the windows without thrust have no fit"
    good = quiet[store.fit_status[quiet] == OK]
    if not len(good):
        return
    windows = store.gather(good[:: -(-len(good) // _SAMPLE)])
    variance = np.diagonal(windows.fit.cov, axis1=1, axis2=2)
    if not (np.isfinite(windows.fit.cov).all() and np.isfinite(windows.fit.rv_km).all() and (variance > 0.0).all()):
        return  # said already
    size = np.sqrt(variance)
    least = np.linalg.eigvalsh(windows.fit.cov / (size[:, :, None] * size[:, None, :]))[:, 0]
    if (least <= 0.0).any():
        yield f"{np.count_nonzero(least <= 0.0)} of {len(windows)} covariances are not positive definite"
        return
    assert windows.truth_history_rv_km is not None
    off = windows.fit.rv_km - windows.truth_history_rv_km[:, -1]
    nees = np.einsum("ni,ni->n", off, np.linalg.solve(windows.fit.cov, off[:, :, None])[:, :, 0])
    for name, values, (low, high) in (
        ("reduced chi", windows.fit.rms, _RMS),
        ("squared error over variance", nees, _NEES),
    ):
        for code, regime in enumerate(REGIMES):
            mine = values[windows.regime == code]
            if len(mine) >= _ENOUGH and not low < np.median(mine) < high:
                yield f"{regime}: the median {name} of the fits is {np.median(mine):.3g}, not {low:g} to {high:g}"
