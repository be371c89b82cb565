"""Trains DeepFM of torch-rechub.

It has batch normalization in its MLP, and no weight of its own for each id.
"""

import numpy as np
import torch
from measuring import EMBEDDING_DIM
from measuring import HIDDEN_UNITS
from measuring import loop
from measuring import main
from torch_rechub.basic.features import DenseFeature
from torch_rechub.basic.features import SparseFeature
from torch_rechub.models.ranking import DeepFM
from torch_rechub.trainers import CTRTrainer
from torch_rechub.utils.data import DataGenerator


def make(clicks):
    sparse = [
        SparseFeature(f"C{i}", int(size), embed_dim=EMBEDDING_DIM)
        for i, size in enumerate(clicks.sizes)
    ]
    dense = [DenseFeature(f"I{i}") for i in range(clicks.dense.shape[1])]
    model = DeepFM(
        deep_features=sparse + dense,
        fm_features=sparse,
        mlp_params={"dims": HIDDEN_UNITS},
    )
    # Without parameters it has an l2.
    trainer = CTRTrainer(model, optimizer_params={"lr": 1e-3})

    def fit(steps):
        rows = clicks.repeated(steps)
        data = DataGenerator(rows.columns(), rows.labels.astype(np.float32))
        batches, *_ = data.generate_dataloader(batch_size=len(clicks.labels))
        # Its `fit` is this for each epoch, and writes a checkpoint at the end.
        return lambda: trainer.train_one_epoch(batches)

    return {"bare step": loop(bare_step(trainer, clicks)), "fit": fit}


def bare_step(trainer, clicks):
    inputs = {k: torch.from_numpy(v) for k, v in clicks.columns().items()}
    labels = torch.from_numpy(clicks.labels).float()
    trainer.model.train()

    def step():
        loss = trainer.criterion(trainer.model(inputs), labels)
        trainer.model.zero_grad()
        loss.backward()
        trainer.optimizer.step()

    return step


if __name__ == "__main__":
    main(make, "torch-rechub", "torch")
