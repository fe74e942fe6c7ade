"""The command ``unitnb``, which the Makefile calls."""

import argparse
import os
import sys
import time
import warnings
from pathlib import Path

from . import ONEDNN, __version__
from .explorer.simplify_command import add_simplify
from .files.extras import what_is_missing
from .files.settings import named_settings
from .profiles import load_profile, project_root
from .sweep.command import add_sweep

DESCRIPTION = (
    "Single units of convolutional networks: notebooks, figures, claims. `make` has the usual ways in."
)
EXAMPLES = """for instance:
  unitnb run notebooks/03_ablation.py build/03_ablation.ipynb --class ring
  unitnb claims --profile cifar10 --diff shapes
  unitnb COMMAND --help   each argument, with an example"""
RUN_EXAMPLE = "notebooks/03_ablation.py build/03_ablation.ipynb --class ring --set n_rank=60"
PLAIN = argparse.RawDescriptionHelpFormatter  # keeps the lines of the examples


def _train(options) -> None:
    os.environ[ONEDNN] = "1"  # twice as fast; checked outputs do not depend on training
    from .images import sources
    from .networks import training

    profile = _profile_of(options.profile, options.target_class, options.set)
    images = sources.open_images(profile)
    for model in options.models or [*profile.models, *(profile.extra if options.extra else ())]:
        training.train_model(profile, model, images)
    if options.extra:
        from .controls import many_networks, rival_networks
        from .roles import many_models

        many_networks.measure_networks(profile, images)
        if not profile.layer_units:
            many_models.measure_models(profile, images)
            rival_networks.measure_rivals(profile, images)


def _run(options) -> None:
    from .notebooks.opening import ended
    from .notebooks.run import run

    given = {"profile": options.profile, "target_class": options.target_class, "seed": options.seed}
    given["overrides"] = named_settings(options.set)
    defaults: dict = {"profile": "shapes", "target_class": None, "seed": 0, "overrides": {}}
    changed = {name: value for name, value in given.items() if value != defaults[name]}
    started = time.monotonic()
    needed = run(options.source, options.target, changed)
    print(ended(options.source.stem, time.monotonic() - started, needed))


def _refresh(options) -> None:
    from .notebooks.pairs import refresh

    for path in refresh(options.runs):
        print(f"refreshed {path.relative_to(project_root())}")


def _claims(options) -> None:
    from .claims import documents, summary, verdicts
    from .images.parameters import fitted

    profile = fitted(_profile_of(options.profile, options.target_class, options.set), quiet=True)
    other = _profile_of(*options.diff.split("/", 1)) if options.diff else None
    entries = documents.write_claims(profile)
    if documents.is_committed(profile):
        from .claims import picture, readme

        picture.save_picture(profile, documents.overview())
        readme.update(project_root())
    if other:
        names = f"{profile.name}/{profile.target_class}", f"{other.name}/{other.target_class}"
        print(documents.difference(entries, verdicts.load_claims(other), names))
    else:
        if not options.brief:
            print("\n".join(f"{e['id']}  {e['verdict']:<17}  {e['statement']}" for e in entries))
        print(summary.summary(profile, entries))


def _index(options) -> None:
    from .notebooks import index_page

    runs = [_profile_of(options.profile, name) for name in options.classes]
    logs = {run.target_class: run.build / "log" / f"{run.name}-{run.target_class}.log" for run in runs}
    failed = {
        name: log.read_text(encoding="utf-8")[-2000:]
        for name, log in logs.items()
        if log.with_suffix(".failed").exists()
    }
    print(f"{len(runs) - len(failed)} of {len(runs)} classes: {index_page.write_index(runs, failed)}")
    if failed:
        places = (f"{name} ({logs[name].relative_to(project_root())})" for name in failed)
        raise RuntimeError("failed: " + "; ".join(places))


def _html(options) -> None:
    from .site import pages

    for path in pages.write_site(
        _profile_of(options.profile, options.target_class, options.set), options.folder
    ):
        print(path)


def _profile_of(name, target_class=None, settings=()):
    chosen = {"target_class": target_class} if target_class else {}
    return load_profile(name, named_settings(settings) | chosen)


