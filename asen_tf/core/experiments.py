"""Settings that several experiments of `configs/` share.

What is the same data, the same network and as many epochs stands here once, so that the models
that are compared on it start from the same lines.
"""

from collections.abc import Mapping

from ml_collections import config_dict

from asen_client.core.errors import unknown_name
from asen_tf.core import config as configs
from asen_tf.core.config import ALL, BACKBONE, LOCAL

ONE_BRANCH = ("triplet_net", "csn", "asen_aaai2020")  # what `one_branch` turns ASEN's into
DERIVED = (*ONE_BRANCH, "linear")


def published(attributes: tuple[tuple[str, int], ...] = ()) -> config_dict.ConfigDict:
    """The paper's experiment, by default on a data set that comes as index files.

    Args:
      attributes: of index files: names and numbers of values, in the order of the files.
    """
    config = configs.defaults()
    config.data.format = "index_files"
    config.data.attributes = attributes
    config.data.cache_gb = 100.0
    for branch in (config.model.global_branch, config.model.local_branch):
        branch.weights = "imagenet"
    config.train.sampling = "released_triplet"
    return config


def schedule_2020(config: config_dict.ConfigDict) -> None:
    """Trains a network of one branch as the code of ASEN's first paper does.

    That is 200 epochs, whose rates fall by 1.5 % each, on photographs that are flipped at random.
    """
    config.stage1.epochs = 200.0
    config.stage1.schedule.gamma = 0.985
    config.stage1.schedule.every_epochs = 1
    config.augment.flip = True


def global_alone(config: config_dict.ConfigDict) -> None:
    """ASEN's experiment without the stages that train the local branch."""
    stages = config.train.stages
    config.train.stages = tuple(name for name in stages if not _trains_local(config[name]))


def small(config: config_dict.ConfigDict, backbone: str) -> None:
    """Turns the paper's experiment into one for a processor and a few thousand photographs.

    Small inputs, every attribute of an image at once, and rates for weights that start at random.
    Both branches are alike, so that the local one can start from what the global one learned.
    """
    config.model.global_branch.update(configs.branch(backbone, size=112, common_dim=256))
    config.model.local_branch.update(configs.branch(backbone, size=56, common_dim=256))
    config.model.global_branch.embedding_dim = 512
    config.model.local_branch.embedding_dim = 512
    config.model.attribute_dim = 256
    config.train.sampling = "multi_attribute"
    config.train.batch_size = 48
    config.train.steps_per_epoch = 30
    config.train.checkpoint_every_steps = 150
    config.eval.every_epochs = 4
    config.stage1.epochs = 36
    config.stage2.epochs = 12
    config.stage1.schedule = config.stage2.schedule = {"name": "cosine"}
    _rates(config, 3e-4)
    config.stage2.copies = ((LOCAL, "/global_branch/"),)
    config.stage2.attributes_per_step = 3
    # Held less to the global branch than in the paper, the local one adds more to it.
    config.stage2.losses.local_triplet.weight = 1.0
    config.stage2.losses.alignment.weight = 0.03
    mine(config, "all")


