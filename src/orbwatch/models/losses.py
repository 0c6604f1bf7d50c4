"""Losses on whitened forecasts: mean (n, H, 6), lower position factor (n, H, 3, 3), target (n, H, 6) -> (n, H).

Whitened means in units of the scaled formal sigma of least squares, so that all orbits and sensors weigh alike. A burn
in the history still gives targets of a thousand: where a loss would grow with the square, it grows linearly beyond
`TAIL` sigma, so that no gradient explodes.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional

from orbwatch.settings_groups import TrainSettings

TAIL = 10.0
"""Mahalanobis distance beyond which the Gaussian losses grow linearly."""
VELOCITY_WEIGHT = 0.1
"""Weight of the velocity's Huber loss beside the loss of the position."""

FREEDOM = 4.0
"""Degrees of freedom of the Student loss."""

Loss = Callable[[Tensor, Tensor, Tensor], Tensor]


def mahalanobis_squared(mean: Tensor, factor: Tensor, target: Tensor) -> Tensor:
    """Squared Mahalanobis distance of the position residual, (n, H), by forward substitution."""
    e = target[..., :3] - mean[..., :3]
    y0 = e[..., 0] / factor[..., 0, 0]
    y1 = (e[..., 1] - factor[..., 1, 0] * y0) / factor[..., 1, 1]
    y2 = (e[..., 2] - factor[..., 2, 0] * y0 - factor[..., 2, 1] * y1) / factor[..., 2, 2]
    return y0.square() + y1.square() + y2.square()


def _log_det(factor: Tensor) -> Tensor:
    """Logarithm of the determinant of the factor, (n, H)."""
    return factor.diagonal(dim1=-2, dim2=-1).log().sum(-1)


def gaussian_nll(mean: Tensor, factor: Tensor, target: Tensor) -> Tensor:
    """Negative log likelihood of the position residual, (n, H); linear beyond `TAIL` sigma (Huber 1964)."""
    square = mahalanobis_squared(mean, factor, target)
    far = TAIL * (2 * square.clamp(min=TAIL**2).sqrt() - TAIL)
    return 0.5 * torch.where(square <= TAIL**2, square, far) + _log_det(factor) + 1.5 * math.log(2 * math.pi)


def beta_nll(mean: Tensor, factor: Tensor, target: Tensor, beta: float = 0.5) -> Tensor:
    """NLL weighted by the variance to the power beta, which is not differentiated (Seitzer et al. 2022, eq. 5).

    The variance of three axes is the geometric mean, det(covariance)^(1/3).
    """
    weight = (2 * beta / 3 * _log_det(factor)).exp().detach()
    return weight * gaussian_nll(mean, factor, target)


def student_nll(mean: Tensor, factor: Tensor, target: Tensor) -> Tensor:
    """Negative log likelihood of a trivariate Student distribution with `FREEDOM` degrees, (n, H), up to a constant.

    Its tails are those of a population where some few maneuver (Lange, Little & Taylor 1989, eq. 1): a residual of a
    thousand sigma costs some tens. `factor` is of the scale matrix, which is FREEDOM / (FREEDOM - 2) times smaller
    than the covariance.
    """
    square = mahalanobis_squared(mean, factor, target)
    return 0.5 * (FREEDOM + 3) * torch.log1p(square / FREEDOM) + _log_det(factor)


def crps(mean: Tensor, factor: Tensor, target: Tensor) -> Tensor:
    """Continuous ranked probability score of the position's Gaussian marginals, mean over axes, (n, H).

    Closed form of Gneiting et al. 2005, eq. 5.
    """
    sigma = factor.square().sum(-1).sqrt()
    z = (target[..., :3] - mean[..., :3]) / sigma
    density: Tensor = torch.exp(-0.5 * z.square()) / math.sqrt(2 * math.pi)
    score: Tensor = sigma * (z * torch.erf(z / math.sqrt(2)) + 2 * density - 1 / math.sqrt(math.pi))
    return score.mean(-1)


def energy_score(mean: Tensor, factor: Tensor, target: Tensor, draws: int = 8) -> Tensor:
    """Energy score of the position, (n, H), estimated from `draws` antithetic pairs (Gneiting & Raftery 2007, eq. 22).

    E|X - y| - E|X - X'| / 2, where X - X' is drawn as sqrt(2) times X's deviation, so that the estimate is unbiased.
    """
    normal = torch.randn((draws, *mean.shape[:-1], 3), dtype=mean.dtype, device=mean.device)
    step = (factor * normal.unsqueeze(-2)).sum(-1)
    e = target[..., :3] - mean[..., :3]
    far = (torch.linalg.vector_norm(e - step, dim=-1) + torch.linalg.vector_norm(e + step, dim=-1)).mean(0) / 2
    apart = torch.linalg.vector_norm(step, dim=-1).mean(0)
    return torch.sub(far, apart, alpha=1 / math.sqrt(2))


def huber(mean: Tensor, factor: Tensor, target: Tensor) -> Tensor:
    """Huber loss of position and velocity, mean over the six, (n, H); the factor has no part in it."""
    del factor
    return functional.smooth_l1_loss(mean, target, reduction="none").mean(-1)


def physics_consistency(local: Tensor) -> Tensor:
    """Size of the part of the mean that no correction of the state explains, (n, H), from `Parts.local` (n, H, 6).

    True dynamics carry a state error through the linear map that the network is given; what the horizon head adds
    freely is to stay small. It sees `local` only: the correction of the state itself is free. Smooth L1, so that it
    never outweighs the data.
    """
    return functional.smooth_l1_loss(local, torch.zeros_like(local), reduction="none").mean(-1)


def focal_cross_entropy(logits: Tensor, target: Tensor, focus: float) -> Tensor:
    """Focal loss of classes (..., C) against target probabilities (..., C), which need not be one-hot -> (...).

    - sum_c target_c (1 - p_c)^focus log p_c (Lin et al. 2017, eq. 4, for soft labels as mixup makes them): classes
      that are told with ease count less. Zero `focus` is the cross-entropy.
    """
    log_p = functional.log_softmax(logits, -1)
    weight = target if focus == 0.0 else target * (1.0 - log_p.exp()).clamp(min=0.0) ** focus
    return -(weight * log_p).sum(-1)


def position_loss(settings: TrainSettings) -> Loss:
    """The loss that `train.loss` names."""
    named: dict[str, Loss] = {
        "nll": gaussian_nll,
        "beta-nll": lambda mean, factor, target: beta_nll(mean, factor, target, settings.beta),
        "student": student_nll,
        "crps": crps,
        "energy": energy_score,
        "huber": huber,
    }
    return named[settings.loss]


def loss(settings: TrainSettings) -> Callable[[Tensor, Tensor, Tensor, Tensor], Tensor]:
    """The whole training loss: (mean, factor, target, local) -> (n, H).

    The position's loss, a little of the velocity's Huber loss (the covariance is of the position alone), and
    `train.physics` times the physics consistency.
    """
    position = position_loss(settings)

    def whole(mean: Tensor, factor: Tensor, target: Tensor, local: Tensor) -> Tensor:
        velocity = functional.smooth_l1_loss(mean[..., 3:], target[..., 3:], reduction="none").mean(-1)
        return (
            position(mean, factor, target) + VELOCITY_WEIGHT * velocity + settings.physics * physics_consistency(local)
        )

    return whole
