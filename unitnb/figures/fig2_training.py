"""Fig. 2B-D: what training does to birth points, entropy, selective rate and effectiveness (Sec. 3.3)."""

from collections.abc import Mapping

import numpy as np

from . import panels
from .panels import COLOURS, new_figure


def training_figure(
    log: Mapping[str, np.ndarray],
    births: Mapping[int, np.ndarray],
    means: Mapping[str, np.ndarray],
    null,
    null_entropy,
):
    """Fig. 2B-D: pooled birth points at four epochs; loss and mean entropy; mean selective rate and effectiveness by epoch."""
    figure, axes = new_figure(
        [["B", "C1", "C2"], ["B", "D1", "D2"]], figsize=(8, 4.2), width_ratios=[1.45, 1, 1]
    )
    last = max(births)
    panels.draw_birth_shares(
        axes["B"], {epoch: births[epoch] for epoch in sorted({0, 1, last // 2, last})}, null
    )
    panels.draw_epochs(axes["C1"], log["loss"], "loss (nats)", "C  Training loss", COLOURS["train"])
    panels.draw_epochs(axes["C2"], means["entropy"], "mean H (nats)", "Feature entropy")
    panels.draw_null_entropy(axes["C2"], null_entropy)
    panels.draw_epochs(axes["D1"], means["rate"], "mean rate", "D  Selective rate")
    panels.draw_epochs(axes["D2"], means["effectiveness"], "mean E (1/nats)", "Effectiveness")
    return figure
