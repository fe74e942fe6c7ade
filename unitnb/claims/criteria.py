"""The claims with their criteria: the paper's, C01 first, in its order, then ours."""

from . import criteria_ablation, criteria_beyond, criteria_roles, criteria_simplification, criteria_training

CLAIMS = (
    *criteria_training.CLAIMS,
    *criteria_ablation.CLAIMS,
    *criteria_roles.CLAIMS,
    *criteria_beyond.CLAIMS,
    *criteria_simplification.CLAIMS,
)
BY_ID = {claim.id: claim for claim in CLAIMS}
