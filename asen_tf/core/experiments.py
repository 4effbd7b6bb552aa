"""Settings that several experiments of `configs/` share.

What is the same data, the same network and as many epochs stands here once, so that the models
that are compared on it start from the same lines.
"""

from ml_collections import config_dict

from asen_tf.core import config as configs

ONE_BRANCH = ("triplet_net", "csn", "asen_aaai2020")  # what `one_stage` can turn ASEN's into


def published(attributes: tuple[tuple[str, int], ...] = ()) -> config_dict.ConfigDict:
    """The paper's experiment, by default on a data set that comes as index files.

    Args:
      attributes: of index files: names and numbers of values, in the order of the files.
    """
    config = configs.defaults()
    config.data.format = "index_files"
    config.data.attributes = attributes
    config.data.cache_gb = 100.0
    # keras-hub has no ImageNet preset of ResNet-34, so the local branch starts at random.
    config.model.global_branch.weights = "resnet_50_imagenet"
    return config


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
    config.stage1.rates = {"global_branch": 3e-4}
    config.stage1.schedule = {"name": "cosine"}
    config.stage2.epochs = 12
    config.stage2.rates = {"global_branch": 3e-5, "local_branch": 3e-4}
    config.stage2.schedule = {"name": "cosine"}
    config.stage2.copies = {"local_branch": "global_branch"}
    config.stage2.attributes_per_step = 3
    # Held less to the global branch than in the paper, the local one adds more to it.
    config.stage2.losses = {"global_triplet": 1.0, "local_triplet": 1.0, "alignment": 0.03}


def garments() -> config_dict.ConfigDict:
    """ASEN on a few thousand synthetic garments before a plain background, in minutes."""
    config = configs.defaults()
    config.data.format = "synthetic"
    config.data.look = "plain"
    config.data.images = 1500
    # Few of the garments have the same values in more attributes than these.
    config.data.special = ("sleeve_length", "pattern", "color")
    small(config, "resnet6")
    config.train.mining = "semi_hard"
    config.train.steps_per_epoch = 22
    config.stage1.epochs = 42
    # At the full rate from the start, attention to small parts often settles in a wrong place.
    config.stage1.schedule = {"name": "cosine", "warmup": 0.15}
    config.stage1.rates = {"global_branch": 5e-4}
    config.stage2.epochs = 9
    config.stage2.rates = {"global_branch": 5e-5, "local_branch": 5e-4}
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


def one_stage(config: config_dict.ConfigDict, model: str) -> None:
    """Turns ASEN's experiment into one of a network of one branch, with as many epochs in all."""
    config.model.name = model
    config.train.stages = ("stage1",)
    config.stage1.epochs += config.stage2.epochs


def csn(config: config_dict.ConfigDict, similarity: str) -> None:
    """Conditional similarity networks: `cosine` as in ASEN's tables, or the paper's `euclidean`."""
    one_stage(config, "csn")
    config.model.csn.similarity = similarity
    if similarity == "euclidean":
        config.stage1.losses = {"global_triplet": 1.0, "embedding_norm": 5e-3, "mask_norm": 5e-4}


def amnet(config: config_dict.ConfigDict, rate: float) -> None:
    """AMNet: stage 1 learns to classify; stage 2 starts the memory and learns changes."""
    _equal_stages(config, "amnet")
    config.model.amnet.fusion_dim = 512
    config.train.sampling = "manipulation"
    config.train.batch_size = 16
    config.stage1.rates = {"global_branch": rate, "classifiers": rate}
    config.stage1.losses = {"classification": 1.0}
    slower = 0.6 * rate
    config.stage2.rates = {"global_branch": slower, "classifiers": slower, "memory": rate}
    config.stage2.means = ("memory",)
    config.stage2.losses = {
        "classification": 1.0,
        "changed_classification": 1.0,
        "changed_triplet": 1.0,
    }


def part_guided(
    config: config_dict.ConfigDict, variant: str, parts: tuple[str, ...], roi_size: int
) -> None:
    """The part-guided network: classification first, then ranking as well, both with SGD.

    Args:
      config: ASEN's experiment, changed in place.
      variant: the network itself, or a baseline of its ablation.
      parts: one an attribute, see `config.model.part_guided.parts`.
      roi_size: bins along either side of a pooled part.
    """
    _equal_stages(config, "part_guided")
    config.model.global_branch.embedding_dim = 128
    config.model.part_guided.variant = variant
    config.model.part_guided.parts = parts
    config.model.part_guided.roi_size = roi_size
    config.model.part_guided.hidden_dim = 256
    for stage, rate in ((config.stage1, 0.03), (config.stage2, 0.01)):
        stage.optimizer = "sgd"
        stage.rates = {"trunk": rate, "branches": rate}
    config.stage1.losses = {"classification": 1.0}
    config.stage2.losses = {"classification": 1.0, "ranking": 1.0}


def _equal_stages(config, model):
    """Turns ASEN's experiment into one whose two stages have half of all its epochs each."""
    config.model.name = model
    config.stage1.epochs = config.stage2.epochs = (config.stage1.epochs + config.stage2.epochs) / 2
    for stage in (config.stage1, config.stage2):
        stage.schedule = config.stage1.schedule.to_dict()
        stage.copies = {}
        stage.attributes_per_step = 0
