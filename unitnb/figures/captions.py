"""A caption for each figure, by the name of its file: for the site and for ``figures/README.md``."""

CAPTIONS = {
    "overview": "From a map to a rank. The strongest entries of a symmetrized feature map are the edges "
    "of a graph; the number of edges at which the first hole appears is the map's birth "
    "point. The spread of the birth points over a class's images ranks the units, and "
    "removing units by that rank gives the curve.",
    "fig1": "Fig. 1. The strongest entries of a map (left) as edges: no hole yet (middle), the first "
    "hole (right).",
    "fig2a": "Fig. 2A. One image's map, the growing graph, the number of holes, and the birth points "
    "of two units over 100 images; grey: maps without structure.",
    "fig2": "Fig. 2B–D. Training: birth points, mean entropy H beside the loss, the selective rate, "
    "and the effectiveness E, epoch by epoch.",
    "fig3": "Fig. 3. Units removed one by one, most effective first (A) and in reverse (B), with "
    "their intervals; grey: random orders; C: every class.",
    "fig4": "Fig. 4. Stability of the rank: removal by ranks from other sample sets (A), by the mean "
    "rank (B), votes for the first units (C), agreement over the size of the sets (D).",
    "fig5": "Fig. 5. Units inserted by their rank into an empty layer: accuracy and loss on training "
    "and test images, and the four roles, for each model.",
    "fig5b": "Fig. 5, supplement. The roles by balanced accuracy, and each unit's mean effect on "
    "training and test images.",
    "fig5c": "Fig. 5, supplement. How much training accuracy still rises after the core, against the "
    "gap between training and test accuracy, a point a network.",
    "fig5d": "Fig. 5, supplement. Correlation of effectiveness between classes, and the accuracy that "
    "a class loses by its own and by others' ranks.",
    "fig6a": "Fig. 6A, B. E and its rivals: removal in rank order and in reverse for one class, and "
    "the area between the orders minus that of E over all classes, with 95% intervals.",
    "fig6b": "Fig. 6C. The area between the orders, for each score and class; framed: the best of a class.",
    "fig6c": "Fig. 6D. Units kept, least effective removed first: recall, balanced accuracy, false "
    "positives and precision.",
    "fig6d": "Fig. 6E. Birth points against chance: entropy by rate, entropy against structureless "
    "maps, and the place of units of pure noise in the rank.",
    "fig6e": "Fig. 6F. Other constructions: births that change, agreement of E, and the area between "
    "the orders.",
    "fig6f": "Fig. 6G. The free choices of the method: agreement of the ranks, change of the curves, "
    "and how the parts of E go with what a unit's removal does.",
    "fig6g": "Fig. 6, supplement. Recall or bias for the rivals: recall, balanced accuracy, false "
    "positives and precision by the units removed.",
    "fig6h": "Fig. 6H. Units to remove for a loss of 85% of the accuracy: with fewer classes allowed, "
    "and by the width of the layer.",
    "fig6i": "Fig. 6I. Entropy by depth, over chance, and a second layer.",
    "fig6j": "Fig. 6J. The most and the least effective units: their places by other scores, their "
    "birth points, and the images that they answer to most.",
    "fig7": "Fig. 7A–C. Smaller networks: accuracy and balanced accuracy by the share of units kept, "
    "for each score.",
    "fig7b": "Fig. 7D–F. Smaller networks before and after a short training, a network for three "
    "classes against one trained from nothing, and the core alone.",
}


def caption(name: str) -> str:
    """The caption of a figure; for one that has none yet, its file's name.

    >>> caption("fig9")
    'fig9'
    """
    return CAPTIONS.get(name, name)
