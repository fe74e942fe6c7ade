"""The static site: one page for each notebook, readable without network access.

Pages have no scripts, no fonts or styles from elsewhere, and mathematics as MathML, which browsers draw.
nbconvert makes them with the template in ``template/``.
"""

import itertools
import re
from base64 import b64encode
from collections.abc import Sequence
from pathlib import Path

import markupsafe
import nbformat
from bs4 import BeautifulSoup
from jinja2 import pass_context
from nbconvert import HTMLExporter
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath
from pygments.formatters import HtmlFormatter

from ..files import store
from ..files.settings import class_folder
from ..notebooks.rules import sources
from ..profiles import Profile, load_profile, project_root
from .formulas import formula_font, mathml

TABLE = re.compile(r"<table>.*?</table>", re.S)
INTERVAL, UNBROKEN = re.compile(r"\[[-+\d.]+, [-+\d.]+\]"), r'<span class="interval">\g<0></span>'
EXPLORER = "explore"
HOW_TO_EXPLORE = (
    "**The sliders need a running notebook.** `make lab`, open `notebooks/explore.ipynb`, *Run* → *Run All "
    "Cells*. This page shows the same for one choice: the unit at the head of the rank."
)


class PageRenderer(IPythonRenderer):
    """nbconvert's Markdown, with mathematics as MathML and links between notebooks changed to their pages."""

    def inline_math(self, body: str) -> str:
        """``$...$`` as MathML."""
        return mathml(body)

    def block_math(self, body: str) -> str:
        """``$$...$$`` as MathML."""
        return mathml(body, "block")

    def latex_environment(self, name: str, body: str) -> str:
        """A LaTeX environment as MathML."""
        return mathml(rf"\begin{{{name}}}{body}\end{{{name}}}", "block")

    def link(self, text: str, url: str, title: str | None = None) -> str:
        """A link; one to a notebook leads to its page, one to another file of the project is plain text."""
        if "://" not in url:
            url = re.sub(r"^(?:\./|notebooks/)?(\w+)\.ipynb", r"\1.html", url)
            if not re.match(r"\w*\.html|#", url):
                return text
        return super().link(text, url, title)

    def image(self, text: str, url: str, title: str | None = None) -> str:
        """A picture of the project, within the page."""
        return super().image(text, picture(url), title)


class PageExporter(HTMLExporter):
    """A notebook as a page; ``template/index.html.j2`` is its form."""

    def __init__(self, **settings):
        folders = [str(Path(__file__).parent)]
        super().__init__(template_name="template", extra_template_basedirs=folders, **settings)

    def default_filters(self):
        """nbconvert's filters, and the template's own."""
        yield from super().default_filters()
        yield "pieces", pieces

    @pass_context
    def markdown2html(self, context, source: str) -> str:
        """Markdown as HTML, by :class:`PageRenderer`."""
        made = MarkdownWithMath(renderer=PageRenderer(escape=False)).render(source)
        return TABLE.sub(lambda found: f'<div class="table">{INTERVAL.sub(UNBROKEN, found[0])}</div>', made)


# ---- parts of a page ----


def title_and_question(notebook) -> tuple[str, str]:
    """The title of a notebook and its question, as Markdown; both are in its first cell.

    The question is "" if there is none. ValueError if there is no title.
    """
    first = notebook.cells[0].source
    title = re.search(r"^# (.+)", first, re.M)
    question = re.search(r"^\*\*Question\.?\*\*.*?(?=\n\n|\Z)", first, re.M | re.S)
    if title is None:
        raise ValueError(f"the first cell has no title; expected a line '# ...' in: {first[:80]!r}")
    return title[1], question[0] if question else ""


def describe_pictures(notebook) -> None:
    """Give the pictures of each cell the heading above them as alternative text."""
    heading = ""
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            heading = (re.findall(r"^#+ (.+)", cell.source, re.M) or [heading])[-1]
        elif cell.cell_type == "code":
            cell.metadata["alt"] = f"Figure: {re.sub(r'[$*`]', '', heading)}"


def pieces(printed: str) -> list[str]:
    """The output of a cell, with its Markdown tables (lines that begin with ``| ``) apart from the rest.

    >>> pieces("a\\n| b |\\n| c |\\nd\\n")
    ['a\\n', '| b |\\n| c |\\n', 'd\\n']
    """
    groups = itertools.groupby(printed.splitlines(keepends=True), lambda line: line.startswith("| "))
    return ["".join(lines) for _, lines in groups]


