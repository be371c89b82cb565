"""What XLA makes of an update."""

from keras_cowclip import CowClip
from keras_cowclip import CowClipEmbedding


def compiled_update(optimizer: CowClip, rows: int, columns: int) -> str:
    """The program of one update of a table on a CPU, as text."""
    import jax

    with jax.default_device(jax.devices("cpu")[0]):
        layer = CowClipEmbedding(rows, columns)
        layer.build()
        optimizer.build(layer.trainable_variables)
        weights = [variable.value for variable in layer.trainable_variables]
        state = [variable.value for variable in optimizer.variables]
        update = jax.jit(optimizer.stateless_apply)
        return update.lower(state, weights, weights).compile().as_text()
