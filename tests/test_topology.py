"""Birth points against answers on paper, the symmetries of the method, and GUDHI's and Ripser's homology."""

import itertools
import math
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from unitnb import load_model, load_profile, split_model
from unitnb.images.shapes import shapes_images
from unitnb.networks.trained import is_there
from unitnb.topology import _kernel, nulls
from unitnb.topology._kernel import births_of
from unitnb.topology.births import (
    betti_curves,
    birth_points,
    births_by_homology,
    edge_bound,
    edges_present,
    first_hole,
    symmetrize,
    top_edges,
    top_set,
)
from unitnb.topology.nulls import null_births

FULL = os.environ.get("UNITNB_FULL") == "1"
SQUARE = [(0, 1), (1, 2), (2, 3), (0, 3)]
OCTAHEDRON = [(i, j) for i, j in itertools.combinations(range(6), 2) if i + j != 5]


def map_of(n, *levels, values=None):
    """An n x n map whose edges of levels[0] weigh most, levels[1] less, and so on; the rest is 0."""
    fmap = np.zeros((n, n))
    for edges, value in zip(levels, range(len(levels), 0, -1) if values is None else values, strict=True):
        for i, j in edges:
            fmap[i, j] = value
    return fmap


def birth(fmap, index="edges", b_max=math.inf, **options):
    return int(birth_points(np.asarray(fmap)[None, :, :, None], b_max, index, **options)[0, 0])


def singly(edges):
    return [[edge] for edge in edges]


def random_maps(rng, n, images=2, units=17):
    """Continuous, ReLU-sparse, quantized to 3 to 16 levels, flat-backed, at any of the three precisions."""
    maps = rng.standard_normal((images, n, n, units))
    kind = rng.integers(5)
    if kind > 0:
        maps = np.maximum(maps - rng.choice([0.0, 0.7, 1.3]), 0)
    if kind > 1:
        maps = np.ceil(maps / max(maps.max(), 1) * rng.integers(2, 16))
    if kind > 2:
        maps = np.where(rng.random(maps.shape) < rng.random(), rng.integers(1, 3), maps)
    return maps.astype(rng.choice([np.float16, np.float32, np.float64]))


# Answers on paper


@pytest.mark.parametrize(
    ("fmap", "edges", "level"),
    [
        (map_of(4, *singly(SQUARE)), 4, 4),  # a square, edge by edge
        (map_of(4, SQUARE), 4, 1),  # a square at once
        (map_of(5, *singly([(0, 1), (1, 2), (2, 3), (3, 4), (0, 4)])), 5, 5),  # a pentagon
        (
            map_of(4, *singly(SQUARE[:3]), [SQUARE[3], (0, 2)]),
            0,
            0,
        ),  # the closing edge ties with a chord: never a hole
        (map_of(4, *singly(SQUARE), [(0, 2)]), 4, 4),  # the chord comes later: a hole in between
        (map_of(4, SQUARE[:2], SQUARE[2:]), 4, 2),  # two ties
        (
            map_of(5, *singly([(0, 4), (1, 4), (2, 4), (3, 4)]), SQUARE),
            0,
            0,
        ),  # a wheel: the hub fills the square
        (map_of(5, SQUARE, [(0, 4), (1, 4), (2, 4), (3, 4)]), 4, 1),  # the hub comes too late
        (map_of(6, OCTAHEDRON), 0, 0),  # a sphere: beta_2, not beta_1
        (
            map_of(8, SQUARE[:3], [SQUARE[3], (0, 2)], [(i + 4, j + 4) for i, j in SQUARE]),
            9,
            3,
        ),  # past a tie that closes its own hole
        (np.ones((14, 14)), 0, 0),
        (np.zeros((14, 14)), 0, 0),
        (np.eye(14), 0, 0),
        (np.ones((2, 2)), 0, 0),
        (np.ones((3, 3)), 0, 0),
    ],
)
def test_birth_on_paper(fmap, edges, level):
    assert (birth(fmap), birth(fmap, "level")) == (edges, level)


def test_top_set_of_the_later_paper():
    fmap = np.zeros((5, 5))
    for value, place in zip((9, 8, 7, 6), [(1, 2), (4, 3), (2, 4), (3, 1)], strict=True):
        fmap[place] = value
    assert birth(fmap) == 4  # beta_1 = 1 at v = 4
    assert first_hole(fmap) == (1, 3, 4, 2)


