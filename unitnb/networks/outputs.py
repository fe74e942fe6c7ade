"""How the outputs of a network are read as classes: logits, probabilities, or one sigmoid as two classes."""

from dataclasses import dataclass

import numpy as np

TINY = np.finfo(np.float32).tiny
LARGEST_LOSS = -np.log(TINY)  # 87.3 nats: of the smallest float32 probability
SUM_TOLERANCE = 1e-2  # of half-precision probabilities
KINDS = ("logits", "probabilities", "sigmoid", "binary logit")


@dataclass(frozen=True)
class Reading:
    """What the outputs of a network are.

    Attributes
    ----------
    kind : "logits", "probabilities", "sigmoid" or "binary logit"
        The last two are a single output for class 1 of two classes, as a probability or as its logit.
    known_by : "the graph", "their values" or "the caller"
    """

    kind: str
    known_by: str

    def __str__(self) -> str:
        """For instance "probabilities (by their values)"."""
        return f"{self.kind} (by {self.known_by})"

    @property
    def bounded(self) -> bool:
        """Whether outputs are float32 probabilities, whose cross-entropy ends at 87.3 nats."""
        return self.kind in ("probabilities", "sigmoid")

    def class_scores(self, outputs) -> np.ndarray:
        """Scores (n, classes), float32, whose softmax is the probability of each class, from outputs (n, k).

        >>> Reading("binary logit", "the graph").class_scores(np.array([[2.0]]))
        array([[0., 2.]], dtype=float32)
        """
        outputs = np.asarray(outputs, np.float32)
        if self.kind == "logits":
            return outputs
        if self.kind == "probabilities":
            return np.log(np.maximum(outputs, TINY))
        other = (
            np.zeros_like(outputs) if self.kind == "binary logit" else np.log(np.maximum(1 - outputs, TINY))
        )
        own = outputs if self.kind == "binary logit" else np.log(np.maximum(outputs, TINY))
        return np.concatenate([other, own], axis=1)


def reading_of_values(outputs) -> Reading:
    """The reading of outputs (n, k) of a network whose graph does not tell it.

    Rows from 0 to 1 that sum to 1 are probabilities. A single output from 0 to 1 is a sigmoid, any other
    single output is a logit.

    Raises
    ------
    ValueError
        If several outputs lie between 0 and 1 and do not sum to 1: sigmoids of labels that do not exclude one
        another.

    >>> str(reading_of_values(np.array([[0.25, 0.75], [1.0, 0.0]])))
    'probabilities (by their values)'
    """
    outputs = np.asarray(outputs, np.float64)
    inside = bool((outputs >= 0).all() and (outputs <= 1 + SUM_TOLERANCE).all())
    if outputs.shape[1] == 1:
        return Reading("sigmoid" if inside else "binary logit", "their values")
    if not inside:
        return Reading("logits", "their values")
    if np.abs(outputs.sum(axis=1) - 1).max() < SUM_TOLERANCE:
        return Reading("probabilities", "their values")
    raise ValueError(several_sigmoids(outputs.shape[1]))


def several_sigmoids(count: int) -> str:
    """Why several sigmoids are refused."""
    return (
        f"the model has {count} outputs between 0 and 1 that do not sum to 1, as sigmoids of labels that do "
        "not exclude one another; accuracy and loss of one class need classes that do. Take one output, "
        "keras.Model(model.input, model.output[:, i:i + 1]), or say what they are with split_model(..., "
        "outputs='logits')"
    )


def checked_reading(outputs: str | None) -> Reading | None:
    """The reading that a caller names, or None; ValueError for a word that is none."""
    if outputs is None:
        return None
    if outputs not in KINDS:
        raise ValueError(f"outputs is {outputs!r}; expected one of {', '.join(KINDS)}, or None to find out")
    return Reading(outputs, "the caller")
