"""Where training runs: one device, several, or several machines."""

import tensorflow as tf

from asen_client.core.errors import unknown_name
from asen_tf.core.choices import STRATEGIES


def create(name: str = "default", logical_cpus: int = 0) -> tf.distribute.Strategy:
    """The strategy of that name. Call it before anything else touches a device.

    Args:
      name: "default": one device; "mirrored": all devices of this machine; "multi_worker": those
        of the machines that the environment variable TF_CONFIG lists.
      logical_cpus: splits the processor into so many devices, to try the others without GPUs.
    """
    if name not in STRATEGIES:
        raise ValueError(unknown_name("strategy", name, STRATEGIES))
    if logical_cpus:
        _split_cpu(logical_cpus)
    if name == "default":
        return tf.distribute.get_strategy()
    if name == "multi_worker":
        return tf.distribute.MultiWorkerMirroredStrategy()
    if logical_cpus:
        return tf.distribute.MirroredStrategy([f"/cpu:{n}" for n in range(logical_cpus)])
    return tf.distribute.MirroredStrategy()


def is_chief(strategy: tf.distribute.Strategy) -> bool:
    """Whether this process writes what the run leaves behind."""
    resolver = strategy.cluster_resolver
    return (
        resolver is None
        or not resolver.task_type
        or (
            resolver.task_type == "chief"
            or (resolver.task_type == "worker" and resolver.task_id == 0)
        )
    )


def _split_cpu(count):
    cpu = tf.config.list_physical_devices("CPU")[0]
    devices = [tf.config.LogicalDeviceConfiguration() for _ in range(count)]
    try:
        tf.config.set_logical_device_configuration(cpu, devices)
    except RuntimeError as error:
        raise RuntimeError(
            "logical_cpus must be set before TensorFlow touches a device in this process"
        ) from error
