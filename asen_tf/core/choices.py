"""Names to choose from that flags list, too: here, so that --help loads nothing that is heavy."""

SPLITS = ("train", "valid", "test")

PRODUCT = "product"
"""The column of a table, and the metadata, that says which product a photograph shows."""

IMAGE = "image"
EXCLUDED_SAME = (IMAGE, PRODUCT)
"""Which candidates are neither right nor wrong for a query: its own photograph, or all those of its
own product.
"""

OFFICIAL, MULTI_LABEL = "official", "multi_label"
RELEVANCE = (OFFICIAL, MULTI_LABEL)
"""Which values decide whether a candidate is relevant to a query, one shared value being enough:

official: those that came with the roles of query and candidate, as in the papers. DeepFashion's
  index files keep one value of each image there.
multi_label: all that are known of the image, so that two images that share any value are alike.
"""

FLOAT32, BFLOAT16, FLOAT16 = "float32", "mixed_bfloat16", "mixed_float16"
PRECISIONS = (FLOAT32, BFLOAT16, FLOAT16)
"""What networks compute in; training scales the loss for the last."""

PREPROCESSING = ("default", "published")
"""How photographs are prepared; "published": as by the authors' PyTorch code, for its numbers."""

STRATEGIES = ("default", "mirrored", "multi_worker")
"""Where training runs, see `training.strategy.create`."""

CHECKS = ("full", "exists", "none")
"""How images are checked before training, see `asen_tf.data.check`."""

CACHES = ("auto", "memory", "disk", "none")
"""Where decoded images are kept."""

TRIPLETS = ("triplet", "released_triplet")
SAMPLINGS = (*TRIPLETS, "signature_triplet", "multi_attribute", "manipulation")
"""What training draws, see `asen_tf.data.pipeline.training_batches`."""

LOOKS = ("plain", "cluttered")
"""What stands around a synthetic garment: a studio wall, or a room full of other things."""

SIMILARITY, MANIPULATION = "similarity", "manipulation"
PROTOCOLS = (SIMILARITY, MANIPULATION)
"""What `asen_tf.evaluate` measures."""

DRAWN, EVERY = "drawn", "every"
CHANGES = (DRAWN, EVERY)
"""Which changes a manipulation searches for: one at random for each query, as Ak et al. (WACV 2018)
do, or every one."""

DISTANCES = ("cosine", "euclidean", "squared_euclidean")
"""What the triplet loss compares embeddings by."""

NO_MINING = "none"
MINING = (NO_MINING, "all", "semi_hard", "hard")
"""Which triplets of a batch count."""

NORMS = ("sum", "squares")
"""What the norm loss sums up."""

LOCALIZATIONS = ("attention", "largest", "square", "peak", "whole")
"""How ASEN's attention becomes a region."""

MASKS, MASKED_DISTANCES = ("learned", "disjoint"), ("cosine", "euclidean")
"""CSN's masks, and what it compares masked embeddings by."""

BASELINE = "linear"
"""What tables call the linear baseline beside a run."""

VALUES, WITH_VALUES = "values", "all"
"""Slices of an embedding: how probable its attribute's values are, and the whole that has them."""

SAVED_MODEL = "saved_model"
FILE_ENDINGS = {"onnx": ".onnx", "litert": ".tflite"}
EXPORT_FORMATS = (SAVED_MODEL, *FILE_ENDINGS)
"""What `asen-export` writes: a folder for TensorFlow Serving, or one file with such an ending. Each
format of a file is also the name of the extra that it needs."""

QUANTIZED = ("float16", "int8")
"""What weights may be kept in."""

NOT_SERVED = ("tensor",)
"""Names that no attribute can have: `embed_tensor` is a signature of every served model."""
