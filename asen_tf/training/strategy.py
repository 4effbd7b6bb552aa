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
        split("CPU", logical_cpus)
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


def split(kind: str, count: int, memory_mb: int | None = None) -> list[str]:
    """Splits the first device of a kind, and gives the names of its parts.

    Args:
      kind: "CPU" or "GPU".
      count: of parts.
      memory_mb: of each; a GPU needs it.

    Raises:
      RuntimeError: TensorFlow uses it already.
    """
    device = tf.config.list_physical_devices(kind)[0]
    parts = [tf.config.LogicalDeviceConfiguration(memory_limit=memory_mb) for _ in range(count)]
    try:
        tf.config.set_logical_device_configuration(device, parts)
    except RuntimeError as error:
        raise RuntimeError(
            f"a {kind} must be split before TensorFlow touches a device in this process"
        ) from error
    return [f"/{kind.lower()}:{n}" for n in range(count)]
