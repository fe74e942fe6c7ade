"""The claims with their criteria, C01 first: the paper's, and those of ours that it leads to."""

from . import (
    criteria_ablation,
    criteria_beyond,
    criteria_method,
    criteria_overfitting,
    criteria_roles,
    criteria_simplification,
    criteria_stability,
    criteria_training,
)
from .grades import Claim

_MODULES = (
    criteria_method,
    criteria_training,
    criteria_ablation,
    criteria_stability,
    criteria_roles,
    criteria_overfitting,
    criteria_beyond,
    criteria_simplification,
)
CLAIMS: tuple[Claim, ...] = tuple(
    sorted((claim for module in _MODULES for claim in module.CLAIMS), key=lambda claim: claim.id)
)
BY_ID = {claim.id: claim for claim in CLAIMS}