def folded_disc(word):
    """Barycentric subdivision, as a graph, of a disc whose rim is glued to a circle along ``word``.

    (1, 1) gives the projective plane.
    """
    rim = [label for turn in word for label in ("vpq" if turn > 0 else "vqp")]
    m = len(rim)
    faces = [
        f
        for i in range(m)
        for f in (
            {rim[i], rim[(i + 1) % m], i},
            {i, (i + 1) % m, rim[(i + 1) % m]},
            {i, (i + 1) % m, "centre"},
        )
    ]
    cells = list({frozenset(c) for f in faces for size in (1, 2, 3) for c in itertools.combinations(f, size)})
    order = {
        cell: place for place, cell in enumerate(sorted(cells, key=lambda c: (len(c), sorted(map(str, c)))))
    }
    return len(cells), [(order[a], order[b]) for a, b in itertools.combinations(cells, 2) if a < b or b < a]


@pytest.mark.parametrize(
    ("word", "holes"),
    [
        ((1, 1), 1),  # projective plane: H_1 = Z_2
        ((1, 1, -1), 0),  # dunce hat: contractible, though nothing can be collapsed
        ((1, 1, 1), 0),  # H_1 = Z_3: no hole over Z_2
        ((1, -1, 1, -1), 1),  # a loop cancelled as a product is no longer attached: a circle is left
        ((1, 1, 1, 1), 1),  # H_1 = Z_4
    ],
)
def test_complexes_known_from_topology_enter_at_once(word, holes):
    n, edges = folded_disc(word)
    rng = np.random.default_rng(0)
    for _ in range(5):
        shuffled = rng.permutation(n)[np.array(edges)]
        assert birth(map_of(n, shuffled)) == holes * len(edges)


def test_a_wheel_at_once_has_a_hole_only_where_a_spoke_is_missing():
    rng = np.random.default_rng(5)
    ring = [(i, (i + 1) % 9) for i in range(9)]
    cone = [(i, 9) for i in range(9)]
    for _ in range(50):
        p = rng.permutation(12)
        assert birth(map_of(12, p[np.array(ring + cone)])) == 0
        assert birth(map_of(12, p[np.array(ring + cone[1:])])) == 17
        assert birth(map_of(12, p[np.array(ring + cone[2:-2])])) == 14


def test_default_bound_is_the_papers_fifty_and_its_share_of_the_edges_elsewhere():
    clique = list(itertools.combinations(range(10), 2))
    loop = [(0, 10), (10, 11), (11, 12), (12, 13), (0, 13)]
    assert birth(map_of(14, clique, *singly(loop)), b_max=None) == 50
    late = map_of(14, clique, [(1, 10)], *singly(loop))
    assert birth(late, b_max=None) == 0 and birth(late) == 51
    assert [edge_bound(n, None) for n in (5, 7, 14, 28)] == [5, 12, 50, 208]


@pytest.mark.parametrize("n", [2, 3, 4])
def test_maps_too_small_for_a_birth_within_the_default_bound_are_refused(n):
    with pytest.raises(ValueError, match=f"maps of {n}x{n} have no birth within the default B_max"):
        birth_points(np.ones((1, n, n, 1)))
    assert birth_points(np.ones((1, n, n, 1)), math.inf).tolist() == [[0]]


def test_bound_is_inclusive_and_counts_as_the_index_does():
    late = map_of(6, [(4, 5), (0, 5)], *singly(SQUARE))  # six edges, five levels
    assert [birth(late, b_max=b) for b in (5, 5.9, 6)] == [0, 0, 6]
    assert [birth(late, "level", b_max=b) for b in (4, 5)] == [0, 5]


def test_negative_values_count_by_size_and_the_diagonal_not_at_all():
    fmap = map_of(4, *singly(SQUARE))
    assert birth(-fmap) == 4
    assert birth(fmap * [[1], [-1], [1], [-1]] + np.diag([9, 9, -9, 9])) == 4


def test_float16_is_ordered_exactly_down_to_subnormals():
    fmap = map_of(4, *singly(SQUARE), [(0, 2)], values=np.arange(5, 0, -1) * np.float16(6e-8)).astype(
        np.float16
    )
    assert birth(fmap, "level") == 4


# Persistent homology


