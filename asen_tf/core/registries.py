"""What a configuration may name, so that a wrong name is told before anything heavy is loaded.

Each room says what its names stand for: `asen_tf.models`, `asen_tf.backbones`, `asen_tf.losses`,
`asen_tf.training.optimizers` and `asen_tf.data.formats`.
"""

from asen_tf.core.registry import Registry

MODELS = Registry(
    "model",
    "asen_tf.models",
    {
        "amnet": "asen_tf.models.amnet:AMNet",
        "asen": "asen_tf.models.asen:ASEN",
        "asen_aaai2020": "asen_tf.models.asen_aaai2020:ASENAAAI2020",
        "csn": "asen_tf.models.csn:CSN",
        "linear": "asen_tf.models.linear:Linear",
        "part_guided": "asen_tf.models.part_guided:PartGuided",
        "triplet_net": "asen_tf.models.triplet_net:TripletNet",
    },
)
# Each is a function: side of the square input in pixels -> keras.Model.
BACKBONES = Registry(
    "backbone",
    "asen_tf.backbones",
    {
        **{f"resnet{n}": f"asen_tf.backbones.resnet:resnet{n}" for n in (6, 10, 18, 34, 50)},
        "alexnet": "asen_tf.backbones.alexnet:build",
        "alexnet_torchvision": "asen_tf.backbones.alexnet:torchvision",
        **{
            f"efficientnet_lite{n}": f"asen_tf.backbones.efficientnet_lite:lite{n}"
            for n in range(3)
        },
    },
)
LOSSES = Registry(
    "loss",
    "asen_tf.losses",
    {
        "triplet": "asen_tf.losses.triplet:TripletLoss",
        "alignment": "asen_tf.losses.triplet:AlignmentLoss",
        "classification": "asen_tf.losses.classification:ClassificationLoss",
        "norm": "asen_tf.losses.norms:NormLoss",
        "part_case": "asen_tf.models.part_guided.losses:PartCaseLoss",
        "changed_triplet": "asen_tf.models.amnet.losses:ChangedTripletLoss",
        "changed_classification": "asen_tf.models.amnet.losses:ChangedClassificationLoss",
    },
)
OPTIMIZERS = Registry(
    "optimizer",
    "asen_tf.optimizers",
    {
        "adam": "keras.optimizers:Adam",
        "adamw": "keras.optimizers:AdamW",
        "lamb": "keras.optimizers:Lamb",
        "sgd": "keras.optimizers:SGD",
    },
)
SCHEDULES = Registry(
    "schedule",
    "asen_tf.schedules",
    {
        "constant": "asen_tf.training.schedules:constant",
        "step": "asen_tf.training.schedules:step",
        "cosine": "asen_tf.training.schedules:cosine",
    },
)
# Each is a function (root, options) -> (manifest, problems), see `asen_tf.data.formats.read`.
FORMATS = Registry(
    "data format",
    "asen_tf.formats",
    {
        name: f"asen_tf.data.formats.{name}:read"
        for name in (
            "csv",
            "index_files",
            "fashionai",
            "deepfashion",
            "deepfashion_fine",
            "zappos50k",
            "shopping100k",
            "clothing_attributes",
            "synthetic",
        )
    },
)
