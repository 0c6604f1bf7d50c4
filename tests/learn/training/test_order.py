"""The order of windows is a pure function of seed, epoch and step."""

from __future__ import annotations

import numpy as np

from orbwatch.learn.training.order import Draw, Order, stream, torch_seed


def test_an_epoch_holds_every_window_once_but_for_the_rest() -> None:
    ids = np.arange(100, 203)
    order = Order(ids, 10, seed=3)
    assert order.steps == 10
    seen = np.concatenate([order.at(0, step) for step in range(order.steps)])
    assert len(seen) == len(np.unique(seen)) == 100
    assert np.isin(seen, ids).all()
    assert not np.array_equal(seen, np.concatenate([order.at(1, step) for step in range(order.steps)]))


def test_any_batch_can_be_asked_for_alone() -> None:
    whole = Order(np.arange(64), 8, seed=1)
    batches = {(epoch, step): whole.at(epoch, step) for epoch in range(3) for step in range(8)}
    for (epoch, step), ids in batches.items():
        np.testing.assert_array_equal(Order(np.arange(64), 8, seed=1).at(epoch, step), ids)
    assert not np.array_equal(Order(np.arange(64), 8, seed=2).at(0, 0), batches[0, 0])


def test_processes_share_a_batch_out() -> None:
    order = Order(np.arange(50), 12, seed=1)
    parts = [order.at(2, 1, rank, 3) for rank in range(3)]
    assert sorted(np.concatenate(parts)) == sorted(order.at(2, 1))


def test_fewer_windows_than_a_batch_make_one() -> None:
    order = Order(np.arange(5), 512, seed=1)
    assert order.steps == 1
    assert sorted(order.at(7, 0)) == list(range(5))


def test_streams_differ_by_purpose_and_place() -> None:
    first = {stream(1, purpose, *where).integers(2**60) for purpose in Draw for where in ((5, 1), (5, 2), (6, 1))}
    assert len(first) == 3 * len(Draw)
    assert torch_seed(1, Draw.NETWORK, 0, 1, 0) == torch_seed(1, Draw.NETWORK, 0, 1, 0)
    assert torch_seed(1, Draw.NETWORK, 0, 1, 0) != torch_seed(1, Draw.NETWORK, 1, 0, 0)
