"""The command ``unitnb``: what the Makefile calls."""

import argparse
import os
import sys
import warnings
from pathlib import Path

from . import ONEDNN
from .profiles import load_profile, project_root


def _train(options) -> None:
    os.environ[ONEDNN] = "1"  # twice as fast; checked outputs come from the weights, not from training
    from .images import sources
    from .networks import training

    profile = _profile_of(options.profile, options.target_class)
    images = sources.open_images(profile)
    for model in options.models or [*profile.models, *(profile.extra if options.extra else ())]:
        training.train_model(profile, model, images)
    if options.extra:
        from .roles import many_models

        many_models.measure_models(profile, images)


def _run(options) -> None:
    from .notebooks.run import run

    given = {"profile": options.profile, "target_class": options.target_class, "seed": options.seed}
    defaults = {"profile": "shapes", "target_class": None, "seed": 0}
    needed = run(
        options.source,
        options.target,
        {name: value for name, value in given.items() if value != defaults[name]},
    )
    print(f"{options.source.name}: {'not measured: ' + needed if needed else f'done, {options.target}'}")


def _refresh(options) -> None:
    from .notebooks.pairs import refresh

    for path in refresh(options.runs):
        print(f"refreshed {path.relative_to(project_root())}")


def _claims(options) -> None:
    from .claims import documents, verdicts

    profile = _profile_of(options.profile, options.target_class)
    other = _profile_of(*options.diff.split("/", 1)) if options.diff else None
    entries = documents.write_claims(profile)
    if documents.is_committed(profile):
        from .claims import picture

        picture.save_picture(profile, documents.overview())
        documents.update_readme(project_root() / "README.md")
    if other:
        names = tuple(f"{p.name}/{p.target_class}" for p in (profile, other))
        print(documents.difference(entries, verdicts.load_claims(other), names))
    else:
        print("\n".join(f"{entry['id']}  {entry['verdict']:<17}  {entry['statement']}" for entry in entries))
        print(f"{documents.counts(entries)}: {profile.figures_folder / documents.DOCUMENT}")


def _sweep(options) -> None:
    from .files.atomic import remove_leftovers
    from .sweep import executors, summary, tasks, work

    names = {
        part: getattr(options, part).split(",") for part in ("models", "layers") if getattr(options, part)
    }
    names["classes"] = [] if options.classes == "all" else options.classes.split(",")
    settings = {"points": options.points} if options.points is not None else {}
    profile = load_profile(options.profile, settings)
    os.environ[ONEDNN] = "1" if profile.onednn else os.environ[ONEDNN]  # of the processes that are started
    given = tasks.tasks_of(profile, **names, overrides=settings)
    workers = (
        (lambda: executors.dask_workers(options.scheduler))
        if options.scheduler
        else (lambda: executors.processes(options.jobs))
    )
    done, failed = executors.run_all(given, work.run_task, workers)
    if done:
        remove_leftovers(next(iter(done.values())).parent)
        _show_sweep(profile, summary.read_results(done), given)
    if failed:
        reasons = "\n".join(f"  {task}: {why}" for task, why in failed.items())
        raise RuntimeError(
            f"{len(failed)} of {len(given)} tasks failed; run again for these alone:\n{reasons}"
        )


def _show_sweep(profile, results, given) -> None:
    from .sweep import summary

    print(summary.summary_table(results))
    skipped = summary.skipped_images(results)
    if skipped:
        print(f"{len(skipped)} skipped: {'; '.join(skipped[:10])}{'; ...' if len(skipped) > 10 else ''}")
    print(f"{len(results)} of {len(given)} tasks; {summary.save_summary(profile, results)}")


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
        raise RuntimeError(
            "failed: " + "; ".join(f"{name} ({logs[name].relative_to(project_root())})" for name in failed)
        )


def _html(options) -> None:
    from .site import pages

    for path in pages.write_site(_profile_of(options.profile, options.target_class), options.folder):
        print(path)


def _profile_of(name, target_class=None):
    return load_profile(name, {"target_class": target_class} if target_class else None)


def _check(options) -> None:
    from .notebooks.pairs import pair_sources, problems

    found = list(problems())
    if found:
        raise ValueError("\n".join(found))
    print(f"{len(pair_sources())} notebook pairs agree")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("unitnb", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="command")

    def command(name, action, help):
        added = commands.add_parser(name, help=help)
        added.set_defaults(action=action)
        return added

    train = command(
        "train", _train, "train the models of a profile; an interrupted run goes on where it stopped"
    )
    train.add_argument("--profile", default="shapes")
    train.add_argument(
        "--class", dest="target_class", help="a class of a folder that lacks the profile's own"
    )
    train.add_argument("--extra", action="store_true", help="the profile's further seeds and grades too")
    train.add_argument(
        "--models", "--model", nargs="*", metavar="MODEL", help="only these (default: all of the profile)"
    )
    run = command("run", _run, "execute one notebook; on failure keep the executed copy under build/failed")
    run.add_argument("source", type=Path)
    run.add_argument("target", type=Path)
    run.add_argument("--profile", default="shapes")
    run.add_argument("--class", dest="target_class", default=None)
    run.add_argument("--seed", type=int, default=0)
    claims = command(
        "claims",
        _claims,
        "judge what the notebooks measured; write claims.json, CLAIMS.md, the picture and README's table",
    )
    claims.add_argument("--profile", default="shapes")
    claims.add_argument("--class", dest="target_class", default=None)
    claims.add_argument("--diff", metavar="PROFILE[/CLASS]", help="show what differs from another run")
    sweep = command(
        "sweep",
        _sweep,
        "many classes, models and layers, on processes or a Dask cluster; a rerun goes on where it stopped",
    )
    sweep.add_argument("--profile", default="shapes")
    sweep.add_argument("--classes", default="all", metavar="all|A,B,...")
    sweep.add_argument("--models", metavar="A,B,...", help="default: all of the profile")
    sweep.add_argument(
        "--layers", metavar="all|A,B,...", help="default: the profile's studied layer; all: every convolution"
    )
    sweep.add_argument(
        "--points",
        type=int,
        help="of a curve, evenly spaced over the units (default: the profile's, or after every unit)",
    )
    sweep.add_argument(
        "--jobs", type=int, default=os.cpu_count(), help="processes on this machine (default: its cores)"
    )
    sweep.add_argument(
        "--scheduler", metavar="tcp://HOST:PORT", help="of a Dask cluster that sees this folder"
    )
    index = command(
        "index",
        _index,
        "a page over the runs of several classes (make classes); exit status 1 if one of them failed",
    )
    index.add_argument("classes", nargs="+")
    index.add_argument("--profile", default="shapes")
    html = command(
        "html", _html, "write the static site, one page an executed notebook, readable without a network"
    )
    html.add_argument("folder", type=Path, nargs="?", default=project_root() / "build" / "site")
    html.add_argument("--profile", default="shapes")
    html.add_argument("--class", dest="target_class", default=None)
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
    except (ValueError, KeyError, OSError, RuntimeError) as error:
        print(f"unitnb: {error.args[0] if isinstance(error, KeyError) else error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print(
            "unitnb: interrupted; nothing half-written was left; run it again and it goes on", file=sys.stderr
        )
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
