"""What the network looks at: attention over the history, integrated gradients, and what is lost without a group.

Each function takes the torch network in evaluation mode and a batch of its scaled inputs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from captum.attr import IntegratedGradients
from jaxtyping import Float, Int
from torch import Tensor, nn

from orbwatch.errors import InputError


@dataclass(frozen=True, eq=False)
class NetworkInputs:
    """Inputs of the network for n windows of 20 steps and H horizons."""

    x: Tensor
    """(n, 20, F), scaled."""
    valid: Tensor
    """(n, 20) bool."""
    query: Tensor
    """(n, H, Q), scaled."""
    mix: Tensor
    """(n, H, 6, 12)."""
    log_scale: Tensor
    """(n,)."""

    def arguments(self) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
        """In the order of the network's forward."""
        return self.x, self.valid, self.query, self.mix, self.log_scale


@dataclass(frozen=True, eq=False)
class AttentionMaps:
    """Weights that sum to 1 over the history, averaged over windows and heads."""

    state: Float[np.ndarray, " steps"]
    """Of the query for the state at the epoch."""
    horizons: Float[np.ndarray, "h steps"]
    """Of the query for each horizon."""


def attention(model: nn.Module, batch: NetworkInputs) -> AttentionMaps:
    """How much of the history each query of the decoder reads (`model.attention`, the cross-attention).

    Weights say where the network looks, not what it makes of it: see `integrated_gradients` for that.
    """
    caught: list[Tensor] = []

    def catch(module: nn.Module, arguments: tuple[Tensor, ...]) -> None:
        q, k = (module.split(value) for value in arguments[:2])  # type: ignore[operator]
        caught.append((q * module.scale @ k.transpose(2, 3)).softmax(3))

    cross: nn.Module = model.attention  # type: ignore[assignment]
    hook = cross.register_forward_pre_hook(catch)
    try:
        with torch.no_grad():
            model(*batch.arguments())
    finally:
        hook.remove()
    weights = caught[0].mean(dim=(0, 1)).double().numpy()
    return AttentionMaps(weights[0], weights[1:])


@dataclass(frozen=True, eq=False)
class Attribution:
    """Mean size of the integrated gradients of one output, by input."""

    history: Float[np.ndarray, "steps features"]
    query: Float[np.ndarray, " inputs"]
    remainder: float
    """Mean size of what the attributions leave unexplained (completeness), relative to the mean size of the change."""

    def by_group(self, groups: Sequence[str]) -> dict[str, float]:
        """Share of each group of features (`groups` names that of every feature), with "query" beside; sums to 1."""
        sizes: dict[str, float] = {}
        for name, size in zip(groups, self.history.sum(axis=0), strict=True):
            sizes[name] = sizes.get(name, 0.0) + float(size)
        sizes["query"] = float(self.query.sum())
        total = sum(sizes.values())
        return {name: size / total if total > 0.0 else 0.0 for name, size in sizes.items()}

    def by_step(self) -> Float[np.ndarray, " steps"]:
        """Share of each step of the history; sums to 1 (zeros when nothing is attributed)."""
        sizes = self.history.sum(axis=1)
        total = sizes.sum()
        return np.asarray(sizes / total if total > 0.0 else sizes)


def _correction(model: nn.Module, *inputs: Tensor) -> Tensor:
    """Squared length of the whitened position correction, mean over horizons."""
    mean, _ = model(*inputs)
    return torch.as_tensor(mean[..., :3].square().sum(2).mean(1))


def _spread(model: nn.Module, *inputs: Tensor) -> Tensor:
    """Log of the size of the covariance factor, mean over horizons."""
    _, factor = model(*inputs)
    return torch.as_tensor(factor.diagonal(dim1=2, dim2=3).log().sum(2).mean(1))


OUTPUTS: dict[str, Callable[..., Tensor]] = {"correction": _correction, "spread": _spread}
"""What an attribution explains: the size of the correction, or the size of the region (log)."""


