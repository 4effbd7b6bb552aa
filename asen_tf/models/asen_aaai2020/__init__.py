"""ASEN as first published, one branch (Ma et al., AAAI 2020)."""

from asen_tf.models.asen_aaai2020.model import ASENAAAI2020

__all__ = ["ASENAAAI2020"]