def test_every_birth_agrees_with_gudhi():
    rng = np.random.default_rng(2)
    compared = 0
    while compared < (20_000 if FULL else 2_000):
        maps = random_maps(rng, n=int(rng.integers(4, 21)))
        for index in ("edges", "level"):
            n_edges = maps.shape[1] * (maps.shape[1] - 1) // 2
            bound = math.inf if rng.random() < 0.5 else int(rng.integers(1, n_edges + 1))
            np.testing.assert_array_equal(
                birth_points(maps, bound, index), births_by_homology(maps, min(bound, n_edges), index, 1)
            )
        compared += maps.shape[0] * maps.shape[3]


def compared_on(maps, count):
    """Compare ``count`` maps with GUDHI: as they are, in half precision, in 4 levels; counts births, ties."""
    rng = np.random.default_rng(0)
    flat = maps.transpose(0, 3, 1, 2).reshape(-1, *maps.shape[1:3])
    chosen = flat[np.sort(rng.choice(len(flat), count, replace=False))].transpose(1, 2, 0)[None]
    for version in (chosen, chosen.astype(np.float16), np.ceil(chosen / chosen.max() * 4)):
        births = births_by_homology(version, 91, "edges", 1)
        np.testing.assert_array_equal(birth_points(version, math.inf), births)
    assert births.any() and not np.array_equal(
        birth_points(version, math.inf), birth_points(version, math.inf, "level")
    )


@pytest.mark.parametrize("model", "ABCD")
def test_births_of_the_shipped_networks_agree_with_gudhi(model):
    profile = load_profile("shapes")
    maps = split_model(load_model(profile, model), profile.layer).feature_maps(
        shapes_images("test")[0][::500]
    )
    compared_on(maps, 640 if FULL else 100)


def test_births_of_photographs_agree_with_gudhi(photographs):
    for name in ("shapes", "cifar10"):  # the network of photographs is for those whose classes are there
        profile = load_profile(name)
        if is_there(profile, "A"):
            maps = split_model(load_model(profile, "A"), profile.layer).feature_maps(photographs)
            compared_on(maps, 2_000 if FULL else 200)


