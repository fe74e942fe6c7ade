"""C01 to C05: feature topology and the measure (Sec. 2)."""

from .grades import CONTROLS, METHOD, Claim, by_construction, grade

REVISED = "2026-11-29"
EXACT = "nothing: exact"
CLAIMS = (
    Claim(
        id="C01",
        place="Fig. 1",
        statement="Four top points span a complex with vertices and lines, but no face and no hole",
        paper="5 vertices, 4 lines",
        measure=(
            "the complex of four edges in a path; the later paper's four points (1,2), (4,3), (2,4), (3,1)"
        ),
        criterion=(
            "exactly 5 vertices, 4 edges, no triangle, no hole; and the four points have their first hole "
            "at v = 4"
        ),
        notebook=METHOD,
        figure="fig1.png",
        judge=lambda r: by_construction(
            (r["vertices"], r["edges"], r["triangles"], r["holes"]) == (5, 4, 0, 0),
            r["hole of the four points"] == 4,
        ),
        effect="holes",
        resampled=EXACT,
        construction="an example drawn by hand",
        changed=REVISED,
    ),
    Claim(
        id="C02",
        place="Sec. 1, 2.1",
        statement="Feature topology does not change under shift and scale",
        paper="not given",
        measure=(
            "maps whose birth point changes when the map is scaled (x 0.5, x 8), or shifted cyclically by "
            "(2, 2) and (2, 0)"
        ),
        criterion="no birth changes under a shift that is not along the diagonal",
        notebook=METHOD,
        figure="fig1.png",
        judge=lambda r: grade(r["changed by (2, 0)"] == 0),
        effect="changed by (2, 0)",
        resampled=EXACT,
        construction=(
            "births depend on the order of the entries alone, so scale cannot change them, and rows and "
            "columns that move together are the same graph: both are checked, not judged"
        ),
        changed=REVISED,
    ),
    Claim(
        id="C03",
        place="Eq. 3",
        statement="Top sets of growing order are nested: a filtration",
        paper="not given",
        measure="edges present at each level among those at the next, on maps of the network",
        criterion="nested in every map",
        notebook=METHOD,
        figure="fig2a.png",
        judge=lambda r: by_construction(r["maps"] > 0, r["not nested"] == 0),
        effect="not nested",
        resampled=EXACT,
        construction="the v largest entries are among the v + 1 largest",
        changed=REVISED,
    ),
    Claim(
        id="C04",
        place="Def. 2",
        statement="The birth point is the smallest v with a hole; none above B_max",
        paper="B_max = 50",
        measure=(
            "the fast rule against GUDHI's persistence, on maps of the network and on random ones, half of "
            "them with ties"
        ),
        criterion="the same birth in every map, and none above B_max",
        notebook=METHOD,
        figure="fig2a.png",
        judge=lambda r: by_construction(r["maps"] > 0 and r["other than GUDHI"] == 0, r["above B_max"] == 0),
        effect="other than GUDHI",
        resampled=EXACT,
        construction="a definition; what is checked is this package",
        changed=REVISED,
    ),
    Claim(
        id="C05",
        place="Sec. 2.2",
        statement="The more concentrated the birth points, the better the unit",
        paper="not given",
        measure=(
            "Spearman correlation over units of 1/H with the loss that a unit's removal adds (single "
            "ablation), in each class; 95% bootstrap"
        ),
        criterion=(
            "above 0, interval excluded, in more than half of the classes; and also with the rate "
            "partialled out; in part: one of the two"
        ),
        notebook=CONTROLS,
        figure="fig6f.png",
        judge=lambda r: grade(
            r["classes above 0"] > r["classes"] / 2, r["classes above 0 given the rate"] > r["classes"] / 2
        ),
        effect="median rho of 1/H",
        resampled="units, in each class; conditional on one network",
    ),
)
