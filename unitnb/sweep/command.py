"""The command ``unitnb sweep`` and its options; what computes is imported only when it runs."""

import os

from .. import ONEDNN
from ..files.settings import named_settings
from ..profiles import load_profile


def add_sweep(commands) -> None:
    """Add the command to argparse's subcommands."""
    help = (
        "many classes, models and layers, on processes or a Dask cluster; a rerun continues where it stopped"
    )
    example = "for instance: unitnb sweep --profile shapes --classes ring,cross --models A --points 33"
    sweep = commands.add_parser("sweep", help=help, description=help, epilog=example)
    sweep.set_defaults(action=_sweep)
    text = "a file of notebooks/profiles without its ending, for instance cifar10 (default: shapes)"
    sweep.add_argument("--profile", default="shapes", help=text)
    text = "a setting of the profile, for instance --set network=my.keras"
    sweep.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help=text)
    text = "for instance ring,cross (default: all classes)"
    sweep.add_argument("--classes", default="all", metavar="all|A,B,...", help=text)
    text = "for instance A,B (default: all trained models of the profile)"
    sweep.add_argument("--models", metavar="A,B,...", help=text)
    text = "for instance block1_conv2,block2_conv3; all: every convolution (default: the profile's layer)"
    sweep.add_argument("--layers", metavar="all|A,B,...", help=text)
    text = "points of a curve, evenly spaced over the units, for instance 65 (default: the profile's)"
    sweep.add_argument("--points", type=int, help=text)
    text = "processes on this machine, for instance 2 (default: its cores, or one for each of --gpus)"
    sweep.add_argument("--jobs", type=int, help=text)
    text = "of this machine, one for each process, as in CUDA_VISIBLE_DEVICES: for instance 0,1"
    sweep.add_argument("--gpus", metavar="A,B,...", help=text)
    text = "a Dask cluster whose workers see this folder, for instance tcp://127.0.0.1:8786"
    sweep.add_argument("--scheduler", metavar="tcp://HOST:PORT", help=text)


def _sweep(options) -> None:
    from ..files.atomic import remove_leftovers
    from ..images.parameters import fitted
    from . import executors, summary, tasks, work

    names = {
        "classes": [] if options.classes == "all" else options.classes.split(","),
        "models": options.models.split(",") if options.models else [],
        "layers": options.layers.split(",") if options.layers else [],
    }
    settings = named_settings(options.set) | ({} if options.points is None else {"points": options.points})
    profile = fitted(load_profile(options.profile, settings))
    os.environ[ONEDNN] = "1" if profile.onednn else os.environ[ONEDNN]  # inherited by the workers
    workers = executors.workers_of(options.jobs, options.gpus, options.scheduler)
    given = tasks.tasks_of(profile, **names, overrides=settings, file=options.profile)
    done, failed = executors.run_all(given, work.run_task, workers)
    if done:
        remove_leftovers(next(iter(done.values())).parent)
        _show_sweep(profile, summary.read_results(done), given)
    if failed:
        reasons = "\n".join(f"  {task}: {why}" for task, why in failed.items())
        text = f"{len(failed)} of {len(given)} tasks failed; run again for these alone:\n{reasons}"
        raise RuntimeError(text)


def _show_sweep(profile, results, given) -> None:
    from . import summary

    print(summary.summary_table(results))
    skipped = summary.skipped_images(results)
    if skipped:
        print(f"{len(skipped)} skipped: {'; '.join(skipped[:10])}{'; ...' if len(skipped) > 10 else ''}")
    print(f"{len(results)} of {len(given)} tasks; {summary.save_summary(profile, results)}")
