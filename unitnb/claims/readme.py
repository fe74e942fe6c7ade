"""README's numbers and ``figures/README.md``, from templates and the records of the runs.

A number that depends on a run is never typed: README has it between markers, and a test compares.
"""

import re
import textwrap
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from ..figures.captions import captions
from ..figures.words import table
from ..files import store
from .criteria import CLAIMS
from .documents import SYMBOLS, overview
from .grades import VERDICTS
from .records import Records

TEMPLATES = Path(__file__).with_name("templates")
BLOCK = re.compile(r"(<!-- (\w+): made by `unitnb claims` -->\n).*?(<!-- end -->)", re.S)
PRETRAINED = "imagenette"  # the run that README's sentences are about
TRAINED = "imagenette-vgg-block"  # trained here on photographs of ImageNet; beside it those of small images
SMALL_IMAGES = ("shapes", "cifar10")
WIDTH = 120  # of README's lines


def _environment():
    """Jinja's, with the forms of numbers; an unknown name in a template is an error."""
    import jinja2

    found = jinja2.Environment(loader=jinja2.FileSystemLoader(TEMPLATES), undefined=jinja2.StrictUndefined)
    found.filters |= {"percent": percent, "signed": signed, "said": said}
    return found


def percent(share: float | str) -> str:
    """A share as a percentage; a threshold that was not reached stays "never".

    >>> percent(0.193), percent("never")
    ('19%', 'never')
    """
    return share if isinstance(share, str) else f"{share:.0%}"


def signed(number: float) -> str:
    """A number with its sign and two decimals.

    >>> signed(0.228)
    '+0.23'
    """
    return f"{number:+.2f}"


def said(answer: Mapping[str, str]) -> str:
    """An answer of ``controls.md`` inside a sentence about E.

    >>> said({"answer": "no: E is worse", "number": "-0.03 [-0.05, -0.02]"})
    'it is worse (-0.03 [-0.05, -0.02])'
    """
    words = answer["answer"].removeprefix("yes: ").removeprefix("no: ")
    return f"{words.replace('E is', 'it is')} ({answer['number']})"


def _rendered(name: str, records: Records, **values) -> str:
    template = _environment().get_template(f"{name}.md.j2")
    return template.render(r=records, verdicts=VERDICTS, **values).strip()


def wrapped(text: str) -> str:
    """Lines of at most ``WIDTH`` characters; rows of tables stay, each item of a list begins anew."""
    paragraphs = re.split(r"\n+(?=- |\|)", text.strip())
    return "\n".join(part if part.startswith("|") else _filled_paragraph(part) for part in paragraphs)


def _filled_paragraph(text):
    indent = "  " * text.startswith("- ")
    plain = " ".join(text.split())
    return textwrap.fill(
        plain, WIDTH, subsequent_indent=indent, break_on_hyphens=False, break_long_words=False
    )


def filled(readme: str, records: Records) -> str:
    """README with what stands between its markers made anew."""
    return BLOCK.sub(lambda found: f"{found[1]}{wrapped(_rendered(found[2], records))}\n{found[3]}", readme)


def gallery(runs: Mapping) -> str:
    """The text of ``figures/README.md``: findings, the table of all claims, every figure with its caption."""
    missing = [f"`{name}`: {why}." for name, why in runs.items() if isinstance(why, str)]
    legend = ", ".join(f"{symbol} {name}" for name, symbol in SYMBOLS.items())
    values = {"captions": captions(), "claims": CLAIMS, "not_run": missing, "legend": legend}
    tables = {"claims_table": claims_table(runs), "differences": differences_table(runs), "trained": TRAINED}
    text = _rendered("gallery", Records(runs), **tables, **values)
    return re.sub(r"\n{3,}", "\n\n", text) + "\n"


def claims_table(runs: Mapping) -> str:
    """All claims with the paper's number and, for each run, the verdict's symbol and the effect."""
    columns = [name for name, run in runs.items() if not isinstance(run, str)]
    return _claim_rows(runs, columns, range(len(CLAIMS)))


def differences_table(runs: Mapping) -> str:
    """The claims that are judged otherwise on photographs of ImageNet than on small images, of either run.

    Empty where one of these was not run.
    """
    columns = [*SMALL_IMAGES, TRAINED]
    if any(isinstance(runs.get(name, ""), str) for name in columns):
        return ""
    verdicts = [{runs[name][number]["verdict"] for name in columns} for number in range(len(CLAIMS))]
    here = [entry["verdict"] for entry in runs[TRAINED]]
    differing = [n for n in range(len(CLAIMS)) if verdicts[n] != {here[n]}]
    return _claim_rows(runs, columns, differing)


def _claim_rows(runs: Mapping, columns: Sequence[str], numbers: Iterable[int]) -> str:
    rows = [
        [f"**{claim.id}** {claim.statement} ({claim.place})", claim.paper, effect_of(claim)]
        + [_cell(runs[name][number], effect_of(claim)) for name in columns]
        for number, claim in ((number, CLAIMS[number]) for number in numbers)
    ]
    header = ["claim", "paper", "number here", *(f"`{name}`" for name in columns)]
    return table(header, [[str(cell).replace("|", "\\|") for cell in row] for row in rows])


def effect_of(claim) -> str:
    """The name of the number that tells how large a claim's effect is; "" where it has none."""
    return getattr(claim, "effect", "")


def _cell(entry, effect) -> str:
    measured, symbol = entry["measured"], SYMBOLS[entry["verdict"]]
    if effect not in measured:
        return symbol
    ends = [measured.get(f"{end}, {effect}") for end in ("low", "high")]
    ends = entry["interval"] or [] if None in ends else ends
    return f"{symbol} {_text(measured[effect])}" + (f" [{_text(ends)}]" if ends else "")


def _text(value) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def update(root: Path) -> bool:
    """Write README's numbers and ``figures/README.md``; False where the pretrained run is not there."""
    runs = overview()
    if isinstance(runs[PRETRAINED], str):
        return False
    readme = root / "README.md"
    texts = {readme: filled(readme.read_text(encoding="utf-8"), Records(runs))}
    for path, text in (texts | {root / "figures" / "README.md": gallery(runs)}).items():
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            store.write_text(path, text)
    return True
