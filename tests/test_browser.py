"""The notebooks in JupyterLab and the site as files, in a headless Chromium: ``make test-browser``.

Screenshots go to build/browser/, to be looked at.
"""

import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

import unitnb
from unitnb.files.processor import common_arithmetic
from unitnb.notebooks import rules
from unitnb.profiles import load_profile
from unitnb.site.pages import write_site

pytestmark = pytest.mark.browser

ROOT = Path(unitnb.__file__).parents[1]
SHOTS = ROOT / "build" / "browser"
FLAGS = (
    "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync"
)
# A minute each, and run by nbval: here they are opened and their outputs looked for.
LONG = ("06_controls", "07_simplification")
SIZES = {"phone": (390, 844), "desktop": (1400, 900)}


@pytest.fixture(scope="session")
def browser():
    """Chromium, or a skip that says how to get it."""
    playwright = pytest.importorskip(
        "playwright.sync_api", reason="no playwright: install the package's extra 'test'"
    )
    found = next(
        (path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))),
        None,
    )
    if not found:
        pytest.skip("no Chromium on the path: install it, for instance with: apt-get install chromium")
    with playwright.sync_playwright() as engine:
        launched = engine.chromium.launch(executable_path=found, args=FLAGS.split())
        yield launched
        launched.close()


# ---- the notebooks in JupyterLab ----


@pytest.fixture(scope="session")
def folder(tmp_path_factory):
    """A copy of what a reader opens, in which notebooks may be run, saved and edited."""
    copy = tmp_path_factory.mktemp("lab")
    shutil.copytree(
        ROOT / "notebooks",
        copy / "notebooks",
        ignore=shutil.ignore_patterns(".ipynb_checkpoints", "__pycache__"),
    )
    shutil.copy(ROOT / "pyproject.toml", copy)  # with the settings of jupytext
    (copy / "build").symlink_to(ROOT / "build")  # the drawn images are not drawn again
    return copy


@pytest.fixture(scope="session")
def server(folder):
    """The address of a JupyterLab server as `make lab` starts it, without a browser of its own."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    address = f"http://127.0.0.1:{port}"
    variables = {
        "UNITNB_ROOT": str(folder),
        "UNITNB_FIGURES": str(folder / "figures"),
        "JUPYTER_PREFER_ENV_PATH": "1",
        **common_arithmetic(),
    }
    variables |= {
        f"JUPYTER_{kind}_DIR": str(folder / "jupyter" / kind.lower())
        for kind in ("CONFIG", "RUNTIME", "DATA")
    }
    options = (
        "--no-browser --allow-root --notebook-dir=. --IdentityProvider.token= --expose-app-in-browser".split()
    )
    with open(folder / "server.log", "wb") as log:
        command = [sys.executable, "-m", "jupyterlab", *options, f"--ServerApp.port={port}"]
        started = subprocess.Popen(
            command, cwd=folder, env={**os.environ, **variables}, stdout=log, stderr=log
        )
        yield wait_for(address, started, folder / "server.log")
        started.terminate()
        started.wait(timeout=30)


def wait_for(address, started, log):
    for _ in range(120):
        assert started.poll() is None, log.read_text()
        try:
            urllib.request.urlopen(f"{address}/api", timeout=1).close()
            return address
        except OSError:
            time.sleep(0.5)
    raise TimeoutError(f"JupyterLab did not start within a minute: {log.read_text()}")


@pytest.fixture
def page(browser):
    context = browser.new_context(viewport={"width": 1400, "height": 1000})
    opened = context.new_page()
    opened.set_default_timeout(90_000)  # for a busy machine
    yield opened
    opened.evaluate("() => window.jupyterapp?.serviceManager.sessions.shutdownAll()")
    context.close()


CELLS = "() => jupyterapp.shell.currentWidget.content.model.sharedModel.toJSON().cells"
READY = (
    "() => window.jupyterapp?.shell?.currentWidget?.context?.isReady "
    "&& jupyterapp.shell.currentWidget.content.model?.cells?.length > 0"
)
OPEN_WITH = """async ([path, factory]) => {
    await jupyterapp.restored;
    await jupyterapp.commands.execute('docmanager:open', {path, factory});
}"""
IDLE = "() => jupyterapp.shell.currentWidget.sessionContext.session.kernel.status == 'idle'"
RUN_ALL = """async () => {
    await jupyterapp.shell.currentWidget.sessionContext.ready;
    return await jupyterapp.commands.execute('notebook:run-all-cells');
}"""


def open_notebook(page, server, name):
    page.goto(f"{server}/doc/tree/notebooks/{name}")
    page.wait_for_function(READY)


def open_with(page, server, name, kind="Jupytext Notebook"):
    """Open a file by the entry "Open With" of the file browser's menu."""
    page.goto(f"{server}/lab?reset")
    page.wait_for_function("() => window.jupyterapp?.docRegistry.getWidgetFactory('Jupytext Notebook')")
    page.evaluate(OPEN_WITH, [f"notebooks/{name}", kind])
    page.wait_for_function(READY)


