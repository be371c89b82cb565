"""Trains DeepFM of DeepCTR, on TensorFlow."""

import tensorflow as tf
from deepctr.feature_column import DenseFeat
from deepctr.feature_column import SparseFeat
from deepctr.models import DeepFM
from measuring import EMBEDDING_DIM
from measuring import HIDDEN_UNITS
from measuring import loop
from measuring import main


def make(clicks):
    features = [
        *(
            SparseFeat(f"C{i}", int(size), embedding_dim=EMBEDDING_DIM)
            for i, size in enumerate(clicks.sizes)
        ),
        *(DenseFeat(f"I{i}", 1) for i in range(clicks.dense.shape[1])),
    ]
    model = DeepFM(
        features,
        features,
        dnn_hidden_units=HIDDEN_UNITS,
        l2_reg_linear=0,
        l2_reg_embedding=0,
    )
    model.compile("adam", "binary_crossentropy")

    def fit(steps):
        rows = clicks.repeated(steps)
        columns = rows.columns()
        return lambda: model.fit(
            columns,
            rows.labels,
            batch_size=len(clicks.labels),
            shuffle=False,
            verbose=0,
        )

    return {"bare step": loop(bare_step(model, clicks)), "fit": fit}


def bare_step(model, clicks):
    inputs = {k: tf.constant(v) for k, v in clicks.columns().items()}
    labels = tf.constant(clicks.labels)
    return tf.function(lambda: model.train_step((inputs, labels)))


if __name__ == "__main__":
    main(make, "deepctr", "tensorflow", "tf-keras")
