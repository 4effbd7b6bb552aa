"""The keys every experiment has, with the settings of the ASEN++ paper as defaults.

The files in `configs/` start from `defaults()` and change what differs; the command line changes
single keys (`--config.train.batch_size=8`). ml_collections refuses keys that are not here.
"""

import json
import os
from collections.abc import Collection, Iterator, Mapping

from ml_collections import config_dict

from asen_client.core.foreign import reading
from asen_client.core.limits import BOX_MARGIN, MAX_PIXELS
from asen_tf.core import files

BACKBONE, LOCAL, ALL = "/backbone/", "/local_branch/", ".*"  # patterns over paths of variables


def defaults() -> config_dict.ConfigDict:
    """All keys, with the paper's values (design of the network, rates, schedules, batch)."""
    config = config_dict.ConfigDict()

    config.data = {
        # csv | index_files | fashionai | deepfashion | deepfashion_fine | zappos50k |
        # shopping100k | clothing_attributes | synthetic
        "format": "csv",
        "root": "",  # folder under which every image lies
        "manifest": "manifest.csv",  # csv: the table
        # csv: what columns are called in the table, such as photo_url, if otherwise
        "column_names": {name: name for name in ("image", "split", "role", "id", "product", "box")},
        # The attributes that are learned, in their order; (): all, of csv the columns that look so.
        "columns": (),
        "attributes_file": "",  # CSV index,attribute,values; "": read off the data
        "attributes": (),  # index_files: (name, number of values or names) pairs
        "index_dir": "",  # folder of filenames_*.txt and so on; "": splits, if there, or the root
        "label_files": ("*/Annotations/*.csv",),  # fashionai: patterns under the root
        "maybe": False,  # fashionai: count an m as a label too
        "garment_boxes": "",  # CSV image,x1,y1,x2,y2: photographs are cut to these
        "box_margin": BOX_MARGIN,  # share of the sides of a garment's box that is added around it
        "boxes": "",  # CSV image,attribute,left,top,right,bottom: parts, to measure attention by
        "images": 1500,  # synthetic: how many to render
        "seed": 0,  # synthetic: which ones; shopping100k: which test, queries and validation
        "look": "plain",  # synthetic: plain | cluttered
        "special": (),  # attributes that tell garments apart when one is changed; (): all
        "follow_links": False,  # read photographs that are links to folders outside of the root
        "skip_bad": False,  # drop bad rows instead of stopping
        "check": "full",  # full: decode every image | exists | none
        "fit": "crop",  # a photograph becomes a square: its centre | pad: all of it, on white
        "max_pixels": MAX_PIXELS,  # an image that declares more is bad
        "cache": "auto",  # decoded images: auto | memory | disk | none
        "cache_gb": 4.0,  # memory that the cache may take
        "cache_dir": "",  # where the disk cache goes; "": <workdir>/images
    }

    # The name of a model and keyword arguments of its class (`asen_tf.models`), but for those that
    # the data gives.
    config.model = {
        "name": "asen",
        "image_scale": 2,  # side of the images / global size: what the local branch can resolve
        "attribute_dim": 512,
        "global_branch": branch("resnet50", size=224, common_dim=512),
        "local_branch": branch("resnet34", size=112, common_dim=256),
        "spatial_attention": True,  # False: "without ASA", mean pooling
        "learned_scale": False,  # whether a factor before attention's softmax is learned
        "channel_attention": True,  # False: "without ACA"
        "channel_query_activation": "relu",  # the paper's slides print tanh
        "channel_reduction": 2,
        # attention | largest: only its largest component | square: with room around its cells |
        # peak: a fixed square around its peak | whole: the image itself as region
        "localization": "attention",
        "threshold": 0.1,
        "peak_side": 0.5,  # localization=peak: side of the square / side of the image
        # Weight of the global branch's cosine; or a weight an attribute, in the attributes' order.
        "beta": config_dict.FieldReference(0.6, field_type=object),
    }

    config.train = {
        "batch_size": 16,  # triplets; with multi_attribute sampling, images
        "seed": 0,
        "stages": ("stage1", "stage2"),
        "steps_per_epoch": 6250,  # 100 000 triplets
        "max_steps": 0,  # bounds the whole run, shared out over its stages; 0: no bound
        "max_minutes": 0.0,  # likewise, from when TensorFlow has loaded; rates fall in this time
        "checkpoint_every_steps": 1000,
        "log_every_steps": 20,
        "init_from": "",  # workdir whose weights the run starts from
        # triplet: the papers' | released_triplet: as their code, where an image with several values
        # may be a negative of one that shares a value | signature_triplet: of Ak et al. |
        # multi_attribute | manipulation
        "sampling": "triplet",
        "precision": "float32",  # or mixed_bfloat16, mixed_float16
        # Embeddings end with how probable each value of the attribute is, which counts as much as
        # validates best for each attribute.
        "embed_values": False,
        "jit_backbone": False,  # XLA for the convolutions; not with deterministic
        "recompute_backbone": False,  # a third more work, much less memory; not with jit_backbone
        "deterministic": True,  # same seed, same device: same numbers
    }
    config.augment = {
        "flip": False,
        "shift": 0.0,  # share of the side
        "crop": 1.0,  # smallest share of the area that is cut out and enlarged; 1.0: none is
        "color": 0.0,  # strength of brightness, contrast and saturation changes
        "flip_falsifies": (),  # attributes that a flipped photograph no longer shows
        "crop_falsifies": (),
        "color_falsifies": (),
    }

    config.stage1 = stage(
        epochs=50.0,
        rates=((LOCAL, 0.0), (ALL, 1e-4)),
        losses={"global_triplet": triplet("global")},
        schedule={"name": "step", "every_epochs": 3, "gamma": 0.9},
    )
    config.stage2 = stage(
        epochs=20.0,
        rates=((LOCAL, 1e-4), (ALL, 1e-5)),
        losses={
            "global_triplet": triplet("global"),
            "local_triplet": triplet("local", weight=0.1),
            "alignment": {"name": "alignment", "weight": 0.1},
        },
        schedule={"name": "step", "every_epochs": 1, "gamma": 0.9},
    )

    config.eval = {
        "batch_size": 32,
        "every_epochs": 1,
        "max_images": 0,  # photographs that training validates on, drawn at random; 0: all
        "pictures": 4,  # photographs with attention that TensorBoard shows of each validation
        "ks": (1, 5, 10, 20),
        "preprocessing": "default",  # published: photographs prepared as by the authors' code
        "relevance": "official",  # or multi_label: any value of an image counts, role or not
    }
    return config.lock()


