"""The command ``unitnb``: what the Makefile calls."""

import argparse
import os
import sys
import warnings
from pathlib import Path

from .profiles import load_profile, project_root


def _train(options) -> None:
    os.environ["TF_ENABLE_ONEDNN_OPTS"] = "1"  # twice as fast; checked outputs come from the weights, not from training
    from . import data, training

    profile = _profile_of(options.profile, options.target_class)
    images = data.open_images(profile)
    for model in options.models or [*profile.models, *(profile.extra if options.extra else ())]:
        training.train_model(profile, model, images)
    if options.extra:
        from . import extra

        extra.measure_models(profile, images)


def _run(options) -> None:
    from . import notebooks

    given = {"profile": options.profile, "target_class": options.target_class, "seed": options.seed}
    defaults = {"profile": "shapes", "target_class": None, "seed": 0}
    notebooks.run(options.source, options.target, {name: value for name, value in given.items() if value != defaults[name]})
    print(f"{options.source.name}: done, {options.target}")


def _refresh(options) -> None:
    from . import notebooks

    for path in notebooks.refresh(options.runs):
        print(f"refreshed {path.relative_to(project_root())}")


def _claims(options) -> None:
    from . import claim_documents, verdicts

    profile = _profile_of(options.profile, options.target_class)
    entries = claim_documents.write_claims(profile)
    if claim_documents.is_committed(profile):
        from . import claims_figure

        claims_figure.save_picture(profile, claim_documents.overview())
        claim_documents.update_readme(project_root() / "README.md")
    if options.diff:
        other = _profile_of(*options.diff.split("/", 1))
        names = tuple(f"{p.name}/{p.target_class}" for p in (profile, other))
        print(claim_documents.difference(entries, verdicts.load_claims(other), names))
    else:
        print("\n".join(f"{entry['id']}  {entry['verdict']:<17}  {entry['statement']}" for entry in entries))
        print(f"{claim_documents.counts(entries)}: {profile.figures_folder / claim_documents.DOCUMENT}")


def _profile_of(name, target_class=None):
    return load_profile(name, {"target_class": target_class} if target_class else None)


def _check(options) -> None:
    from . import notebooks

    found = list(notebooks.problems())
    if found:
        raise ValueError("\n".join(found))
    print(f"{len(notebooks.sources())} notebook pairs agree")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("unitnb", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="command")

    def command(name, action, help):
        added = commands.add_parser(name, help=help)
        added.set_defaults(action=action)
        return added

    train = command("train", _train, "train the models of a profile; an interrupted run goes on where it stopped")
    train.add_argument("--profile", default="shapes")
    train.add_argument("--class", dest="target_class", help="a class of a folder that lacks the profile's own")
    train.add_argument("--extra", action="store_true", help="the profile's further seeds and grades too")
    train.add_argument("--models", "--model", nargs="*", metavar="MODEL", help="only these (default: all of the profile)")
    run = command("run", _run, "execute one notebook; on failure keep the executed copy under build/failed")
    run.add_argument("source", type=Path)
    run.add_argument("target", type=Path)
    run.add_argument("--profile", default="shapes")
    run.add_argument("--class", dest="target_class", default=None)
    run.add_argument("--seed", type=int, default=0)
    claims = command("claims", _claims, "judge what the notebooks measured; write claims.json, CLAIMS.md, the picture and README's table")
    claims.add_argument("--profile", default="shapes")
    claims.add_argument("--class", dest="target_class", default=None)
    claims.add_argument("--diff", metavar="PROFILE[/CLASS]", help="show what differs from another run")
    refresh = command("refresh", _refresh, "write the outputs of a default run into the committed notebooks")
    refresh.add_argument("runs", type=Path)
    command("check", _check, "check that the notebook pairs agree and were executed in order")
    return parser


def main(arguments: list[str] | None = None) -> int:
    """Run a command; errors are one message on stderr and exit status 1."""
    options = _parser().parse_args(arguments)
    warnings.showwarning = lambda message, *_: print(f"warning: {message}", file=sys.stderr)
    try:
        options.action(options)
    except (ValueError, KeyError, FileNotFoundError, RuntimeError) as error:
        print(f"unitnb: {error.args[0] if error.args else error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("unitnb: interrupted; nothing half-written was left", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
