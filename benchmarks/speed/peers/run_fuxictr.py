"""Trains DeepFM built from FuxiCTR's layers: its package has no networks.

It embeds numbers too, so its MLP is wider by 117 inputs, and it clips the norm
of each gradient. See https://github.com/reczoo/FuxiCTR/tree/main/model_zoo.
"""

import atexit
import shutil
import tempfile
from pathlib import Path

import numpy as np
import torch
from fuxictr.features import FeatureMap
from fuxictr.pytorch import layers
from fuxictr.pytorch.dataloaders import RankDataLoader
from fuxictr.pytorch.models import BaseModel
from measuring import EMBEDDING_DIM
from measuring import HIDDEN_UNITS
from measuring import loop
from measuring import main


class DeepFM(BaseModel):
    def __init__(self, features, folder):
        super().__init__(
            features,
            model_id="DeepFM",
            model_root=str(folder),
            metrics=["AUC"],
            verbose=0,
        )
        self.embedding_layer = layers.FeatureEmbedding(features, EMBEDDING_DIM)
        self.fm = layers.FactorizationMachine(features)
        self.mlp = layers.MLP_Block(
            input_dim=features.num_fields * EMBEDDING_DIM,
            output_dim=1,
            hidden_units=HIDDEN_UNITS,
        )
        self.compile("adam", "binary_cross_entropy", 1e-3)
        self.reset_parameters()
        self.model_to_device()

    def forward(self, inputs):
        inputs = self.get_inputs(inputs)
        vectors = self.embedding_layer(inputs)
        logit = self.fm(inputs, vectors) + self.mlp(vectors.flatten(1))
        return {"y_pred": self.output_activation(logit)}

    # `fit` evaluates after an epoch, and restores what it saved then.
    def eval_step(self):
        pass

    def load_weights(self, checkpoint):
        pass


def feature_map(clicks, folder):
    features = FeatureMap("clicks", str(folder))
    for i, size in enumerate(clicks.sizes):
        features.features[f"C{i}"] = {
            "source": "",
            "type": "categorical",
            "vocab_size": int(size),
        }
    for i in range(clicks.dense.shape[1]):
        features.features[f"I{i}"] = {"source": "", "type": "numeric"}
    features.labels = ["click"]
    features.num_fields = features.get_num_fields()
    features.default_emb_dim = EMBEDDING_DIM
    features.set_column_index()
    return features


def make(clicks):
    folder = Path(tempfile.mkdtemp())
    atexit.register(shutil.rmtree, folder)
    features = feature_map(clicks, folder)
    model = DeepFM(features, folder)

    def fit(steps):
        rows = clicks.repeated(steps)
        path = folder / "rows.npz"
        np.savez(path, **rows.columns(), click=rows.labels)
        batches, _ = RankDataLoader(
            features,
            stage="train",
            train_data=str(path),
            batch_size=len(clicks.labels),
            shuffle=False,
        )
        return lambda: model.fit(batches)

    return {"bare step": loop(bare_step(model, clicks)), "fit": fit}


def bare_step(model, clicks):
    batch = {k: torch.from_numpy(v) for k, v in clicks.columns().items()}
    batch["click"] = torch.from_numpy(clicks.labels)
    model._max_gradient_norm = 10.0
    model.train()
    return lambda: model.train_step(batch)


if __name__ == "__main__":
    main(make, "fuxictr", "torch")