@pytest.mark.parametrize("n", [63, 64, 65, 70, 129])
def test_masks_of_several_words_agree_with_gudhi(n):
    rng = np.random.default_rng(n)
    maps = np.where(rng.random((1, n, n, 4)) < 1.2 / n, rng.integers(1, 4, (1, n, n, 4)), 0).astype(
        np.float32
    )
    expected = births_by_homology(maps, n * (n - 1) // 2, "edges", 1)
    np.testing.assert_array_equal(birth_points(maps, math.inf), expected)
    assert expected.any()


@pytest.mark.filterwarnings("ignore:The input matrix is square")
def test_births_agree_with_ripser():
    from ripser import ripser

    rng = np.random.default_rng(3)
    for _ in range(300 if FULL else 40):
        fmap = random_maps(rng, n=int(rng.integers(4, 15)), images=1, units=1)[0, :, :, 0]
        levels = np.unique(symmetrize(fmap)[np.triu_indices(len(fmap), 1)])
        levels = levels[levels > 0][::-1]
        distance = np.full(fmap.shape, np.inf)
        for v, value in enumerate(levels, 1):
            distance[symmetrize(fmap) == value] = v
        np.fill_diagonal(distance, 0)
        diagram = ripser(distance, distance_matrix=True, maxdim=1)["dgms"][1]
        assert birth(fmap, "level") == int(diagram[:, 0].min(initial=math.inf) if len(diagram) else 0)


# Relations

tied_maps = st.integers(2, 9).flatmap(
    lambda n: st.lists(st.integers(0, 6), min_size=n * n, max_size=n * n).map(
        lambda values: np.array(values, float).reshape(n, n)
    )
)


@settings(max_examples=100, deadline=None)
@given(tied_maps, st.randoms(use_true_random=False))
def test_births_do_not_change_under_the_symmetries_of_the_method(fmap, random):
    p = random.sample(range(len(fmap)), len(fmap))
    for index in ("edges", "level"):
        expected = birth(fmap, index)
        assert birth(fmap.T, index) == birth(fmap[::-1, ::-1], index) == expected
        assert birth(fmap[np.ix_(p, p)], index) == expected
        assert birth(fmap**3 * 0.1, index) == birth(np.where(fmap > 0, np.exp(fmap), 0), index) == expected
    assert birth(symmetrize(fmap)) == birth(fmap)


def test_a_flip_is_no_symmetry():
    fmap = map_of(6, *singly([(0, 1), (1, 2), (2, 4), (0, 4)]))
    assert birth(fmap) == 4
    assert birth(fmap[:, ::-1]) == 0


@pytest.mark.parametrize("units", [1, 15, 16, 17, 40])
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_units_images_and_memory_layout_do_not_matter(units, dtype):
    rng = np.random.default_rng(units)
    maps = np.maximum(rng.integers(-20, 20, (9, 14, 14, units)), 0).astype(dtype)
    births = birth_points(maps)
    assert births.dtype == np.int16 and births.shape == (9, units)
    np.testing.assert_array_equal(births[:, ::-1], birth_points(maps[..., ::-1]))
    np.testing.assert_array_equal(births[4:5], birth_points(maps[4:5]))
    channels_first = np.ascontiguousarray(maps.transpose(0, 3, 1, 2))
    np.testing.assert_array_equal(births, birth_points(channels_first.transpose(0, 2, 3, 1)))
    np.testing.assert_array_equal(births, birth_points(maps.astype(maps.dtype.newbyteorder(">"))))
    np.testing.assert_array_equal(births, birth_points(maps.astype(np.int16)))
    maps.flags.writeable = False
    np.testing.assert_array_equal(births, birth_points(maps.astype(np.float64)))
    np.testing.assert_array_equal(births, birth_points(maps))


@pytest.mark.parametrize("units", [5, 40])
def test_maps_copied_in_parts_are_joined(monkeypatch, units):
    maps = np.maximum(np.random.default_rng(1).standard_normal((7, units, 8, 8), np.float32), 0)
    maps = maps.transpose(0, 2, 3, 1)
    whole = birth_points(maps)
    monkeypatch.setattr(_kernel, "COPIED", 3 * 8 * 8 * max(units, 16) * 4)  # three images, three, one
    np.testing.assert_array_equal(birth_points(maps), whole)
    assert whole.any() and len({row.tobytes() for row in whole}) == 7


def test_threads_do_not_matter():
    maps = np.maximum(np.random.default_rng(0).standard_normal((33, 8, 8, 40), np.float32), 0)
    one = births_of(maps, 28, False, threads=1)
    assert one.any()
    for threads in (2, 3):
        np.testing.assert_array_equal(births_of(maps, 28, False, threads), one)


# Errors


@pytest.mark.parametrize("value", [np.nan, -np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize("place", [(0, 1), (1, 0), (2, 2)])
def test_a_map_that_is_not_finite_is_named(value, dtype, place):
    maps = np.ones((3, 5, 5, 20), dtype)
    maps[2, *place, 18] = value
    with pytest.raises(ValueError, match="image 2, unit 18 holds NaN or infinity"):
        birth_points(maps)
    with pytest.raises(ValueError, match="NaN or infinity"):
        betti_curves(maps[2, :, :, 18])


@pytest.mark.parametrize(
    "shape", [(2, 3, 4, 5), (3, 4, 4), (0, 4, 4, 1), (1, 4, 4, 0), (1, 1, 1, 1), (1, 257, 257, 1), (4, 4)]
)
def test_a_shape_that_will_not_do_is_named(shape):
    with pytest.raises(ValueError, match=rf"maps have shape \({', '.join(map(str, shape))}.*expected"):
        birth_points(np.zeros(shape))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"index": "entries"}, "'entries'.*'edges' or 'level'"),
        ({"b_max": 0}, "b_max is 0"),
        ({"b_max": math.nan}, "b_max is nan"),
        ({"k": 0}, "k is 0"),
        ({"k": 1.5}, "k is 1.5"),
        ({"maps": np.zeros((1, 4, 4, 1), complex)}, "complex128.*float32"),
    ],
)
def test_arguments_are_checked(options, message):
    with pytest.raises(ValueError, match=message):
        birth_points(**{"maps": np.zeros((1, 4, 4, 1)), **options})


# Curves, edges, cycles


def test_betti_curves_of_an_octahedron_with_a_late_edge():
    levels, betti = betti_curves(map_of(7, OCTAHEDRON, [(0, 6)], [(1, 6), (0, 5)], values=(8, 5, 2)), k_max=2)
    assert levels.tolist() == [8, 5, 2]
    assert betti.tolist() == [
        [2, 0, 1],
        [1, 0, 1],
        [1, 0, 0],
    ]  # sphere and point; sphere with a tail; the edge 0-5 fills the sphere