def run_all(page):
    """Run every cell as a reader does, and return the code cells."""
    page.evaluate(RUN_ALL)
    return code_cells(page)


def code_cells(page):
    return [cell for cell in page.evaluate(CELLS) if cell["cell_type"] == "code"]


def errors(cells):
    return [
        output["evalue"] for cell in cells for output in cell["outputs"] if output["output_type"] == "error"
    ]


def pictures(page):
    """Widths of the pictures that are shown, loaded by the browser."""
    return page.evaluate(
        "() => [...document.querySelectorAll('.jp-OutputArea-output img')].map(image => image.naturalWidth)"
    )


def shot(page, name):
    SHOTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SHOTS / f"{name}.png")


@pytest.mark.parametrize("name", [source.stem for source in rules.sources() if source.stem not in LONG])
def test_a_notebook_runs_in_the_lab(page, server, name):
    open_notebook(page, server, f"{name}.ipynb")
    cells = run_all(page)
    assert errors(cells) == [] and all(cell["execution_count"] for cell in cells)
    assert pictures(page) and min(pictures(page)) > 100
    page.locator(".jp-OutputArea-output img").first.scroll_into_view_if_needed()
    shot(page, f"lab-{name}")


def test_running_and_saving_a_notebook_changes_nothing(page, server, folder):
    """But for the version of Python, and pixels of pictures on a processor without AVX2."""
    open_notebook(page, server, "01_method.ipynb")
    assert errors(run_all(page)) == []
    page.evaluate("() => jupyterapp.commands.execute('docmanager:save')")
    page.wait_for_function("() => !jupyterapp.shell.currentWidget.context.model.dirty")
    halves = [
        [(where / "notebooks" / f"01_method{end}").read_text() for end in (".py", ".ipynb")]
        for where in (folder, ROOT)
    ]
    saved, committed = ([text, without_pixels(notebook)] for text, notebook in halves)
    assert saved == committed


def without_pixels(notebook):
    return re.sub(r'"image/png": ".*?"|^   "version": ".*?"', "", notebook, flags=re.M)


@pytest.mark.parametrize("name", LONG)
def test_a_long_notebook_opens_with_its_outputs(page, server, name):
    open_notebook(page, server, f"{name}.ipynb")
    page.locator(".jp-OutputArea-output img").first.scroll_into_view_if_needed()
    cells = code_cells(page)
    assert (
        errors(cells) == [] and all(cell["execution_count"] for cell in cells) and min(pictures(page)) > 100
    )
    shot(page, f"lab-{name}")


def test_the_other_half_of_a_pair_opens_as_a_notebook_with_the_outputs(page, server):
    open_with(page, server, "04_stability.py")
    assert any(cell["outputs"] for cell in code_cells(page)) and errors(code_cells(page)) == []


def test_the_kernel_is_that_of_the_environment(page, server, folder):
    header = (ROOT / "notebooks" / "explore.py").read_text().split("# %%")[0]
    (folder / "notebooks" / "which.py").write_text(f"{header}# %%\nimport sys\n\nprint(sys.prefix)\n")
    open_with(page, server, "which.py")
    assert "".join(run_all(page)[0]["outputs"][0]["text"]).strip() == sys.prefix


def test_an_edit_of_the_text_half_is_seen_after_a_reload_and_the_outputs_stay(page, server, folder):
    open_notebook(page, server, "06_controls.ipynb")
    before = [cell["outputs"] for cell in code_cells(page)]
    source = folder / "notebooks" / "06_controls.py"
    source.write_text(
        source.read_text().replace("# # 6. Does the topology matter?", "# # 6. Edited in an editor")
    )
    os.utime(source, (time.time() + 2, time.time() + 2))
    page.reload()
    page.wait_for_function(READY)
    assert page.evaluate(CELLS)[0]["source"].startswith("# 6. Edited in an editor")
    assert [cell["outputs"] for cell in code_cells(page)] == before and any(before)


