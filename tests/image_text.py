"""Tiny networks of images and texts, as KerasHub keeps them: CLIP and SigLIP, random weights."""

import io
import string
from pathlib import Path

import keras
import keras_hub
import numpy as np

SIDE = 32
PROJECTION = 12
KINDS = ("clip", "siglip")
WORDS = ("red", "dress", "flowing", "boho", "beach")
_START, _END = "<|startoftext|>", "<|endoftext|>"
_LENGTH = 16
_VISION = {
    "patch_size": 8,
    "hidden_dim": 16,
    "num_layers": 2,
    "num_heads": 2,
    "intermediate_dim": 32,
    "image_shape": (SIDE, SIDE, 3),
}
_TEXT = {"num_layers": 2, "num_heads": 2, "intermediate_dim": 32, "max_sequence_length": _LENGTH}


def network(kind: str) -> keras.Model:
    """CLIPBackbone or SigLIPBackbone, weights far from 0, so that each matters."""
    keras.utils.set_random_seed(3)
    models = keras_hub.models
    if kind == "clip":
        text = models.CLIPTextEncoder(len(_clip_vocabulary()), 16, 16, **_TEXT)
        made = models.CLIPBackbone(models.CLIPVisionEncoder(**_VISION), text, PROJECTION)
        # Published weights have them; those that are made are all 0.
        positions = made.vision_encoder.get_layer("embedding").position_ids
        positions.assign(np.arange(positions.shape[1])[None])
    else:
        text = models.SigLIPTextEncoder(40, 16, 16, projection_dim=16, **_TEXT)
        made = models.SigLIPBackbone(models.SigLIPVisionEncoder(**_VISION), text)
    random = np.random.default_rng(4)
    for weight in made.trainable_weights:
        if weight.shape:
            weight.assign(weight + random.normal(0, 0.2, weight.shape))
    return made


def preprocessor(kind: str) -> keras.Layer:
    """KerasHub's own, with a vocabulary of a few letters and words."""
    scale, offset = [1 / 60, 1 / 65, 1 / 70], [-2.0, -1.9, -1.8]
    image = {"image_size": (SIDE, SIDE), "scale": scale, "offset": offset}
    image |= {"interpolation": "bicubic", "antialias": True}
    models = keras_hub.models
    if kind == "clip":
        merges = [line for word in WORDS for line in _merges(word)]
        return models.CLIPPreprocessor(
            models.CLIPTokenizer(vocabulary=_clip_vocabulary(), merges=[*dict.fromkeys(merges)]),
            keras_hub.layers.CLIPImageConverter(**image),
            sequence_length=_LENGTH,
        )
    return models.SigLIPPreprocessor(
        models.SigLIPTokenizer(proto=_sentence_pieces()),
        keras_hub.layers.SigLIPImageConverter(**image),
        sequence_length=_LENGTH,
    )


def preset(kind: str, folder: Path) -> str:
    """The folder of a preset with all that KerasHub's have."""
    network(kind).save_to_preset(str(folder))
    preprocessor(kind).save_to_preset(str(folder))
    return str(folder)


def _pieces(word: str) -> list[str]:
    return [*word[:-1], f"{word[-1]}</w>"]


def _merges(word: str) -> list[str]:
    """Rules that join a word's letters from the left."""
    first, *others = _pieces(word)
    rules = []
    for piece in others:
        rules.append(f"{first} {piece}")
        first += piece
    return rules


def _clip_vocabulary() -> dict[str, int]:
    letters = [*string.ascii_lowercase, *(f"{one}</w>" for one in string.ascii_lowercase)]
    joined = [rule.replace(" ", "") for word in WORDS for rule in _merges(word)]
    # The end is found as the highest number.
    return {token: n for n, token in enumerate(dict.fromkeys([*letters, *joined, _START, _END]))}


def _sentence_pieces() -> bytes:
    import sentencepiece

    written = io.BytesIO()
    texts = [" ".join(WORDS), "a red dress", string.ascii_lowercase]
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(texts * 4),
        model_writer=written,
        vocab_size=40,
        model_type="BPE",
        pad_id=0,
        bos_id=1,
        eos_id=2,
        unk_id=3,
        unk_piece="<unk>",
        pad_piece="<pad>",
        minloglevel=2,
    )
    return written.getvalue()
