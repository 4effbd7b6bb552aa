"""ASEN on the Clothing Attribute Dataset (1 856 street photographs), small, from scratch."""

from asen_tf.core import config as configs


def get_config():
    config = configs.defaults()
    config.data.format = "clothing_attributes"
    config.model.global_branch.update(configs.branch("resnet18", size=112, common_dim=256))
    config.model.local_branch.update(configs.branch("resnet18", size=56, common_dim=128))
    config.model.global_branch.embedding_dim = 512
    config.model.local_branch.embedding_dim = 512
    config.model.attribute_dim = 256
    config.train.sampling = "multi_attribute"
    config.train.batch_size = 48
    config.train.local_attributes = 3
    config.train.steps_per_epoch = 27
    config.augment.flip = True
    config.augment.shift = 0.06
    config.eval.every_epochs = 5
    config.stage1.epochs = 40
    config.stage1.rates = {"global": 3e-4}
    config.stage1.schedule = {"name": "constant"}
    config.stage2.epochs = 10
    config.stage2.rates = {"global": 3e-5, "local": 3e-4}
    config.stage2.schedule = {"name": "constant"}
    return config