SHOWN = """() => {
    const pictures = [...document.querySelectorAll('img.widget-image')];
    return pictures.length == 2 && pictures.every(picture => picture.complete && picture.naturalWidth > 100);
}"""


def test_the_slider_of_the_explorer_changes_its_picture(page, server):
    open_notebook(page, server, "explore.ipynb")
    assert errors(run_all(page)) == []
    row = page.locator(".widget-hslider", has_text="level of v")
    picture, handle = page.locator("img.widget-image").first, row.locator(".noUi-handle")
    picture.scroll_into_view_if_needed()
    page.wait_for_function(SHOWN)
    number, before = row.locator(".widget-readout").inner_text(), picture.get_attribute("src")
    shot(page, "lab-explore-before")
    handle.focus()
    for _ in range(4):
        handle.press("ArrowLeft")
    page.wait_for_function("before => document.querySelector('img.widget-image').src != before", arg=before)
    assert int(row.locator(".widget-readout").inner_text()) == int(number) - 4
    page.wait_for_function(IDLE)  # all four steps are drawn
    page.wait_for_function(SHOWN)
    shot(page, "lab-explore-after")
    said, span = (
        page.locator(".widget-html", has_text="units in place").last,
        page.locator(".widget-hslider", has_text="units in place"),
    )
    shares = said.inner_text()
    span.locator(".noUi-handle").last.focus()
    span.locator(".noUi-handle").last.press("PageDown")
    page.wait_for_function(
        "before => ![...document.querySelectorAll('.widget-html')].some(e => e.innerText == before)",
        arg=shares,
    )


# ---- the site from the file system ----


@pytest.fixture(scope="session")
def pages(tmp_path_factory):
    return write_site(load_profile(), tmp_path_factory.mktemp("site"))


@pytest.fixture
def offline(browser):
    """A page without a network, and what it asked for."""
    context = browser.new_context(offline=True)
    opened, asked = context.new_page(), []
    opened.on("request", lambda request: asked.append(request.url.split(":")[0]))
    yield opened, asked
    context.close()


SMALLER_SIDE = """() => [...document.querySelectorAll('math')].map(math => math.getBoundingClientRect())
    .map(box => Math.min(box.width, box.height))"""


def test_every_picture_and_formula_is_shown_without_a_network(offline, pages):
    page, asked = offline
    for path in pages:
        page.goto(path.as_uri())
        page.evaluate("() => document.fonts.ready")
        text = path.read_text(encoding="utf-8")
        widths = page.evaluate(
            "() => [...document.images].map(image => image.complete && image.naturalWidth)"
        )
        sizes = page.evaluate(SMALLER_SIDE)
        assert len(widths) == text.count("<img") and all(width > 100 for width in widths), path.name
        assert len(sizes) == text.count("<math") and all(size > 3 for size in sizes), path.name
        assert not sizes or page.evaluate("() => [...document.fonts].map(font => font.status)") == [
            "loaded"
        ], path.name
    assert set(asked) <= {"file", "data"}


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", SIZES)
def test_pages_fit_the_window_and_follow_the_colour_scheme(offline, pages, size, scheme):
    page, _ = offline
    page.set_viewport_size(dict(zip(("width", "height"), SIZES[size], strict=True)))
    page.emulate_media(color_scheme=scheme)
    for path in pages:
        page.goto(path.as_uri())
        assert page.evaluate("() => document.documentElement.scrollWidth - innerWidth") <= 0, path.name
        ink, ground = (
            page.evaluate(f"() => getComputedStyle(document.body).{name}")
            for name in ("color", "backgroundColor")
        )
        assert (brightness(ink) < brightness(ground)) == (scheme == "light")
        shot(page, f"site-{path.stem}-{size}-{scheme}")


def brightness(colour):
    return sum(map(int, re.findall(r"\d+", colour)[:3]))


def test_on_paper_all_code_is_there_and_the_navigation_is_not(offline, pages):
    page, _ = offline
    page.goto(pages[0].as_uri())
    page.emulate_media(media="print")
    code = page.evaluate(
        "() => [...document.querySelectorAll('details pre')].map(code => code.getBoundingClientRect().height)"
    )
    folded = page.evaluate("() => document.querySelectorAll('details:not([open])').length")
    assert folded and all(height > 10 for height in code)
    assert page.evaluate(
        "() => [...document.querySelectorAll('nav')].every(nav => !nav.getBoundingClientRect().height)"
    )