def test_betti_curves_satisfy_eulers_formula_and_hold_the_birth():
    rng = np.random.default_rng(4)
    for _ in range(10):
        fmap = random_maps(rng, 6, 1, 1)[0, :, :, 0]
        levels, betti = betti_curves(fmap, k_max=4)
        for v in range(1, len(levels) + 1):
            graph = symmetrize(fmap) >= levels[v - 1]
            cliques = [
                c
                for m in range(1, 7)
                for c in itertools.combinations(range(6), m)
                if all(graph[i, j] for i, j in itertools.combinations(c, 2))
            ]
            assert betti[v - 1] @ [1, -1, 1, -1, 1] == -sum((-1) ** len(c) for c in cliques)
        assert edges_present(fmap).tolist() == [
            (symmetrize(fmap)[np.triu_indices(6, 1)] >= level).sum() for level in levels
        ]
        assert birth(fmap, "level") == next((v for v, row in enumerate(betti, 1) if row[1]), 0)


def test_a_map_without_edges_has_empty_curves():
    levels, betti = betti_curves(np.zeros((5, 5)))
    assert levels.shape == (0,) and betti.shape == (0, 2) and edges_present(np.zeros((5, 5))).shape == (0,)
    assert top_edges(np.zeros((5, 5)), 3).shape == (0, 2) and first_hole(np.zeros((5, 5))) == ()


def test_second_degree_births():
    assert birth(map_of(6, OCTAHEDRON), k=2) == 12 and birth(map_of(6, OCTAHEDRON), "level", k=2) == 1
    assert birth(map_of(6, *singly(OCTAHEDRON)), k=2) == 12
    assert birth(map_of(6, OCTAHEDRON), b_max=11, k=2) == 0
    assert birth(map_of(4, SQUARE), k=2) == 0


def test_a_top_set_of_at_most_v_edges_does_not_take_ties_apart():
    fmap = np.zeros((5, 5))
    fmap[[0, 1, 2, 3], [1, 2, 3, 4]] = [9, 8, 7, 7]
    assert [len(top_set(fmap, v)) for v in range(6)] == [0, 1, 2, 2, 4, 4]
    assert top_set(fmap, 2).tolist() == [[0, 1], [1, 2]]


def test_top_edges_enter_by_value_then_row():
    fmap = map_of(4, [(3, 2), (1, 0)], [(0, 2)], [(1, 3)])
    assert top_edges(fmap, 1).tolist() == [[0, 1], [2, 3]]
    assert top_edges(fmap, 2).tolist() == [[0, 1], [2, 3], [0, 2]]
    assert len(top_edges(fmap, 9)) == 4


@pytest.mark.parametrize(
    ("fmap", "cycle"),
    [
        (map_of(5, *singly([(0, 1), (1, 2), (2, 3), (3, 4), (0, 4)])), {0, 1, 2, 3, 4}),
        (
            map_of(6, [(0, 1), (1, 2), (2, 3), (3, 4), (4, 5), (0, 5), (1, 5), (2, 5)]),
            {2, 3, 4, 5},
        ),  # the triangles leave the square
        (
            map_of(9, [(0, 1), (1, 2), (2, 3), (3, 4), (0, 4), (5, 6), (6, 7), (7, 8), (5, 8)]),
            {5, 6, 7, 8},
        ),  # the shorter of two holes
        (map_of(6, OCTAHEDRON), set()),
    ],
)
def test_first_hole_is_a_shortest_cycle_that_bounds_nothing(fmap, cycle):
    hole = first_hole(fmap)
    assert set(hole) == cycle and len(hole) == len(cycle)
    assert all(symmetrize(fmap)[i, j] > 0 for i, j in zip(hole, hole[1:] + hole[:1], strict=True))


def test_symmetrize_one_map_and_a_batch():
    maps = np.arange(-9, 9.0).reshape(2, 3, 3, 1)
    np.testing.assert_array_equal(symmetrize(maps)[1, :, :, 0], symmetrize(maps[1, :, :, 0]))
    assert symmetrize(maps[0, :, :, 0]).tolist() == [[9, 8, 7], [8, 5, 4], [7, 4, 1]]