def pretrained(config: config_dict.ConfigDict, backbone: str = "efficientnet_lite0") -> None:
    """Turns the paper's experiment into one that starts from ImageNet, for a processor.

    Three stages take the place of the paper's two. `heads` trains attention and projection on
    frozen features, `finetune` the global branch with its backbone, and `local` the
    heads of its copy, which looks at the attended regions.
    """
    # EfficientNet-Lite0 was trained at 224 pixels; somewhat larger images suit its features better
    # (as Touvron et al., 2019, found for other networks).
    for branch, size in ((config.model.global_branch, 256), (config.model.local_branch, 192)):
        branch.update(configs.branch(backbone, size, common_dim=256))
        branch.update(
            weights="imagenet",
            levels=("P4", "P5"),
            dropout=0.15,
            frozen_statistics=True,
            embedding_dim=256,
        )
    config.model.update(attribute_dim=256, learned_scale=True, localization="square", threshold=0.3)
    config.train.update(
        embed_values=True,
        sampling="multi_attribute",
        batch_size=64,
        steps_per_epoch=50,
        checkpoint_every_steps=200,
        stages=("heads", "finetune", "local"),
    )
    config.eval.update(every_epochs=2, max_images=600)
    config.augment.update(flip=True, crop=0.35)
    with config.unlocked():
        del config.stage1, config.stage2
        config.heads = _from_features(
            epochs=40.0,
            rates=((BACKBONE, 0.0), (LOCAL, 0.0), (ALL, 1e-3)),
            losses={"global_triplet": configs.triplet("global", mining="all")},
        )
        config.finetune = _adamw(
            epochs=20.0,
            rates=((LOCAL, 0.0), (BACKBONE, 4e-4), (ALL, 5e-4)),
            losses={"global_triplet": configs.triplet("global", mining="all")},
        )
        config.local = _from_features(
            epochs=20.0,
            rates=((BACKBONE, 0.0), (LOCAL, 1e-3), (ALL, 0.0)),
            losses={"local_triplet": configs.triplet("local", mining="all")},
        )
    config.local.update(copies=((LOCAL, "/global_branch/"),), choose_beta=True)
    # Crops show garments larger, so that a smaller image, which costs half, shows as much of them.
    config.finetune.update(must_improve=True, resolution=176 / 256)
    for stage, least, share in (
        (config.heads, 1.5, 0.1),
        (config.finetune, 4.0, 0.6),
        (config.local, 3.0, 0.3),
    ):
        stage.update(least_minutes=least, share=share)
        stage.patience = 8


def _adamw(**settings) -> dict:
    return configs.stage(
        schedule={"name": "cosine", "warmup": 0.05},
        optimizer={"name": "adamw", "weight_decay": 0.05, "global_clipnorm": 5.0},
        **settings,
    )


def _from_features(**settings) -> dict:
    return {**_adamw(**settings), "frozen_features": True}


def mine(config: config_dict.ConfigDict, mining: str) -> None:
    """Sets the mining of every triplet loss."""
    for name in config.train.stages:
        for loss in config[name].losses.values():
            if "mining" in loss:
                loss.mining = mining


def shopping100k(special: tuple[str, ...]) -> config_dict.ConfigDict:
    """What the networks of Ak et al. (WACV 2018) share on their data: AlexNet, 80 % of the images.

    Args:
      special: the attributes that are changed.
    """
    config = configs.defaults()
    config.data.update(format="shopping100k", special=special, cache_gb=100.0)
    config.model.global_branch.update(configs.branch("alexnet", size=227, common_dim=512))
    config.model.global_branch.weights = "imagenet"
    config.model.image_scale = 1
    # Of triplets 21 for each of six vectors. An epoch: as many as there are images for training.
    config.train.batch_size = 126
    config.train.steps_per_epoch = 619
    return config


def garments() -> config_dict.ConfigDict:
    """ASEN on a few thousand synthetic garments before a plain background, in minutes."""
    config = configs.defaults()
    config.data.format = "synthetic"
    # Few of the garments have the same values in more attributes than these.
    config.data.special = ("sleeve_length", "collar", "fastening")
    small(config, "resnet6")
    mine(config, "semi_hard")
    config.train.steps_per_epoch = 22
    config.stage1.epochs = 42
    # At the full rate from the start, attention to small parts often settles in a wrong place.
    config.stage1.schedule = {"name": "cosine", "warmup": 0.15}
    config.stage2.epochs = 9
    _rates(config, 5e-4)
    return config


def photographs(data: str) -> config_dict.ConfigDict:
    """ASEN on photographs, from ImageNet: a format of `asen_tf.data.formats`."""
    config = configs.defaults()
    config.data.format = data
    pretrained(config)
    return config


def clothing_attributes() -> config_dict.ConfigDict:
    """ASEN on the street photographs of the Clothing Attribute Dataset, from scratch."""
    config = configs.defaults()
    config.data.format = "clothing_attributes"
    # A third of the photographs is labelled for all nine attributes, most for these.
    config.data.special = ("sleeve_length", "pattern", "color")
    small(config, "resnet18")
    config.train.steps_per_epoch = 27
    config.stage1.epochs = 40
    config.stage2.epochs = 10
    config.augment.flip = True
    config.augment.shift = 0.06
    return config


