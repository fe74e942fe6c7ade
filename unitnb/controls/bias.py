"""Recall or bias: what removing the least important units changes for images of the class and of others.

The paper's accuracy is the recall of one class (Sec. 3.4). It rises where a network answers with the class
more often, whatever it sees. Balanced accuracy and the false-positive rate tell the two apart.
"""

import numpy as np

from .comparison import METRICS, ScoreCurves


def rates(curve, n_own: int, n_others: int) -> dict[str, np.ndarray]:
    """Recall, false-positive rate, precision and balanced accuracy along a curve, (p,) each, 0 to 1.

    Parameters
    ----------
    curve : (2, p)
        ``best_curve`` or ``worst_curve`` of ``ScoreCurves``.
    n_own, n_others : int
        Images of the class and of others. Precision depends on their ratio. It is NaN where no image is taken
        for the class.
    """
    recall, false = curve[0], 1 - curve[1]
    taken = recall * n_own + false * n_others
    precision = np.divide(recall * n_own, taken, out=np.full(len(taken), np.nan), where=taken > 1e-12)
    return {
        "recall": recall,
        "false-positive rate": false,
        "precision": precision,
        "balanced accuracy": (recall + curve[1]) / 2,
    }


def kept_share(curves: ScoreCurves, by="recall") -> float:
    """Share of the units that are left at ``best_point``."""
    return float(1 - curves.points[best_point(curves, by)] / curves.points[-1])


def best_point(curves: ScoreCurves, by="recall") -> int:
    """The point of the reverse order's curve where ``by`` (of ``METRICS``) is best; the first of equals."""
    return int(np.argmax(curves.worst_curve[METRICS[by]].mean(axis=0)))


def rise(chosen_on: ScoreCurves, measured_on: ScoreCurves, metric="balanced accuracy", by="recall") -> list:
    """Change of each image from the whole layer to the number of removed units that is best on other images.

    The number is ``best_point(chosen_on, by)``. So the gain on ``measured_on`` is not picked by its own
    noise.

    Returns
    -------
    list of (images,) int arrays
        Own images and, for balanced accuracy, others: 1 where an image becomes correct, -1 where it ceases to
        be.
    """
    k = best_point(chosen_on, by)
    change = measured_on.correct_in_reverse[k].astype(int) - measured_on.correct_in_reverse[0]
    n_own = len(measured_on.worst_first[0])
    return [change[:n_own], change[n_own:]][METRICS[metric]]
