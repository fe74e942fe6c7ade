"""Other constructions in place of the paper's (Sec. 2.1): what moving, permuting or pairing a map's pixels otherwise does to its births.

Maps are (images, n, n, units).
"""

import numpy as np


def moved(maps, down, right) -> np.ndarray:
    """Maps shifted by whole pixels, zeros coming in at the border."""
    n, shifted = maps.shape[1], np.zeros_like(maps)
    rows, columns = (slice(max(d, 0), n + min(d, 0)) for d in (down, right))
    source = (slice(max(-d, 0), n + min(-d, 0)) for d in (down, right))
    shifted[:, rows, columns] = maps[:, *source]
    return shifted


def permuted(maps, rows, columns) -> np.ndarray:
    """Maps with their rows and columns in another order."""
    return maps[:, rows][:, :, columns]


def random_pairing(maps, seed=0) -> np.ndarray:
    """Maps with all pixels put in one random order, the same for every map: F(i, j) then meets any other pixel, not F(j, i)."""
    flat = maps.reshape(len(maps), -1, maps.shape[3])
    return flat[:, np.random.default_rng(seed).permutation(flat.shape[1])].reshape(maps.shape)


def constructions(maps, seed=0) -> dict[str, np.ndarray]:
    """Maps whose births show what the construction sees, by name. On the first four the births are equal by mathematics."""
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
    """Birth of the first hole of the picture itself: cubical persistence of F from the top, (images, units) int.

    1-based number of entries at least as large as the value at which the first cycle of pixels (neighbours over edges and corners) encloses
    a lower one; 0 for none. Zeros never enter. Neighbouring pixels matter here, and rows are not vertices. GUDHI is its test's oracle.
    """
    from ._cubical import cubical_births as compiled

    return compiled(np.ascontiguousarray(maps))
