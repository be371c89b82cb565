"""One batch over several devices: what is summed, and what is refused."""

import keras


def refuse_over_replicas(optimizer):
    """Raises for what differs from one device in a `tf.distribute` strategy."""
    if keras.backend.backend() != "tensorflow":
        return
    import tensorflow as tf

    replicas = tf.distribute.get_strategy().num_replicas_in_sync
    if replicas == 1:
        return
    reasons = {
        **dict.fromkeys(
            ("gradient_accumulation_steps", "ema_overwrite_frequency"),
            "Keras updates in a branch, and TensorFlow does not let replicas "
            "meet there",
        ),
        **dict.fromkeys(
            ("clipnorm", "global_clipnorm", "clipvalue"),
            "Keras clips the gradient of each replica before it sums them",
        ),
    }
    for name, reason in reasons.items():
        value = getattr(optimizer, name)
        if value:
            raise NotImplementedError(
                f"`{name}` does not work under a `tf.distribute` strategy of "
                f"several replicas: {reason}. "
                f"Received: {name}={value}, {replicas} replicas"
            )


def trains_alone() -> bool:
    """Whether this process has the whole batch, on one device."""
    backend = keras.backend.backend()
    if backend == "tensorflow":
        import tensorflow as tf

        return tf.distribute.get_strategy().num_replicas_in_sync == 1
    if backend == "torch":
        from torch import distributed

        return not (distributed.is_available() and distributed.is_initialized())
    return keras.distribution.distribution() is None


def sum_over_replicas(counts):
    """Sums the counts of all devices that share a batch.

    On JAX the batch is one array, whatever the number of devices, and its
    counts are global to begin with.
    """
    backend = keras.backend.backend()
    if backend == "tensorflow":
        import tensorflow as tf

        replica = tf.distribute.get_replica_context()
        if replica is not None and replica.num_replicas_in_sync > 1:
            return replica.all_reduce(tf.distribute.ReduceOp.SUM, counts)
    elif backend == "torch":
        from torch import distributed

        if distributed.is_available() and distributed.is_initialized():
            # Under DistributedDataParallel every rank has the average, and
            # the sum of the averages is the sum of the counts.
            counts = counts.clone()
            distributed.all_reduce(counts)
    return counts