def headings(body: str) -> list[tuple[str, str]]:
    """(anchor, text) of each section of a page."""
    found = BeautifulSoup(body, "html.parser").select("h2[id]")
    return [(str(heading["id"]), heading.get_text().rstrip("¶")) for heading in found]


def colours() -> str:
    """The style sheet of code, for light and dark displays."""
    light, dark = (
        HtmlFormatter(style=style).get_style_defs(".highlight") for style in ("default", "github-dark")
    )
    return f"{light}\n@media screen and (prefers-color-scheme: dark) {{\n{dark}\n}}"


def _resources(**more) -> dict:
    style = (Path(__file__).parent / "template" / "style.css").read_text(encoding="utf-8")
    typeface = f'@font-face {{ font-family: Formulas; src: url("{formula_font()}"); }}'
    return {"style": markupsafe.Markup("\n".join([typeface, colours(), style])), "contents": headings, **more}


# ---- the pages ----


def executed(profile: Profile) -> Path:
    """The folder of executed notebooks.

    It is that of the committed pairs for the default profile and class, else that of the last ``make
    figures``.
    """
    own = load_profile()
    if (profile.name, profile.target_class) == (own.name, own.target_class):
        return project_root() / "notebooks"
    return profile.build / "runs" / profile.name / class_folder(profile.target_class)


def read_notebooks(profile: Profile) -> dict:
    """The executed notebooks by name, in the order of the paper, and the explorer as it is committed.

    Raises
    ------
    FileNotFoundError
        If one has not been executed. The text gives its name and the command that does it.
    """
    folder, found = executed(profile), {}
    for source in sources():
        path = folder / f"{source.stem}.ipynb"
        if not path.exists():
            command = f"make figures PROFILE={profile.name} CLASS={profile.target_class}"
            raise FileNotFoundError(
                f"{path} is missing; the site is made of executed notebooks, so run first: {command}"
            )
        found[source.stem] = nbformat.read(path, as_version=4)
    explorer = project_root() / "notebooks" / f"{EXPLORER}.ipynb"
    return found | ({EXPLORER: explorer_notebook(explorer)} if explorer.exists() else {})


def introduction(readme: str) -> str:
    """README's opening, between its title and its first section; the site has it too."""
    return readme.split("\n## ")[0].split("\n", 1)[1].strip()


def picture(place: str) -> str:
    """A picture of the project as a data URL; an address elsewhere stays as it is."""
    if "://" in place or place.startswith("data:"):
        return place
    return f"data:image/png;base64,{b64encode((project_root() / place).read_bytes()).decode()}"


def explorer_notebook(path: Path):
    """The explorer as it is committed: pictures of one choice, and how to move the sliders."""
    notebook = nbformat.read(path, as_version=4)
    for cell in notebook.cells:
        if cell.source.strip() == "unitnb.explore()":
            cell.outputs = [nbformat.v4.new_output("display_data", {"text/markdown": HOW_TO_EXPLORE})]
    return notebook


def write_site(profile: Profile, folder: Path) -> list[Path]:
    """Write ``index.html`` and one page for each notebook into ``folder``; returns the paths.

    Each page is one file that needs no other. All pages are made before the first is written, so an error
    leaves the old site in place.

    Raises
    ------
    FileNotFoundError
        If a notebook has not been executed.
    ValueError
        If a formula cannot be drawn.
    """
    read, exporter = read_notebooks(profile), PageExporter()
    pages = [(name, *title_and_question(notebook)) for name, notebook in read.items()]
    written = {}
    for place, (name, notebook) in enumerate(read.items()):
        describe_pictures(notebook)
        run = load_profile() if name == EXPLORER else profile
        resources = _resources(pages=pages, place=place, run=run)
        written[name], _ = exporter.from_notebook_node(notebook, resources)
    written["index"] = _index(exporter, pages, profile)
    return _write(folder, written)


def _index(exporter: PageExporter, pages: Sequence[tuple[str, str, str]], profile: Profile) -> str:
    template = exporter.environment.get_template("start.html.j2")
    readme = introduction((project_root() / "README.md").read_text(encoding="utf-8"))
    resources = _resources(pages=pages, place=-1, run=profile)
    return template.render(resources=resources, introduction=readme, claims=picture("figures/claims.png"))


def _write(folder: Path, written: dict[str, str]) -> list[Path]:
    paths = [folder / f"{name}.html" for name in written]
    for path, text in zip(paths, written.values(), strict=True):
        store.write_text(path, text)
    return paths
