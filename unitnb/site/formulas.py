"""Formulas for pages without network access: LaTeX as MathML, which browsers draw, and a font for it."""

import functools
import html
import importlib.util
import io
import re
from base64 import b64encode
from pathlib import Path

UNREAD = re.compile(r"<m[iot]>\\")  # latex2mathml leaves a command that it does not know as text

NAMED = re.compile(r"<mi>(?:ln|log|exp)</mi>")  # a function's name keeps a thin space from its argument
# For XML. HTML does not need it, and nbconvert's headings fail on it.
NAMESPACE = ' xmlns="http://www.w3.org/1998/Math/MathML"'

# Characters of the font: letters, upright and mathematical italic (browsers use those for variables), Greek,
# digits, operators, arrows.
KEPT = (
    *range(0x20, 0x7F), *range(0x391, 0x3D7), 0x210E, *range(0x1D434, 0x1D468), *range(0x1D6E2, 0x1D71C),
    0x2115, 0x211D, 0x2124, 0xA0, 0xAF, 0xB1, 0xB7, 0xD7, 0x2010, 0x2013, 0x2016, 0x2026, 0x2032, 0x203E,
    *range(0x2061, 0x2065), *range(0x2190, 0x219A), *range(0x21D0, 0x21D6), *range(0x2200, 0x2300),
    0x2308, 0x2309, 0x230A, 0x230B, 0x27E8, 0x27E9,
)  # fmt: skip


def mathml(formula: str, display: str = "inline") -> str:
    """A LaTeX formula, without its dollars, as a MathML element; ``display`` is "inline" or "block".

    Raises
    ------
    ValueError
        If it cannot be read, or holds a command or a character that cannot be drawn.

    >>> mathml("F_s")
    '<math display="inline"><mrow><msub><mi>F</mi><mi>s</mi></msub></mrow></math>'
    """
    from latex2mathml.converter import convert

    try:
        drawn = convert(formula, display=display)
    except Exception as error:  # latex2mathml's dozen classes of errors have no common base
        raise ValueError(
            f"formula ${formula}$ cannot be read ({type(error).__name__}); write it in plainer LaTeX"
        ) from error
    if UNREAD.search(drawn):
        raise ValueError(
            f"formula ${formula}$ holds a command that cannot be drawn as MathML; write it in plainer LaTeX"
        )
    text = html.unescape(re.sub(r"<[^>]*>", "", drawn))
    foreign = sorted({character for character in text if ord(character) not in KEPT})
    if foreign:
        raise ValueError(
            f"formula ${formula}$ holds {', '.join(foreign)}, "
            "which the font of the pages leaves out (formulas.KEPT)"
        )
    return NAMED.sub(r'\g<0><mspace width="0.17em"/>', drawn.replace(NAMESPACE, "", 1))


@functools.cache
def formula_font() -> str:
    """The characters ``KEPT`` of the font STIX Two Math (Open Font License), as a data URL.

    The font has a table of mathematical spacing. Browsers need one to place exponents, and few systems have
    such a font.
    """
    from fontTools import subset

    # The file is enough; importing ziamath causes warnings.
    package = importlib.util.find_spec("ziamath")
    if package is None or package.origin is None:
        raise ModuleNotFoundError("the font of the formulas needs the package 'ziamath'; pip install ziamath")
    options = subset.Options(flavor="woff", layout_features=["ssty", "dtls", "flac"], hinting=False)
    part, written = subset.Subsetter(options), io.BytesIO()
    part.populate(unicodes=KEPT)
    with subset.load_font(Path(package.origin).parent / "fonts" / "STIXTwoMath-Regular.ttf", options) as font:
        part.subset(font)
        subset.save_font(font, written, options)
    return f"data:font/woff;base64,{b64encode(written.getvalue()).decode()}"
