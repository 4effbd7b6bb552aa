"""Drawn photographs of garments with known attributes and part boxes; needs no download."""

from asen_tf.data.synthetic.attributes import SPACE
from asen_tf.data.synthetic.dataset import OtherDataset, write_dataset
from asen_tf.data.synthetic.render import Photograph, render

__all__ = ["SPACE", "OtherDataset", "Photograph", "render", "write_dataset"]