def one_branch(config: config_dict.ConfigDict, model: str) -> None:
    """Turns ASEN's experiment into one of a network of one branch, with as many epochs in all.

    Stages that train the local branch go; their epochs and their share of the time go to the last
    that is left.
    """
    branch, asen = config.model.global_branch, config.model
    more = {}
    if model == "asen_aaai2020":
        more = {
            "common_dim": branch.common_dim,
            "spatial_attention": asen.spatial_attention,
            "channel_attention": asen.channel_attention,
            "channel_reduction": asen.channel_reduction,
            "threshold": asen.threshold,
        }
    _one_branch(config, model, **more)
    config.train.embed_values = False  # the papers' networks embed what losses have trained
    names = config.train.stages
    global_alone(config)
    kept = config.train.stages
    last = config[kept[-1]]
    for dropped in set(names) - set(kept):
        last.epochs += config[dropped].epochs
        last.share += config[dropped].share
    for name in kept:
        config[name].rates = tuple(rate for rate in config[name].rates if rate[0] != LOCAL)


def derive(config: config_dict.ConfigDict, model: str) -> None:
    """Turns ASEN's experiment into that of another model, of `DERIVED`."""
    if model == "linear":
        linear(config)
    else:
        one_branch(config, model)


def _trains_local(stage):
    return any("local" in loss.get("output", ()) for loss in stage.losses.values())


def csn(config: config_dict.ConfigDict, distance: str) -> None:
    """Conditional similarity networks: `cosine` as in ASEN's tables, or the paper's `euclidean`."""
    one_branch(config, "csn")
    with config.unlocked():
        config.model.update({"masks": "learned", "distance": distance, "radius": 10.0})
        for name in config.train.stages:
            losses = config[name].losses
            losses.global_triplet.distance = distance
            if distance == "euclidean":
                losses.update(
                    embedding_norm={"name": "norm", "weight": 5e-3, "output": "shared"},
                    mask_norm={"name": "norm", "weight": 5e-4, "output": "mask", "norm": "sum"},
                )


def linear(config: config_dict.ConfigDict) -> None:
    """Turns an experiment into the linear baseline, on the backbone of its (global) branch.

    Raises:
      ValueError: its model has no backbone of its own.
    """
    branch = config.model.get("global_branch", config.model)
    kept = ("backbone", "weights", "levels", "size")
    if "backbone" not in branch:
        raise ValueError(
            f"the linear baseline stands on the backbone of an experiment, and model.name="
            f"{config.model.name} has no key model.backbone or model.global_branch.backbone"
        )
    config.train.embed_values = False  # its embedding is the values' probabilities
    with config.unlocked():
        config.model = {
            "name": "linear",
            "image_scale": config.model.image_scale,
            **{key: branch[key] for key in kept},
        }
        # Its closed form is all; with epochs, it learns on from there.
        config.stage1 = configs.stage(
            epochs=0.0,
            rates=(("/features/", 0.0), (ALL, 1e-4)),
            losses={"classification": {"name": "classification", "weight": 1.0}},
            schedule={"name": "constant"},
        )
    config.stage1.closed_form = config.stage1.frozen_features = True
    config.train.update(stages=("stage1",), sampling="multi_attribute", init_from="")
    config.train.update(max_steps=0, max_minutes=0.0)


def amnet(config: config_dict.ConfigDict, rate: float) -> None:
    """AMNet: stage 1 learns to classify; stage 2 starts the memory and learns changes."""
    _one_branch(config, "amnet", fusion_dim=512, sharpness=10.0)
    _equal_stages(config)
    config.train.sampling = "manipulation"
    config.train.batch_size = 16
    memory = "/(memory|fuse|edit)/"
    config.stage1.rates = ((memory, 0.0), (ALL, rate))
    config.stage2.rates = ((memory, rate), (ALL, 0.6 * rate))
    config.stage2.closed_form = True
    classification = {"name": "classification", "weight": 1.0}
    with config.unlocked():
        config.stage1.losses = {"classification": classification}
        config.stage2.losses = {
            "classification": classification,
            "changed_classification": {"name": "changed_classification", "weight": 1.0},
            "changed_triplet": {"name": "changed_triplet", "weight": 1.0, "margin": 0.2},
        }


