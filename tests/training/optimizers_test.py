"""Rates by the names of variables."""

import keras
import numpy as np
import pytest

from asen_tf.training import optimizer


def network():
    keras.utils.set_random_seed(0)
    inputs = outputs = keras.Input((3,))
    for name in ("body", "neck", "head"):
        outputs = keras.layers.Dense(2, name=name)(outputs)
    return keras.Model(inputs, outputs)


def moved(model, before):
    return {
        variable.path.split("/")[-2]
        for variable, old in zip(model.weights, before, strict=True)
        if not np.array_equal(variable.numpy(), old)
    }


def fit(model, chosen):
    before = model.get_weights()
    model.compile(chosen, "mse")
    model.fit(np.ones((4, 3)), 9 * np.ones((4, 2)), verbose=0)
    return moved(model, before)


def test_the_first_pattern_that_is_found_decides():
    model = network()
    chosen = optimizer(model, {"head/kernel": 0.3, "head": 0.2, ".*": 0.1}, "sgd")
    rates = {}
    for own in chosen.optimizers:
        for path in (v.path for v in own._trainable_variables):
            rates[path] = float(own.learning_rate)
    assert rates == pytest.approx(
        {
            "head/kernel": 0.3,
            "head/bias": 0.2,
            **{f"{n}/{v}": 0.1 for n in ("body", "neck") for v in ("kernel", "bias")},
        }
    )


def test_each_learns_at_its_own_rate_in_fit():
    """Gradient descent by hand: w - rate * gradient."""
    model = network()
    chosen = optimizer(model, (("head", 0.5), (".*", 0.25)), "sgd")
    x, y = np.ones((1, 3), np.float32), np.zeros((1, 2), np.float32)
    before = dict(zip([v.path for v in model.weights], model.get_weights(), strict=True))
    hidden = x @ before["body/kernel"] @ before["neck/kernel"]
    output = hidden @ before["head/kernel"]
    model.compile(chosen, "mse")
    model.fit(x, y, verbose=0)
    after = dict(zip([v.path for v in model.weights], model.get_weights(), strict=True))
    # d/d(output) of the mean of two squares is the output itself.
    np.testing.assert_allclose(
        after["head/kernel"], before["head/kernel"] - 0.5 * hidden.T @ output, atol=1e-6
    )
    down = output @ before["head/kernel"].T
    np.testing.assert_allclose(after["neck/bias"], -0.25 * down[0], atol=1e-6)


def test_a_rate_of_0_stands_still_until_it_gets_another():
    model = network()
    assert fit(model, optimizer(model, {"body": 0.0, ".*": 0.1}, "sgd")) == {"neck", "head"}
    assert fit(model, optimizer(model, {".*": 0.1}, "sgd")) == {"body", "neck", "head"}


def test_what_changes_with_every_batch_is_no_variable_that_learns():
    model = keras.Sequential([keras.Input((3,)), keras.layers.BatchNormalization(name="norm")])
    optimizer(model, {"gamma|beta": 0.1}, "sgd")
    with pytest.raises(ValueError, match="no variable takes its rate from the pattern 'moving'"):
        optimizer(model, {".*": 0.1, "moving": 0.1}, "sgd")


@pytest.mark.parametrize(
    ("rates", "message"),
    [
        ({"tail": 0.1, ".*": 0.1}, "from the pattern 'tail'.*body/kernel"),
        ({".*": 0.1, "head": 0.1}, "from the pattern 'head'"),
        ({"head": 0.1, "neck": 0.1}, "no pattern matches body/kernel, body/bias"),
        ({".*": 0.0}, "no variable learns"),
    ],
)
def test_patterns_that_do_not_fit(rates, message):
    with pytest.raises(ValueError, match=message):
        optimizer(network(), rates, "sgd")


@pytest.mark.parametrize(
    ("kind", "message"),
    [("sdg", "Did you mean 'sgd'"), ({"name": "sgd", "momentun": 0.9}, "Did you mean 'momentum'")],
)
def test_unknown_optimizers(kind, message):
    with pytest.raises(ValueError, match=message):
        optimizer(network(), {".*": 0.1}, kind)


def test_saved_with_its_model_it_goes_on(tmp_path):
    model = network()
    rates = {"head": 0.2, ".*": 0.1}
    fit(model, optimizer(model, rates, {"name": "sgd", "momentum": 0.9}))
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    x, y = np.ones((4, 3)), 9 * np.ones((4, 2))
    for one in (model, loaded):
        one.fit(x, y, verbose=0)
    for own, other in zip(model.get_weights(), loaded.get_weights(), strict=True):
        np.testing.assert_allclose(own, other, atol=1e-6)
