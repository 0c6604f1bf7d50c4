"""Learning rate, groups of weights, and the moving average."""

from __future__ import annotations

import math

import pytest
import torch
from torch import nn

from orbwatch.learn.training import ema
from orbwatch.learn.training.schedule import FLOOR, optimizer, rate
from orbwatch.settings_groups import TrainSettings


def test_warm_up_then_cosine() -> None:
    rates = [rate(step, 1000, 0.1) for step in range(1001)]
    assert rates[0] == pytest.approx(1 / 101)
    assert rates[:101] == sorted(rates[:101])
    assert rates[100] == 1.0
    assert rates[100:] == sorted(rates[100:], reverse=True)
    assert rates[550] == pytest.approx(FLOOR + (1 - FLOOR) * 0.5)
    assert rates[1000] == pytest.approx(FLOOR)
    assert rate(2000, 1000, 0.1) == pytest.approx(FLOOR)


def test_no_warm_up() -> None:
    assert rate(0, 10, 0.0) == 1.0
    assert math.isfinite(rate(5, 10, 1.0))


def test_only_weights_of_linear_layers_decay() -> None:
    network = nn.Sequential(nn.Linear(3, 4), nn.LayerNorm(4), nn.Linear(4, 1))
    network.place = nn.Parameter(torch.zeros(2, 2))
    found = optimizer(network, TrainSettings(), fused=True)
    decaying, free = found.param_groups
    assert [p.shape for p in decaying["params"]] == [(4, 3), (1, 4)]
    assert decaying["weight_decay"] == TrainSettings().weight_decay
    assert free["weight_decay"] == 0.0
    assert len(free["params"]) == 5


def test_the_average_follows() -> None:
    network = nn.Linear(2, 2)
    average = ema.averaged(network)
    assert not any(p.requires_grad for p in average.parameters())
    expected = network.weight.detach().double().clone()
    for step in range(1, 40):
        with torch.no_grad():
            network.weight += 0.1 * torch.randn(2, 2)
        ema.follow(average, network, 0.9, step)
        decay = min(0.9, (1 + step) / (10 + step))
        expected = decay * expected + (1 - decay) * network.weight.detach().double()
    torch.testing.assert_close(average.weight.double(), expected, rtol=1e-5, atol=1e-6)
    assert ema.decay_at(0.999, 1) == pytest.approx(2 / 11)
    assert ema.decay_at(0.999, 10**6) == 0.999
