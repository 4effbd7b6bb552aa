"""What the words of shops say: vocabularies of attributes, and their values in texts."""

from asen_tf.text.matching import Labels, Matcher, Said, label
from asen_tf.text.vocabulary import Vocabulary

__all__ = ["Labels", "Matcher", "Said", "Vocabulary", "label"]