def integrated_gradients(
    model: nn.Module, batch: NetworkInputs, output: str = "correction", steps: int = 32
) -> Attribution:
    """Integrated gradients of one of `OUTPUTS` from the average input (scaled zeros) to each window's own.

    Source: Sundararajan, Taly & Yan 2017, arXiv:1703.01365, eq. 1 (captum; Gauss-Legendre with `steps` points). Missing
    positions, the dynamics' `mix` and the scale are held. Raises InputError for an unknown output.
    """
    if output not in OUTPUTS:
        raise InputError("no such output to explain", field="output", value=output, legal=", ".join(OUTPUTS))
    wanted = OUTPUTS[output]

    def forward(x: Tensor, query: Tensor, valid: Tensor, mix: Tensor, log_scale: Tensor) -> Tensor:
        return wanted(model, x, valid, query, mix, log_scale)

    held = (batch.valid, batch.mix, batch.log_scale)
    inputs = (batch.x, batch.query)
    history, query = IntegratedGradients(forward, multiply_by_inputs=True).attribute(
        inputs, additional_forward_args=held, n_steps=steps, internal_batch_size=max(64, len(batch.x))
    )
    with torch.no_grad():
        change = forward(*inputs, *held) - forward(torch.zeros_like(batch.x), torch.zeros_like(batch.query), *held)
    explained = history.sum((1, 2)) + query.sum((1, 2))
    scale = float(change.abs().mean())
    remainder = float((explained - change).abs().mean()) / scale if scale > 0.0 else 0.0
    sizes = history.detach().abs().mean(0).double().numpy(), query.detach().abs().mean((0, 1)).double().numpy()
    return Attribution(*sizes, remainder)


def ablation(
    model: nn.Module,
    batch: NetworkInputs,
    target: Float[np.ndarray, "n h 6"],
    groups: Sequence[str],
    regime: Int[np.ndarray, " n"],
    seed: int = 1,
) -> dict[str, float]:
    """How much the median whitened position error grows when a group of features is swapped among windows.

    Values are ratios to the error with all features (1: the group does not matter). Each window gets the group's values
    of another window of its own regime, so every input stays one that occurs (permutation importance: Fisher, Rudin &
    Dominici 2019, arXiv:1801.01489, section 3). `target` is the whitened truth of `features.inputs`.
    """
    names = np.asarray(groups)
    rng = np.random.default_rng(seed)
    order = np.arange(len(regime))
    for code in np.unique(regime):
        rows = np.flatnonzero(regime == code)
        order[rows] = rng.permutation(rows)
    whole = _median_error(model, batch, target)
    out = {}
    for name in dict.fromkeys(groups):
        chosen = torch.as_tensor(np.flatnonzero(names == name))
        x = batch.x.clone()
        x[:, :, chosen] = batch.x[torch.as_tensor(order)][:, :, chosen]
        swapped = NetworkInputs(x, batch.valid, batch.query, batch.mix, batch.log_scale)
        out[name] = _median_error(model, swapped, target) / whole
    return out


def _median_error(model: nn.Module, batch: NetworkInputs, target: Float[np.ndarray, "n h 6"]) -> float:
    with torch.no_grad():
        mean, _ = model(*batch.arguments())
    return float(np.median(np.linalg.norm(mean[..., :3].double().numpy() - target[..., :3], axis=-1)))


def summary(
    model: nn.Module,
    batch: NetworkInputs,
    target: Float[np.ndarray, "n h 6"],
    groups: Sequence[str],
    regime: Int[np.ndarray, " n"],
) -> Mapping[str, object]:
    """Everything above as plain lists and mappings: attention, attributions by group and step, ablation.

    Columns of missing positions hold no features and get no attribution.
    """
    model.eval()
    maps = attention(model, batch)
    out: dict[str, object] = {
        "attention": {"state": maps.state.tolist(), "horizons": maps.horizons.tolist()},
        "ablation": ablation(model, batch, target, groups, regime),
    }
    for output in OUTPUTS:
        found = integrated_gradients(model, batch, output)
        out[output] = {
            "groups": found.by_group(groups), "steps": found.by_step().tolist(), "remainder": found.remainder
        }  # fmt: skip
    return out
