"""The paper's claims with their criteria, C01 first, in the order of the paper."""

from . import criteria_ablation, criteria_beyond, criteria_roles, criteria_training

CLAIMS = (
    *criteria_training.CLAIMS,
    *criteria_ablation.CLAIMS,
    *criteria_roles.CLAIMS,
    *criteria_beyond.CLAIMS,
)
BY_ID = {claim.id: claim for claim in CLAIMS}
