"""What holds the two branches together."""

from asen_tf.losses.triplet import cosine


def alignment_loss(global_embedding, local_embedding):
    """1 - cos(f_g, f_l) (ASEN++ equation 11): [..., D], [..., D] -> [...]. Gradients into both."""
    return 1.0 - cosine(global_embedding, local_embedding)