def stage(
    *,
    epochs: float,
    rates: tuple[tuple[str, float], ...],
    losses: dict[str, dict],
    schedule: dict,
    optimizer: dict | None = None,
) -> dict:
    """One stage of training.

    Args:
      epochs: how long it is; 0: it ends where it starts, if that is a closed form.
      rates: (pattern, rate) pairs: a variable learns at the rate of the first pattern that is found
        in its path; at 0 it is frozen.
      losses: what each is called -> its `name`, its `weight`, and keyword arguments of its class
        (`asen_tf.losses`).
      schedule: constant | step | cosine, which may have a "warmup": the share of steps it rises in.
      optimizer: of `asen_tf.training.optimizers`, with keyword arguments of its class.
    """
    return {
        "epochs": epochs,
        "rates": rates,
        "optimizer": optimizer or {"name": "adam", "epsilon": 1e-8},
        "copies": (),  # (target, source): paths that start from the weights of others
        "closed_form": False,  # start from what the model computes of all training images at once
        "losses": losses,
        "sampling": "",  # in the place of train.sampling
        "attributes_per_step": 0,  # multi_attribute: so many, drawn anew each step; 0: all
        "schedule": schedule,
        # Parts at rate 0 are run once, and what they give is kept beside the run; steps then cost
        # the other parts only, and of `augment` there is the flip.
        "frozen_features": False,
        # At its end the best model gets, for each attribute, the model.beta that validates best.
        "choose_beta": False,
        "resolution": 1.0,  # side of its images / side of those that the model embeds
        "must_improve": False,  # its model counts only where it scores higher than those before
        "patience": 0,  # validations in a row without a better score that end it; 0: none do
        # With train.max_minutes: without so many it and those after it are left out. What all
        # stages together need less is shared out in proportion to `share`, 0: to epochs.
        "least_minutes": 0.0,
        "share": 0.0,
    }