def _check(options) -> None:
    from .notebooks.pairs import pair_sources, problems

    found = list(problems())
    if found:
        raise ValueError("\n".join(found))
    print(f"{len(pair_sources())} notebook pairs agree")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        "unitnb", description=DESCRIPTION, epilog=EXAMPLES, formatter_class=PLAIN
    )
    parser.add_argument("--version", action="version", version=f"unitnb {__version__}")
    commands = parser.add_subparsers(required=True, metavar="command")
    own = _add_train, _add_run, _add_claims, _add_index, _add_html, _add_checks
    for add in (*own, add_sweep, add_simplify):
        add(commands)
    return parser


def _command(
    commands, name: str, action, help: str, example: str, chosen_class: bool = False
) -> argparse.ArgumentParser:
    """A subcommand with an example, ``--profile`` and, on request, ``--class``."""
    epilog = f"for instance: unitnb {name} {example}"
    added = commands.add_parser(name, help=help, description=help, epilog=epilog)
    added.set_defaults(action=action)
    added.add_argument(
        "--profile",
        default="shapes",
        help="a file of notebooks/profiles without its ending, for instance cifar10 (default: shapes)",
    )
    if chosen_class:
        text = "a setting of the profile, for instance --set n_rank=60 --set network=my.keras"
        added.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help=text)
        text = "a class of the profile's images, for instance crescent (default: the profile's own)"
        added.add_argument("--class", dest="target_class", metavar="CLASS", help=text)
    return added


def _add_train(commands) -> None:
    help = "train the models of a profile; an interrupted run continues where it stopped"
    train = _command(commands, "train", _train, help, "--profile cifar10 --models A B", True)
    train.add_argument(
        "--extra", action="store_true", help="also the profile's further seeds and grades; they take hours"
    )
    text = "only these models, for instance: --models A B (default: all of the profile)"
    train.add_argument("--models", "--model", nargs="*", metavar="MODEL", help=text)


def _add_run(commands) -> None:
    help = "execute one notebook; a failed run leaves its executed copy under build/failed"
    run = _command(commands, "run", _run, help, RUN_EXAMPLE, True)
    run.add_argument("source", type=Path, help="a notebook's source, for instance notebooks/03_ablation.py")
    run.add_argument("target", type=Path, help="the executed notebook, for instance build/03_ablation.ipynb")
    run.add_argument(
        "--seed", type=int, default=0, help="of sample sets and bootstraps, for instance 1 (default: 0)"
    )


def _add_claims(commands) -> None:
    help = (
        "judge the notebooks' measurements; write claims.json, CLAIMS.md, the picture and README's findings"
    )
    claims = _command(commands, "claims", _claims, help, "--profile cifar10 --diff shapes", True)
    text = "show the differences from another run, for instance cifar10/cat"
    claims.add_argument("--diff", metavar="PROFILE[/CLASS]", help=text)
    claims.add_argument(
        "--brief", action="store_true", help="print only where they lie and how many have which"
    )


def _add_index(commands) -> None:
    help = "a page over the runs of several classes (make classes); exit status 1 if one of them failed"
    index = _command(commands, "index", _index, help, "ring cross")
    index.add_argument("classes", nargs="+", metavar="CLASS", help="for instance: ring cross")


def _add_html(commands) -> None:
    help = "write the static site, one page for each executed notebook, readable without network access"
    html = _command(commands, "html", _html, help, "--profile cifar10", True)
    default = project_root() / "build" / "site"
    html.add_argument(
        "folder", type=Path, nargs="?", default=default, help="for instance pages (default: build/site)"
    )


def _add_checks(commands) -> None:
    help = "write the outputs of a default run into the committed notebooks"
    refresh = commands.add_parser("refresh", help=help, description=help)
    refresh.set_defaults(action=_refresh)
    refresh.add_argument("runs", type=Path, help="executed notebooks, for instance build/runs/shapes/square")
    help = "check that the notebook pairs agree and were executed in order"
    commands.add_parser("check", help=help, description=help).set_defaults(action=_check)


def main(arguments: list[str] | None = None) -> int:
    """Run a command; errors are one message on stderr and exit status 1."""
    options = _parser().parse_args(arguments)
    warnings.showwarning = lambda message, *_: print(f"warning: {message}", file=sys.stderr)
    try:
        options.action(options)
    except (ValueError, KeyError, OSError, RuntimeError) as error:
        print(f"unitnb: {error.args[0] if isinstance(error, KeyError) else error}", file=sys.stderr)
        return 1
    except ModuleNotFoundError as error:
        print(f"unitnb: {what_is_missing(error)}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        text = "interrupted; no half-written file was left; run it again and it continues"
        print(f"unitnb: {text}", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
