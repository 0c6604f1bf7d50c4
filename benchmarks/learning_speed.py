"""Speed of learning and of its use: loading windows, training steps, from tracks to calibrated regions.

Each against a peer in turn in the same run: a plain memory copy of as many bytes, the textbooks' encoder-decoder on as
many windows, and the share of the whole way that each of its parts takes.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

import numpy as np
import torch
from torch import Tensor, nn

from benchmarks.textbook import TextbookEncoderDecoder
from orbwatch.learn.samples.dataset import build
from orbwatch.learn.samples.features import inputs
from orbwatch.learn.samples.gather_kernel import gather_rows
from orbwatch.learn.samples.scaler import Scaler
from orbwatch.learn.samples.sequences import SequenceStore
from orbwatch.learn.samples.windows import HISTORY, HORIZONS, Windows
from orbwatch.models.losses import loss
from orbwatch.models.runtime import TrajectoryForecaster
from orbwatch.models.trajectory import TrajectoryTransformer, parameters
from orbwatch.propagate.field import fit_arcs_in_field
from orbwatch.settings_groups import DatasetSettings, NetworkSettings, TrainSettings

BATCH, ROUNDS, THREADS = 512, 7, 2


def run(data: Path) -> str:  # noqa: ARG001
    """The section in Markdown; the data is simulated here."""
    torch.set_num_threads(THREADS)
    with TemporaryDirectory() as folder:
        build(DatasetSettings(objects=40, hours=24.0, seed=7), Path(folder) / "tracks")
        store = SequenceStore.open(Path(folder) / "tracks")
        ids = np.random.default_rng(1).permutation(store.ids(None, usable=True))[: 40 * BATCH]
        windows = store.gather(ids)
    parts = [_loading(), _training(windows), _inference(windows)]
    return "## Learning\n\n" + "\n\n".join(parts)


def seconds(work: Callable[[], object], rounds: int = ROUNDS) -> float:
    """Median wall time of a call, after one to warm up."""
    work()
    times = []
    for _ in range(rounds):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return median(times)


def _loading() -> str:
    """Shuffled windows of 20 x 24 in and 30 x 6 out, float32, from series of 1,440 rows."""
    objects, rows, count = 1000, 1440, 100_000
    rng = np.random.default_rng(1)
    tables = [rng.standard_normal((objects * rows, columns)).astype(np.float32) for columns in (24, 6)]
    first = rng.integers(0, objects, count) * rows + rng.integers(0, rows - HISTORY - HORIZONS, count)
    made = [
        np.empty((count, steps, t.shape[1]), np.float32) for steps, t in zip((HISTORY, HORIZONS), tables, strict=True)
    ]
    plain = [np.empty_like(m) for m in made]

    def load() -> None:
        gather_rows(tables[0], first, HISTORY, made[0])
        gather_rows(tables[1], first + HISTORY, HORIZONS, made[1])

    def copy() -> None:
        for target, source in zip(plain, made, strict=True):
            np.copyto(target, source)

    ours, peer = seconds(load), seconds(copy)
    return (
        f"Loader alone, {count:,} shuffled windows of 20x24 in and 30x6 out: {count / ours / 1e6:.2f} million "
        f"windows/s, **{peer / ours:.2f} x** the speed of a plain copy of the same bytes."
    )


def _training(windows: Windows) -> str:
    """Forward, backward and optimiser on prepared batches, at the same horizons as the peer."""
    found = inputs(windows.take(slice(0, BATCH)))
    x, query = Scaler.fit([found]).apply(found)
    assert found.target is not None
    given = [torch.from_numpy(np.ascontiguousarray(a)) for a in (x, found.valid, query, found.mix, found.log_scale)]
    rows = [_against_peer(given, torch.from_numpy(found.target), horizons) for horizons in (8, HORIZONS)]
    heads = ("horizons", "parameters", "windows/s", "peer's parameters", "peer's windows/s", "ratio")
    table = [heads, ["---"] * len(heads), *rows]
    return (
        f"Training steps on batches of {BATCH}, fp32, {THREADS} threads, against the textbooks' encoder-decoder "
        "(`nn.Transformer`, dropout 0.1):\n\n" + "\n".join("| " + " | ".join(row) + " |" for row in table)
    )


def _against_peer(given: list[Tensor], target: Tensor, horizons: int) -> list[str]:
    ours, peer = TrajectoryTransformer(NetworkSettings()), TextbookEncoderDecoder()
    x, valid, query, mix, log_scale = given
    truth, whole = target[:, :horizons], loss(TrainSettings())
    shifted = torch.cat((torch.zeros_like(truth[:, :1]), truth[:, :-1]), 1)

    def ours_loss() -> Tensor:
        parts = ours.parts(x, valid, query[:, :horizons], mix[:, :horizons], log_scale)
        return whole(parts.mean, parts.factor, truth, parts.local).mean()

    def peer_loss() -> Tensor:
        return (peer(x, shifted) - truth).square().mean()

    mine, theirs = _step_s(ours, ours_loss), _step_s(peer, peer_loss)
    counts = [f"{parameters(model):,}" for model in (ours, peer)]
    speeds = [f"{BATCH / taken:,.0f}" for taken in (mine, theirs)]
    return [str(horizons), counts[0], speeds[0], counts[1], speeds[1], f"**{theirs / mine:.1f} x**"]


def _step_s(model: nn.Module, made: Callable[[], Tensor]) -> float:
    optimizer = torch.optim.AdamW(model.parameters(), fused=True)

    def step() -> None:
        optimizer.zero_grad()
        made().backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()

    return seconds(step)


def _inference(windows: Windows) -> str:
    """From positions to calibrated regions, without torch."""
    model = TrajectoryForecaster.load("track", THREADS)
    windows = replace(windows, truth_rv_km=None, truth_history_rv_km=None)
    n = len(windows)

    def fit() -> Windows:
        made = fit_arcs_in_field(windows.t_s, windows.r_obs_km, windows.sigma_km, windows.gmst_rad, threads=THREADS)
        return replace(windows, fit=made)

    def whole() -> None:
        seen = fit()
        forecast = model.predict(seen)
        model.regions(seen, forecast, 0.9).axis_m()

    all_s, fit_s = seconds(whole, 3), seconds(fit, 3)
    features_s = seconds(lambda: inputs(windows, threads=THREADS), 3)
    return (
        f"From tracks to calibrated 90 % regions at 30 horizons, batches of {BATCH}, {model.card.members} network(s), "
        f"no torch, {THREADS} threads: **{n / all_s:,.0f} objects/s** (least squares {100 * fit_s / all_s:.0f} %, "
        f"features {100 * features_s / all_s:.0f} % of the time). The published system of this kind: 226/s."
    )
