"""Trains DeepFM of DeepCTR-Torch."""

import torch
from deepctr_torch.inputs import DenseFeat
from deepctr_torch.inputs import SparseFeat
from deepctr_torch.models import DeepFM
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
    inputs = torch.cat(
        [torch.from_numpy(clicks.ids), torch.from_numpy(clicks.dense)], dim=1
    ).float()
    labels = torch.from_numpy(clicks.labels).float()
    model.train()

    def step():
        model.optim.zero_grad()
        predicted = model(inputs).squeeze(-1)
        model.loss_func(predicted, labels, reduction="sum").backward()
        model.optim.step()

    return step


if __name__ == "__main__":
    main(make, "deepctr-torch", "torch")
