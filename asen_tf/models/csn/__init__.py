"""Conditional similarity networks (Veit et al., CVPR 2017): a mask for each attribute."""

from asen_tf.models.csn.model import CSN

__all__ = ["CSN"]