# Baselines of the part-guided network's ablation: what each leaves out.
PART_GUIDED = ("part_guided", "without_parts", "without_parts_and_ranking", "classic")


def part_guided(
    config: config_dict.ConfigDict,
    baseline: str,
    parts: Mapping[str, str],
    *,
    epochs: tuple[float, float] = (30.0, 30.0),
    rate: float = 0.01,
    threshold: float = 0.0,
) -> None:
    """The part-guided network: classification, then ranking as well, by SGD at a constant rate.

    Baselines without ranking are trained for classification as long as the others in all.

    Args:
      config: the experiment of another model, changed in place.
      baseline: of `PART_GUIDED`: the network itself, or what its ablation leaves.
      parts: of the special attributes, see `asen_tf.models.PartGuided`.
      epochs: of the two stages.
      rate: of all variables.
      threshold: see `asen_tf.models.PartExtractor`.
    """
    if baseline not in PART_GUIDED:
        raise ValueError(unknown_name("baseline of part_guided", baseline, PART_GUIDED))
    special = {} if baseline == "classic" else dict(parts)
    if baseline != "part_guided":
        special = dict.fromkeys(special, "whole")
    _one_branch(config, "part_guided", parts=special, hidden_dim=1024, threshold=threshold)
    config.data.special = tuple(parts)
    losses = {"classification": {"name": "classification", "weight": 1.0, "total": True}}
    if baseline == "part_guided":
        losses["part_case"] = {"name": "part_case", "weight": 1.0}
    # A triplet is of one of S + 1 vectors: so many times their mean is the sum over the vectors.
    ranking = configs.triplet("branch", len(parts) + 1.0) | {"distance": "euclidean"}
    first, second = epochs
    if baseline in ("part_guided", "without_parts"):
        with_ranking = _sgd(second, rate, losses | {"ranking": ranking}, "signature_triplet")
        stages = {"stage1": _sgd(first, rate, losses, "multi_attribute"), "stage2": with_ranking}
    else:
        stages = {"stage1": _sgd(first + second, rate, losses, "multi_attribute")}
    with config.unlocked():
        del config.stage1, config.stage2
        config.update(stages)
    config.train.stages = tuple(stages)
    config.train.sampling = stages[config.train.stages[-1]]["sampling"]


def _sgd(epochs, rate, losses, sampling):
    stage = configs.stage(
        epochs=epochs,
        rates=((ALL, rate),),
        losses=losses,
        schedule={"name": "constant"},
        optimizer={"name": "sgd", "momentum": 0.0},
    )
    return stage | {"sampling": sampling}


def _rates(config, rate):
    """The rate of what starts at random; in stage 2 a tenth for what stage 1 has trained."""
    config.stage1.rates = ((LOCAL, 0.0), (ALL, rate))
    config.stage2.rates = ((LOCAL, rate), (ALL, 0.1 * rate))


def _one_branch(config, model, **more):
    """Puts a model on the backbone of ASEN's global branch in its place."""
    asen = config.model
    with config.unlocked():
        config.model = {
            "name": model,
            **{k: v for k, v in asen.global_branch.items() if k != "common_dim"},
            "image_scale": asen.image_scale,
            **more,
        }


def _equal_stages(config):
    """The two stages have half of all epochs each, and the schedule of the first."""
    config.stage1.epochs = config.stage2.epochs = (config.stage1.epochs + config.stage2.epochs) / 2
    for stage in (config.stage1, config.stage2):
        stage.schedule = config.stage1.schedule.to_dict()
        stage.copies = ()
        stage.attributes_per_step = 0
