"""Other constructions in place of the paper's (Sec. 2.1): a map's pixels moved, permuted or paired otherwise.

Maps are (images, n, n, units). What they do to births shows what the construction sees.
"""

import numpy as np


def moved(maps, down, right) -> np.ndarray:
    """Maps shifted by whole pixels, with zeros at the border; negative numbers shift up and left."""
    n, shifted = maps.shape[1], np.zeros_like(maps)
    rows, columns = (slice(max(d, 0), n + min(d, 0)) for d in (down, right))
    source = (slice(max(-d, 0), n + min(-d, 0)) for d in (down, right))
    shifted[:, rows, columns] = maps[:, *source]
    return shifted


def permuted(maps, rows, columns) -> np.ndarray:
    """Maps with their rows and their columns in the given orders, (n,) int each."""
    return maps[:, rows][:, :, columns]


def random_pairing(maps, seed=0) -> np.ndarray:
    """Maps with all pixels put in one random order, the same for every map.

    Symmetrization (Eq. 9) then pairs F(i, j) with any other pixel in place of F(j, i).
    """
    flat = maps.reshape(len(maps), -1, maps.shape[3])
    return flat[:, np.random.default_rng(seed).permutation(flat.shape[1])].reshape(maps.shape)


def constructions(maps, seed=0) -> dict[str, np.ndarray]:
    """Changed maps of the same shape, by the name of the change; ``seed`` is of the permutations.

    The first four have the births of ``maps`` by mathematics: they permute rows and columns alike.
    """
    n, rng = maps.shape[1], np.random.default_rng(seed)
    first, second, still = rng.permutation(n), rng.permutation(n), np.arange(n)
    return {
        "transposed": maps.swapaxes(1, 2),
        "turned by 180 degrees": maps[:, ::-1, ::-1],
        "shift (2, 2), cyclic": np.roll(maps, (2, 2), (1, 2)),
        "one permutation of rows and columns": permuted(maps, first, first),
        "shift (1, 1), cropped": moved(maps, 1, 1),
        "shift (2, 2), cropped": moved(maps, 2, 2),
        "shift (1, 0), cropped": moved(maps, 1, 0),
        "shift (2, 0), cropped": moved(maps, 2, 0),
        "shift (2, 0), cyclic": np.roll(maps, 2, 1),
        "mirrored": maps[:, :, ::-1],
        "columns permuted": permuted(maps, still, second),
        "two permutations": permuted(maps, first, second),
        "random pairing of pixels": random_pairing(maps, seed),
        "upper triangle only": np.triu(np.ones((n, n), maps.dtype))[:, :, None] * maps,
    }


def cubical_births(maps) -> np.ndarray:
    """Birth of the first hole of the picture itself, by cubical persistence of F from the top.

    The paper's graph has rows as vertices. Here pixels are vertices and neighbours matter. The birth is the
    number of entries at least as large as the value at which a first cycle of pixels, neighbours over edges
    and corners, encloses a lower one. Zeros never enter.

    Returns
    -------
    (images, units) int
        From 4 up; 0 for none.
    """
    from ._cubical import cubical_births as compiled

    return compiled(np.ascontiguousarray(maps))
