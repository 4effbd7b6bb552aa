"""The linear baseline that a run is compared with."""

import os

from absl import logging

from asen_tf.core import experiments
from asen_tf.core.progress import say
from asen_tf.workdir import Workdir


def linear_baseline(
    run: Workdir,
    root: str | os.PathLike | None = None,
    skip_bad: bool = False,
    follow_links: bool = False,
) -> Workdir:
    """The linear baseline on a run's data and the backbone it started from.

    It is trained in the run's folder when it is first asked for.

    Args:
      run: any trained model.
      root: folder where the run's data lies now; None: where it lay in training.
      skip_bad, follow_links: how it is read, see `Workdir.manifest`.

    Raises:
      ValueError: the run's model has no backbone of its own, or its data has no labels or other
        ones than it was trained on.
    """
    from asen_tf.training.train import train

    baseline = Workdir(run.path / "baseline")
    if not baseline.best_file.exists():
        config = run.config()
        experiments.linear(config)
        if config.model.weights in ("", "random"):
            logging.warning(
                "the linear baseline is of random features: no weights are named in %s",
                run.config_file,
            )
        config.data.root = os.fspath(root or config.data.root)
        config.data.skip_bad = config.data.skip_bad or skip_bad
        config.data.follow_links = config.data.follow_links or follow_links
        config.eval.preprocessing = "default"
        if config.data.format == "csv" and not config.data.attributes_file:
            config.data.columns = run.space().names
        say(f"training the linear baseline, kept in {baseline.path}")
        train(config, baseline.path)
    if baseline.space() != run.space():
        raise ValueError(
            f"{baseline.path} is of other attributes than the run, whose data has changed since, "
            "or has not all that the run it started from knows: "
            f"expected {run.space()}, got {baseline.space()}"
        )
    return baseline
