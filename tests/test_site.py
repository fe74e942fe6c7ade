"""The static site: made of executed notebooks, and nothing in it comes from elsewhere."""

import base64
import io
import re
import shutil
from pathlib import Path

import nbformat
import pytest
from bs4 import BeautifulSoup
from fontTools.ttLib import TTFont

import unitnb
from unitnb.figures import captions
from unitnb.notebooks import rules
from unitnb.notebooks.run import read_source
from unitnb.profiles import load_profile
from unitnb.site import formulas, pages

ROOT = Path(unitnb.__file__).parents[1]
PIXEL = base64.b64encode(b"not really a picture").decode()
QUESTION = "**Question.** What is $F_s$?\n\nSee [the other](02_second.ipynb#A-part-H)."
PRINTED = "a < b\n| unit | E |\n| --- | --- |\n| 7 | 0.5 |\n"


@pytest.fixture
def project(monkeypatch, tmp_path):
    """A project with two small executed notebooks and the real README, profiles and picture of the claims."""
    shutil.copytree(ROOT / "notebooks" / "profiles", tmp_path / "notebooks" / "profiles")
    (tmp_path / "figures").mkdir()
    for name in ("claims.png", "overview.png"):
        shutil.copy(ROOT / "figures" / name, tmp_path / "figures")
    shutil.copy(ROOT / "README.md", tmp_path)
    monkeypatch.setenv("UNITNB_ROOT", str(tmp_path))
    for name, title in (("01_first", "1. One"), ("02_second", "2. Two")):
        cells = [
            nbformat.v4.new_markdown_cell(f"# {title}\n\n{QUESTION}"),
            nbformat.v4.new_markdown_cell("## A part $H$\n\n$$H = -\\sum_x P(x) \\ln P(x)$$"),
            nbformat.v4.new_code_cell("draw()", execution_count=1, outputs=[
                nbformat.v4.new_output("stream", name="stdout", text=PRINTED),
                nbformat.v4.new_output("display_data", {"image/png": PIXEL, "text/plain": "<Figure>"}),
            ]),
        ]  # fmt: skip
        (tmp_path / "notebooks" / f"{name}.py").touch()
        nbformat.write(nbformat.v4.new_notebook(cells=cells), tmp_path / "notebooks" / f"{name}.ipynb")
    return tmp_path


def page(path):
    return BeautifulSoup(path.read_text(encoding="utf-8"), "html.parser")


def addresses(soup):
    """Everything that a browser would load or follow."""
    inside = [
        (tag.name, tag.get(name))
        for tag in soup.find_all(True)
        for name in ("src", "href", "srcset", "data")
        if tag.get(name)
    ]
    return inside + [
        ("style", address)
        for style in soup("style")
        for address in re.findall(r"url\([\"']?([^\"')]+)|@import", style.text)
    ]


def leads_somewhere(soup, folder, address):
    file, _, anchor = address.partition("#")
    target = page(folder / file) if file else soup
    return bool(target.find(id=anchor)) if anchor else True


def test_each_page_stands_alone(project):
    written = pages.write_site(load_profile(), project / "site")
    assert [path.name for path in written] == ["01_first.html", "02_second.html", "index.html"]
    for path in written:
        soup = page(path)
        assert not soup("script") and not soup("link", rel="stylesheet")
        for tag, address in addresses(soup):
            outside = (
                address.startswith("https://") and tag == "a"
            )  # a link to follow, not a part of the page
            assert outside or address.startswith("data:") or leads_somewhere(soup, path.parent, address), (
                address[:80]
            )


def test_a_page_shows_text_formulas_tables_pictures_and_leads_on(project):
    first = page(pages.write_site(load_profile(), project / "site")[0])
    assert [math.get("display") for math in first("math")] == [
        "inline",
        "inline",
        "block",
    ] and "$" not in first.main.get_text()
    picture = first.main.img
    assert picture["src"] == f"data:image/png;base64,{PIXEL}" and picture["alt"] == "Figure: A part H"
    assert [row.get_text(" ", strip=True) for row in first("tr")] == ["unit E", "7 0.5"]
    assert "a < b" in first.find("pre", class_="printed").get_text()
    assert first.find("a", string="the other")["href"] == "02_second.html#A-part-H"
    assert first.find("a", rel="next")["href"] == "02_second.html" and not first.find("a", rel="prev")
    assert [link["href"] for link in first.find(class_="contents")("a")] == ["#" + first.h2["id"]]


