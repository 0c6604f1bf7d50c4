"""Trains in processes that kill themselves: `python killed_training.py DATA OUTPUT NETWORK TRAIN STEP [STEP ...]`.

One process after the other, each going on from the checkpoint of the last, gets SIGKILL as it begins the given step.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from pathlib import Path
from typing import Any

import torch

from orbwatch.learn.training.forecaster import Forecaster
from orbwatch.learn.training.train import train
from orbwatch.settings_groups import NetworkSettings, TrainSettings


class Doomed(Forecaster):
    """Kills its process at a step."""

    dies_at = -1

    def training_step(self, batch: Any) -> torch.Tensor:
        if self.trainer.global_step == self.dies_at:
            os.kill(os.getpid(), signal.SIGKILL)
        return super().training_step(batch)


def main() -> None:
    import orbwatch.learn.training.fit

    data, output = Path(sys.argv[1]), Path(sys.argv[2])
    network, settings = NetworkSettings(**json.loads(sys.argv[3])), TrainSettings(**json.loads(sys.argv[4]))
    orbwatch.learn.training.fit.Forecaster = Doomed  # type: ignore[misc]
    for step in map(int, sys.argv[5:]):
        child = os.fork()  # before anything has been trained or compiled here, so there is no thread to lose
        if child == 0:
            Doomed.dies_at = step
            train(data, output, network, settings, resume=True)
            os._exit(0)
        _, status = os.waitpid(child, 0)
        if not os.WIFSIGNALED(status) or os.WTERMSIG(status) != signal.SIGKILL:
            sys.exit(f"the process that was to be killed at step {step} ended otherwise: {status}")


if __name__ == "__main__":
    main()
