"""Boosted trees of scikit-learn as one ONNX graph, so that using them needs neither scikit-learn nor torch."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper

INPUT, OUTPUT = "features", "values"
_OPSET, _ML_OPSET, _IR = 17, 3, 8


def trees_to_onnx(models: list[Any]) -> bytes:
    """Fitted HistGradientBoostingRegressors on the same features, one output each.

    Features float32 (n, f), NaN where missing, which goes the way that the trees learnt; values float32 (n, models).
    Thresholds are rounded down to float32, so that float32 features fall on the same side as in scikit-learn.
    """
    columns: dict[str, list[Any]] = {
        name: [] for name in ("tree", "node", "feature", "threshold", "mode", "true", "false", "missing", "weight")
    }
    leaves: dict[str, list[Any]] = {name: [] for name in ("tree", "node", "target", "weight")}
    number = 0
    for target, model in enumerate(models):
        for (tree,) in model._predictors:
            nodes = tree.nodes
            leaf = nodes["is_leaf"].astype(bool)
            ids = np.arange(len(nodes))
            columns["tree"] += [number] * len(nodes)
            columns["node"] += ids.tolist()
            columns["feature"] += np.where(leaf, 0, nodes["feature_idx"]).tolist()
            columns["threshold"] += _down(np.where(leaf, 0.0, nodes["num_threshold"])).tolist()
            columns["mode"] += np.where(leaf, "LEAF", "BRANCH_LEQ").tolist()
            columns["true"] += np.where(leaf, 0, nodes["left"]).astype(int).tolist()
            columns["false"] += np.where(leaf, 0, nodes["right"]).astype(int).tolist()
            columns["missing"] += np.where(leaf, 0, nodes["missing_go_to_left"]).astype(int).tolist()
            leaves["tree"] += [number] * int(leaf.sum())
            leaves["node"] += ids[leaf].tolist()
            leaves["target"] += [target] * int(leaf.sum())
            leaves["weight"] += nodes["value"][leaf].astype(np.float32).tolist()
            number += 1
    node = helper.make_node(
        "TreeEnsembleRegressor", [INPUT], [OUTPUT], domain="ai.onnx.ml", n_targets=len(models),
        base_values=[float(np.ravel(model._baseline_prediction)[0]) for model in models],
        nodes_treeids=columns["tree"], nodes_nodeids=columns["node"], nodes_featureids=columns["feature"],
        nodes_values=columns["threshold"], nodes_modes=columns["mode"], nodes_truenodeids=columns["true"],
        nodes_falsenodeids=columns["false"], nodes_missing_value_tracks_true=columns["missing"],
        nodes_hitrates=[1.0] * len(columns["tree"]), target_treeids=leaves["tree"], target_nodeids=leaves["node"],
        target_ids=leaves["target"], target_weights=leaves["weight"],
    )  # fmt: skip
    features = int(models[0].n_features_in_)
    graph = helper.make_graph(
        [node], "trees",
        [helper.make_tensor_value_info(INPUT, TensorProto.FLOAT, [None, features])],
        [helper.make_tensor_value_info(OUTPUT, TensorProto.FLOAT, [None, len(models)])],
    )  # fmt: skip
    opsets = [helper.make_opsetid("", _OPSET), helper.make_opsetid("ai.onnx.ml", _ML_OPSET)]
    made = helper.make_model(graph, opset_imports=opsets, ir_version=_IR)
    onnx.checker.check_model(made)
    return bytes(made.SerializeToString())


def _down(value: np.ndarray) -> np.ndarray:
    near = value.astype(np.float32)
    return np.where(near > value, np.nextafter(near, np.float32(-np.inf)), near).astype(np.float32)