def test_the_first_page_names_every_notebook_with_its_question_and_shows_the_claims(project):
    index = page(pages.write_site(load_profile(), project / "site")[-1])
    listed = [
        (entry.a["href"], entry.a.text, entry.p.get_text()) for entry in index.find(class_="questions")("li")
    ]
    assert [(place, title) for place, title, _ in listed] == [
        ("01_first.html", "1. One"),
        ("02_second.html", "2. Two"),
    ]
    assert all(question.startswith("Question. What is") for *_, question in listed)
    shown = [base64.b64decode(image["src"].split(",")[1]) for image in index.main("img")]
    assert (ROOT / "figures" / "claims.png").read_bytes() in shown


def test_a_table_has_its_box(project):
    first = page(pages.write_site(load_profile(), project / "site")[0])
    assert all(table.parent["class"] == ["table"] for table in first("table")) and first("table")


def test_an_interval_in_a_table_is_not_broken():
    made = pages.PageExporter().markdown2html(None, "| a |\n| --- |\n| +0.1 [-0.2, +0.4] |\n\n[0.1, 0.2]")
    assert [span.get_text() for span in BeautifulSoup(made, "html.parser")("span")] == ["[-0.2, +0.4]"]


def test_every_figure_of_the_notebooks_has_a_caption():
    saved = {name for source in rules.sources() for name in rules.saved_files(source)}
    known = captions.captions()
    assert {name.removesuffix(".png") for name in saved if name.endswith(".png")} <= {*known}
    assert (
        known["fig3"].startswith("**Figure 3.** A: units removed in the order") and "# " not in known["fig3"]
    )


def test_a_figure_without_a_caption_is_named(monkeypatch, tmp_path):
    (tmp_path / "notebooks").mkdir()
    source = 'unitnb.save_figure(p, "fig9", figure)\n\n# %% [markdown]\n# Some words.\n'
    (tmp_path / "notebooks" / "09_more.py").write_text(source)
    monkeypatch.setattr(captions, "project_root", lambda: tmp_path)
    with pytest.raises(ValueError, match=r"09_more.py: fig9 has no caption"):
        captions.captions()


def test_the_explorer_has_a_page_of_pictures_that_says_how_to_move_the_sliders(tmp_path):
    written = {path.stem: path for path in pages.write_site(load_profile(), tmp_path)}
    explorer = page(written["explore"])
    assert "make lab" in explorer.main.get_text() and len(explorer.main("img")) >= 2
    menu = [link["href"] for link in page(written["index"]).nav("a")]
    assert menu[-1] == "explore.html" and len(menu) == len(rules.sources()) + 2


def test_a_notebook_that_was_not_executed_is_named_with_the_command(project):
    with pytest.raises(
        FileNotFoundError, match=r"01_first.ipynb is missing.*make figures PROFILE=shapes CLASS=star"
    ):
        pages.write_site(load_profile("shapes", {"target_class": "star"}), project / "site")
    assert not (project / "site").exists()


def test_every_formula_of_the_notebooks_and_of_the_readme_is_drawn():
    for source in rules.sources():
        text = "".join(
            cell.source + "\n\n" for cell in read_source(source).cells if cell.cell_type == "markdown"
        )
        drawn = BeautifulSoup(
            pages.PageExporter().environment.from_string("{{ text | markdown2html }}").render(text=text),
            "html.parser",
        )
        formulas = len(re.findall(r"\$\$.+?\$\$", text, re.S)) + len(
            re.findall(r"(?<!\$)\$[^$]+\$(?!\$)", text)
        )
        assert len(drawn("math")) == formulas and "$" not in drawn.get_text(), source.name


def test_every_link_between_the_real_pages_leads_somewhere(tmp_path):
    for path in pages.write_site(load_profile(), tmp_path):
        soup = page(path)
        local = [link["href"] for link in soup("a", href=True) if "://" not in link["href"]]
        assert (
            local and [address for address in local if not leads_somewhere(soup, tmp_path, address)] == []
        ), path.name


def test_a_formula_that_a_browser_could_not_draw_is_an_error():
    with pytest.raises(ValueError, match=r"\$\\unheard x\$ holds a command"):
        formulas.mathml(r"\unheard x")
    with pytest.raises(ValueError, match="cannot be read"):
        formulas.mathml("x_1_2")
    with pytest.raises(ValueError, match="holds Ж"):
        formulas.mathml("Ж + 1")


def test_the_font_of_formulas_knows_their_letters_and_how_high_an_exponent_goes():
    font = TTFont(io.BytesIO(base64.b64decode(formulas.formula_font().split(",")[1])))
    letters = {ord(c) for c in "𝐹𝜀𝛽𝐻∑≥≠"}
    assert letters <= set(font.getBestCmap()) and len(font.getGlyphOrder()) < 2000  # of more than 5,000
    assert font["MATH"].table.MathConstants.SuperscriptShiftUp.Value > 0
