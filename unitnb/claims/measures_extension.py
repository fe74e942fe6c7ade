"""Measure of C44: whether the method extends to a network of another kind than the paper's."""

from ..networks.graph import FlatGraph
from ..networks.split import SplitModel
from ..profiles import Profile
from .grades import HOLDS
from .verdicts import load_claims


def extension_claim(split: SplitModel, profile: Profile) -> dict[str, object]:
    """Numbers of C44, 1 for yes: whether the profile's network is residual, and C15 and C18 hold on it.

    The verdicts of C15 and C18 are those of the record of ``03_ablation``. A network that adds no branches
    gives no numbers. Maps that are not square do not run: ``split_model`` refuses them.
    """
    if not is_residual(split.graph):
        return {}
    verdicts = {entry["id"]: entry["verdict"] for entry in load_claims(profile)}
    return {
        "a residual network runs": 1,
        "maps that are not square run": 0,
        "C15 holds": int(verdicts["C15"] == HOLDS),
        "C18 holds": int(verdicts["C18"] == HOLDS),
    }


def is_residual(graph: FlatGraph) -> bool:
    """Whether branches of a network are added: by a layer ``Add``, or by the operation behind ``+``."""
    return any(type(node.operation).__name__ == "Add" and len(node.input_tensors) > 1 for node in graph.nodes)
