import hashlib

import numpy as np

from asen_tf.data.formats.hashed_splits import drawn_share, hashed_splits


def test_the_split_of_a_name_is_its_hash_modulo_100():
    names = [f"{n:06d}.jpg" for n in range(500)] + ["photo d'été.jpg"]
    expected = []
    for name in names:
        hundredth = int(hashlib.blake2b(name.encode(), digest_size=8).hexdigest(), 16) % 100
        expected.append(0 if hundredth < 80 else 1 if hundredth < 90 else 2)
    assert hashed_splits(names).tolist() == expected
    assert hashed_splits([]).tolist() == []


def test_the_shares_are_8_1_1_and_other_names_do_not_matter():
    names = [f"{n}.jpg" for n in range(20_000)]
    splits = hashed_splits(names)
    shares = np.bincount(splits) / len(names)
    np.testing.assert_allclose(shares, [0.8, 0.1, 0.1], atol=0.01)
    assert hashed_splits(names[::7]).tolist() == splits[::7].tolist()


def test_a_share_is_as_many_as_it_says_and_a_new_name_moves_at_most_one():
    names = [f"{n}.jpg" for n in range(1000)]
    drawn = drawn_share(names, 0.0185)
    assert drawn.sum() == 18
    more = drawn_share([*names, "new.jpg"], 0.0185)[:-1]
    assert (drawn != more).sum() <= 2
    assert (drawn_share(names, 0.0185, seed=1) != drawn).any()
    assert np.flatnonzero(drawn).std() > 100  # not the first, nor the last of them


def test_of_few_names_one_is_drawn_and_one_is_not():
    sizes = {n: drawn_share([str(m) for m in range(n)], 0.02).sum() for n in (0, 1, 2, 3)}
    assert sizes == {0: 0, 1: 0, 2: 1, 3: 1}
    assert drawn_share(["a", "b"], 0.9).sum() == 1