# The null model


@pytest.mark.parametrize("n", [4, 7, 14, 28, 56, 112])
def test_noise_is_born_at_four_as_often_as_the_formula_says(n):
    exact = 3 * math.comb(n, 4) / math.comb(math.comb(n, 2), 4)
    p = null_births(n)
    assert p.sum() == pytest.approx(1) and p[1:4].tolist() == [0, 0, 0]
    assert p[4] == pytest.approx(exact, abs=5 * math.sqrt(exact / nulls.DRAWS))


def test_null_of_four_vertices_is_that_of_all_orders():
    maps = np.zeros((720, 4, 4, 1))
    maps[:, *np.triu_indices(4, 1), 0] = list(itertools.permutations(range(1, 7)))
    np.testing.assert_allclose(
        null_births(4), np.bincount(birth_points(maps, math.inf).ravel()) / 720, atol=2e-3
    )


@pytest.mark.parametrize(
    ("n", "mean", "sd"), [(14, 11.64, 2.43), (28, 19.45, 4.00), (56, 34.4, 7.0), (112, 63.0, 12.4)]
)
def test_null_moments(n, mean, sd):
    p, v = null_births(n, "level"), np.arange(null_births(n).size)
    assert p @ v == pytest.approx(mean, abs=0.05)
    assert math.sqrt(p @ v**2 - (p @ v) ** 2) == pytest.approx(sd, abs=0.05)


@pytest.mark.parametrize("n", [7, 14, 66])
def test_null_agrees_with_births_of_noise_maps(n):
    births = birth_points(np.random.default_rng(n).random((20, n, n, 200)), math.inf)
    p = null_births(n)  # 66 is not in the table
    v = np.arange(p.size)
    sd = math.sqrt(p @ v**2 - (p @ v) ** 2)
    assert births.mean() == pytest.approx(p @ v, abs=5 * sd / math.sqrt(births.size))
    assert (births == 0).mean() == pytest.approx(p[0], abs=0.025)


def test_null_table_can_be_made_again():
    again = nulls.simulated_counts(9, nulls.DRAWS)
    np.testing.assert_array_equal(again, nulls.stored_counts()[9])


def test_null_arguments_are_checked():
    with pytest.raises(ValueError, match="n is 1"):
        null_births(1)
    with pytest.raises(ValueError, match="'entries'"):
        null_births(14, "entries")


# Import and compilation


def python(code, **environment):
    return subprocess.Popen(
        [sys.executable, "-c", code],
        env={**os.environ, **environment},
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def test_importing_the_module_loads_neither_numba_nor_gudhi():
    process = python(
        "import sys, unitnb.topology, unitnb.units.entropy;"
        "print(sorted({'numba', 'gudhi', 'tensorflow'} & set(sys.modules)))"
    )
    assert process.communicate()[0].strip() == "[]"


@pytest.mark.long
def test_compiled_code_works_from_parallel_processes_and_where_nothing_can_be_written(tmp_path):
    code = (
        "import numpy as np; from {} import births_of;"
        "m = np.zeros((1, 4, 4, 1), np.float32); m[0, [0, 1, 2, 0], [1, 2, 3, 3]] = 1;"
        "print(births_of(m, 6, False)[0, 0])"
    )
    shared = {"NUMBA_CACHE_DIR": str(tmp_path / "shared")}
    blocked, package = tmp_path / "blocked", Path(nulls.__file__).parents[1]
    for name in ("topology/_kernel.py", "topology/_graphs.py", "files/compiled.py"):
        (blocked / name).parent.mkdir(parents=True, exist_ok=True)
        (blocked / name).write_text((package / name).read_text())
    (blocked / "topology" / "__pycache__").write_text("a file where a folder would have to be")
    locked = {
        "PYTHONPATH": str(tmp_path),
        "HOME": "/dev/null",
        "XDG_CACHE_HOME": "/dev/null/cache",
        "NUMBA_CACHE_DIR": "",
    }
    running = [
        python(code.format("unitnb.topology._kernel"), **shared),
        python(code.format("unitnb.topology._kernel"), **shared),
        python(code.format("blocked.topology._kernel"), **locked),
    ]
    for process in running:
        out, err = process.communicate()
        assert out.strip() == "4", err
    assert list((tmp_path / "shared").rglob("*.nbc"))
