"""Speed of birth points against GUDHI, Ripser and a plain copy of the maps: prints a Markdown table. Run by
`make bench`, not by pytest.
"""

import os
import platform
import resource
import subprocess
import sys
import tempfile
import time
from importlib.metadata import version

import gudhi
import numpy as np
from ripser import ripser

from unitnb.topology._kernel import births_of
from unitnb.topology.births import birth_points

UNITS = 128
BATCH_BYTES = 40_000_000  # more than the caches hold, as in real use


def noise(rng, n, positive=0.5, tied=0.0):
    """ReLU-like float32 maps (images, n, n, UNITS): a share `positive` of values, of which a share `tied` has
    one value, their median.
    """
    images = max(1, BATCH_BYTES // (4 * n * n * UNITS))
    maps = rng.random((images, n, n, UNITS), np.float32) - np.float32(1 - positive)
    np.maximum(maps, 0, out=maps)
    if tied:
        maps[(rng.random(maps.shape, np.float32) < tied) & (maps > 0)] = positive / 2
    return maps


def best(function, budget=1.0):
    """Least wall time in seconds of at least three calls, and of as many as fit in `budget` seconds."""
    times = []
    while len(times) < 3 or sum(times) < budget:
        start = time.perf_counter()
        function()
        times.append(time.perf_counter() - start)
    return min(times)


def per_map(function, maps):
    """Microseconds a map of a function of single maps, over a few of them."""
    singles = [np.maximum(m, m.T) for m in maps[0].transpose(2, 0, 1)]
    count = 32 if len(singles[0]) < 56 else 2 if len(singles[0]) < 224 else 1
    return np.mean([best(lambda m=m: function(m), 0) for m in singles[:count]]) * 1e6


def distances(fmap):
    distance = np.where(fmap > 0, 2 - fmap, np.inf)
    np.fill_diagonal(distance, 0)
    return distance


def by_gudhi(fmap):
    """First birth in degree 1 of the clique complex up to triangles, by GUDHI's class for a matrix of
    distances.
    """
    tree = gudhi.RipsComplex(distance_matrix=distances(fmap), max_edge_length=2).create_simplex_tree(
        max_dimension=2
    )
    tree.compute_persistence(homology_coeff_field=2)
    return tree.persistence_intervals_in_dimension(1)


def by_ripser(fmap):
    distance = distances(fmap)
    return ripser(distance, distance_matrix=True, maxdim=1)["dgms"][1]


def row(name, maps):
    count = maps.shape[0] * maps.shape[3]
    bound = maps.shape[1] ** 2
    births_of(maps, bound, False, 2)
    one, two, copy = (
        best(f) / count * 1e6
        for f in (
            lambda: births_of(maps, bound, False, 1),
            lambda: births_of(maps, bound, False, 2),
            maps.copy,
        )
    )
    slow = [per_map(f, maps) for f in (by_gudhi, by_ripser)]
    cells = [one, two, copy, *slow, slow[0] / two, two / copy, one / copy]
    print(f"| {name} | " + " | ".join(f"{cell:.3g}" for cell in cells) + " |", flush=True)
    return one


def compile_time():
    """Seconds of the first call in a new process with an empty cache, with the cache it leaves, and of a
    one-line function.
    """
    code = (
        "import time, numpy as np, unitnb.topology._kernel as b; m = np.zeros((1, 14, 14, 16), np.float32);"
        "t = time.perf_counter(); b.births_of(m, 50, False); print(time.perf_counter() - t)"
    )
    line = (
        "import time, numpy as np, numba; f = numba.njit(lambda x: x[0] + 1); t = time.perf_counter(); "
        "f(np.zeros(2));"
        "print(time.perf_counter() - t)"
    )
    with tempfile.TemporaryDirectory() as folder:
        environment = {**os.environ, "NUMBA_CACHE_DIR": folder}
        return [
            float(
                subprocess.run(
                    [sys.executable, "-c", run], env=environment, capture_output=True, text=True, check=True
                ).stdout
            )
            for run in (code, code, line)
        ]


def streamed():
    """Seconds and peak resident memory (MB) of the births of 512 units on 1,000 images, 100 images at a time."""
    rng = np.random.default_rng(0)
    batch = np.maximum(rng.standard_normal((100, 14, 14, 512), np.float32), 0)
    birth_points(batch[:1])
    seconds = best(lambda: [birth_points(batch) for _ in range(10)])
    return seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main():
    seconds, memory = streamed()  # first, before anything else has used memory
    print(
        f"Birth points, k = 1, no bound on births; {platform.machine()}, {os.cpu_count()} cores, Python "
        f"{platform.python_version()}, "
        + ", ".join(f"{name} {version(name)}" for name in ("numpy", "numba", "gudhi", "ripser"))
        + f"; load {os.getloadavg()[0]:.1f}. Microseconds a map, least wall time of several runs.\n"
    )
    print(
        "| maps | 1 thread | 2 threads | copy | GUDHI | Ripser | GUDHI / 2 threads | 2 threads / copy | 1 "
        "thread / copy |"
    )
    print("|---|---|---|---|---|---|---|---|---|")
    rng = np.random.default_rng(0)
    for n in (14, 7, 28, 56, 112, 224):
        half = row(f"{n}x{n}, half positive", noise(rng, n))
        row(f"{n}x{n}, 10% positive", noise(rng, n, 0.1))
        if n == 14:
            tied = [
                row(f"{n}x{n}, half positive, {share:.0%} tied", noise(rng, n, tied=share)) / half
                for share in (0.1, 0.9)
            ]
    cold, warm, start = compile_time()
    print(f"\n- Tied against untied at 14x14, one thread: {tied[0]:.2f} (10%), {tied[1]:.2f} (90%).")
    print(
        f"- 512 units x 1,000 images, streamed by 100: {seconds:.2f} s, peak memory {memory:.0f} MB, "
        "libraries included."
    )
    print(
        f"- First call in a new process: {cold:.1f} s compiling, {warm:.2f} s from the cache; a one-line "
        f"function takes {start:.1f} s."
    )


if __name__ == "__main__":
    main()
