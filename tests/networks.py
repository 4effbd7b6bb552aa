"""Networks as small as they can be, for tests that only need one that works."""

from ml_collections import config_dict

SMALLEST = {"backbone": "resnet6", "size": 32, "embedding_dim": 8}


def shrink(model: config_dict.ConfigDict, **changes: object) -> None:
    """Makes the model of an experiment small: ResNet-6 at 32 pixels, vectors of 8 numbers."""
    sizes = SMALLEST | changes
    for branch in (model, *(model.get(name) for name in ("global_branch", "local_branch"))):
        if branch is not None:
            branch.update({key: value for key, value in sizes.items() if key in branch})
            for key in ("common_dim", "attribute_dim", "hidden_dim"):
                if key in branch:
                    branch[key] = 8
