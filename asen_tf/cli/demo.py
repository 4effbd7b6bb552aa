"""The main job, end to end, on synthetic garments: render, train, evaluate, draw.

asen-demo --output=demo
"""

import os
import time
from pathlib import Path

from absl import flags
from ml_collections import config_flags

from asen_tf.cli import program
from asen_tf.core import experiment_files


def main() -> None:
    from asen_tf.api.evaluate import evaluate
    from asen_tf.core.progress import duration
    from asen_tf.data.synthetic import write_dataset
    from asen_tf.evaluation import save
    from asen_tf.evaluation.report import tables
    from asen_tf.figures import visualize
    from asen_tf.training.train import train
    from asen_tf.workdir import Workdir

    given = flags.FLAGS
    began = time.monotonic()
    output = Path(given.output)
    config = given.config
    if not config.data.root:
        config.data.root = str(output / "data")
    workdir = output / "run"
    data = config.data
    write_dataset(data.root, data.images, data.seed, data.look, processes=os.cpu_count() or 1)
    train(config, workdir)
    result = evaluate(workdir, slices=("both", "global", "local"))
    for file in (output / "test.json", Workdir(workdir).result("test")):
        save(result, file)
    pictures = visualize(workdir, output=output / "pictures")
    listed = "\n".join(f"  {picture}" for picture in pictures)
    print(
        f"\nMAP on the test split, in percent\n\n{tables(result)}\n\n"
        f"pictures:\n{listed}\n\n"
        f"done in {duration(time.monotonic() - began)}. Try next:\n"
        f"  asen-evaluate --workdir={workdir} --split=valid\n"
        f"  asen-visualize --workdir={workdir} --report={output}/report.html\n"
        f"  asen-visualize --workdir={workdir} --figures=projector\n"
        f"  tensorboard --logdir={workdir}/tensorboard\n"
        "or look for yourself, at http://127.0.0.1:8080 in a browser:\n"
        f"  asen-export --workdir={workdir} --output={output}/served\n"
        f"  asen-index --model={output}/served --manifest={data.root}/manifest.csv "
        f"--store=faiss:{output}/store\n"
        f"  asen-app --model={output}/served --images={data.root} "
        f"--store=faiss:{output}/store\n"
        "or in Python:\n"
        f"  python -c \"import asen_tf; e = asen_tf.load('{workdir}'); "
        f"print(e.similarity('{config.data.root}/images/000000.jpg', "
        f"'{config.data.root}/images/000001.jpg', 'collar'))\""
    )


def run() -> None:
    experiment = experiment_files.find("asen", "synthetic")
    config_flags.DEFINE_config_file(
        "config", str(experiment), "Experiment file; --config.KEY=VALUE changes a key."
    )
    flags.DEFINE_string("output", "demo", "Folder for the data, the run, its table and pictures.")
    program.run(main)


if __name__ == "__main__":
    run()