def triplet(output: str, weight: float = 1.0, mining: str = "none") -> dict:
    """The triplet loss of one output, with the margin of the papers."""
    return {
        "name": "triplet",
        "weight": weight,
        "output": output,
        "distance": "cosine",  # cosine | euclidean | squared_euclidean
        "mining": mining,  # none: triplets of the batch; multi_attribute: all | semi_hard | hard
        "margin": 0.2,
    }


def branch(backbone: str, size: int, common_dim: int) -> dict:
    """One branch: a backbone, cut where attention takes over, and what stands on it."""
    return {
        "backbone": backbone,  # asen_tf.backbones.BACKBONES, or a keras-hub preset
        # To start from: imagenet, as efficientnet_lite*, torchvision's ResNets and keras-hub's
        # presets have it; a keras-hub preset or folder; torchvision's .pth file; random, or "".
        "weights": "",
        "levels": (),  # joined maps, as ("P4", "P5"), or layers; (): P4, or else the output
        "dropout": 0.0,  # share of the joined map's channels that training sets to 0
        "frozen_statistics": False,  # batch normalisation learns by the moving statistics it has
        "size": size,  # side of its input in pixels
        "common_dim": common_dim,  # K, in which attribute and position meet
        "embedding_dim": 1024,
    }


def save(config: config_dict.ConfigDict, path: str | os.PathLike) -> None:
    """Writes the configuration as JSON."""
    files.write_text(path, config.to_json_best_effort(indent=1))


def load(path: str | os.PathLike) -> config_dict.ConfigDict:
    """Reads what `save` wrote; keys that have come to exist since keep their defaults.

    Raises:
      ValueError: an older version of the library wrote it.
    """
    stored = files.read_json(path)
    sections = [section for section in stored.values() if isinstance(section, dict)]
    if any(isinstance(section.get("rates"), dict) for section in sections):
        raise ValueError(
            f"{path} is of a run of asen_tf before 0.2, which named no losses: train it again with "
            "its data, or use it with the version that wrote it"
        )
    config = defaults()
    with reading(path, "expected a configuration, it is damaged"), config.unlocked():
        for key in set(config) - set(stored):
            if "rates" in config[key]:
                del config[key]
        for key, value in stored.items():
            if key in ("data", "train", "augment", "eval"):
                config[key].update(_with_tuples(value))
            else:
                config[key] = _with_tuples(value)
    return config


def flat(config: config_dict.ConfigDict, prefix: str = "") -> dict[str, object]:
    """Every key by its whole name, such as train.batch_size, with its value as JSON has it."""
    found = {}
    for key, value in config.items():
        if isinstance(value, config_dict.ConfigDict):
            found |= flat(value, f"{prefix}{key}.")
        else:
            found[prefix + key] = json.loads(json.dumps(value))
    return found


def differences(stored: Mapping, given: Mapping, free: Collection[str] = ()) -> Iterator[str]:
    """Says of each key of two `flat` configurations, but for the `free`, how it differs."""
    for key in stored.keys() | given.keys():
        if key not in free and stored.get(key) != given.get(key):
            yield f"{key} was {stored.get(key)!r}, is {given.get(key)!r}"


def _with_tuples(value):
    if isinstance(value, dict):
        return {key: _with_tuples(inner) for key, inner in value.items()}
    return tuple(map(_with_tuples, value)) if isinstance(value, list) else value
