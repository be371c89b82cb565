from typing import Any

import keras

from keras_cowclip.scaling import scale_hyperparameters


def settings_at_batch(
    optimizer: keras.optimizers.Adam,
    base_batch_size: int,
    batch_size: int,
    rule: str,
    embedding_l2: float,
    embedding_batch_size: int | None,
) -> dict[str, Any]:
    """Returns the arguments of a `CowClip` that takes the place of an Adam.

    Args, and errors raised: see `CowClip.from_optimizer`.
    """
    is_adam = isinstance(optimizer, keras.optimizers.Adam)
    # On PyTorch Keras derives another class of the same name from each.
    if not is_adam or type(optimizer).__name__ not in ("Adam", "AdamW"):
        raise ValueError(
            "`optimizer` must be a `keras.optimizers.Adam` or `AdamW`. "
            f"Received: optimizer={optimizer!r}"
        )
    settings = optimizer.get_config()
    if not isinstance(settings["learning_rate"], float):
        raise ValueError(
            "The learning rate of `optimizer` must be a float: a schedule "
            "counts steps, of which a larger batch takes fewer. Give the "
            "rate that the schedule starts from, and pass a schedule for the "
            "new number of steps as `learning_rate`. Received: "
            f"learning_rate={settings['learning_rate']}"
        )
    scaled = scale_hyperparameters(
        batch_size,
        base_batch_size,
        rule,
        learning_rate=settings["learning_rate"],
        embedding_learning_rate=settings["learning_rate"],
        embedding_l2=embedding_l2,
        beta_1=settings["beta_1"],
        beta_2=settings["beta_2"],
        epsilon=settings["epsilon"],
        embedding_batch_size=embedding_batch_size,
    )
    del settings["name"]
    return {**settings, **scaled}
