"""The options of ``unitnb simplify``; Keras is imported only when it runs."""

from pathlib import Path

WORDS = {  # the scores of 07_simplification, by the word that the command takes
    "e": "E",
    "rate": "rate",
    "1/h": "1/H",
    "mean-activation": "mean activation",
    "l1": "L1",
    "apoz": "APoZ",
    "taylor": "Taylor",
    "shapley": "Shapley",
}
DEFAULT = "taylor"  # the best of 07_simplification
EXAMPLE = (
    "for instance: unitnb simplify --model my.keras --layer conv5 --data photos --keep 0.5 --out small.keras"
)


def add_simplify(commands) -> None:
    """Add the command to argparse's subcommands."""
    help = "write a smaller copy of your own model, without the units of a layer that matter least"
    parser = commands.add_parser("simplify", help=help, description=help, epilog=EXAMPLE)
    parser.set_defaults(action=_simplify)
    text = "a .keras or .h5 file, for instance my.keras; it stays as it is"
    parser.add_argument("--model", type=Path, required=True, metavar="FILE", help=text)
    text = "a name, or a path into nested models, for instance conv5"
    parser.add_argument("--layer", required=True, help=text)
    text = "for instance photos: photos/train/<class>/ scores the units, photos/test/<class>/ judges"
    parser.add_argument("--data", type=Path, required=True, metavar="FOLDER", help=text)
    parser.add_argument("--keep", type=float, metavar="SHARE", help="of the layer's units, for instance 0.5")
    text = f"{', '.join(WORDS)} (default: {DEFAULT}, which 07_simplification found best)"
    parser.add_argument("--by", default=DEFAULT, metavar="SCORE", help=text)
    text = "in place of --keep: the numbers of the units that go, from 0, for instance 3 17"
    parser.add_argument("--remove", type=int, nargs="+", metavar="UNIT", help=text)
    text = "the smaller model, for instance small.keras, written whole or not at all"
    parser.add_argument("--out", type=Path, required=True, metavar="FILE", help=text)
    text = "a setting of the profile own, for instance --set scaling=unit --set class_names=names.txt"
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help=text)


def _simplify(options) -> None:
    from .simplify import simplify

    given = options.model, options.layer, options.data, options.out, options.keep, options.by
    print(simplify(*given, options.remove, options.set))
