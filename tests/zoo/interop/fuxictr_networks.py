"""FuxiCTR's networks, which its package leaves out, from its own layers.

Attributes have the names of https://github.com/reczoo/FuxiCTR/tree/main/model_zoo,
so that state dicts have the keys of published checkpoints.
"""

import torch
from fuxictr.pytorch import layers
from fuxictr.pytorch.models import BaseModel


class Network(BaseModel):
    """The base class of the networks: embeddings in, a probability out."""

    def __init__(self, feature_map, folder, embedding_dim=10, **settings):
        super().__init__(
            feature_map,
            model_id=type(self).__name__,
            model_root=str(folder),
            metrics=["AUC"],
            verbose=0,
        )
        if type(self) is not LR:
            self.embedding_layer = layers.FeatureEmbedding(
                feature_map, embedding_dim
            )
        self.lay_out(
            feature_map, feature_map.num_fields * embedding_dim, **settings
        )

    def forward(self, inputs):
        return self.output_activation(self.logit(self.get_inputs(inputs)))


def perceptron(width, units, output_dim, activations, net_dropout, batch_norm):
    return layers.MLP_Block(
        input_dim=width,
        output_dim=output_dim,
        hidden_units=list(units),
        hidden_activations=activations,
        dropout_rates=net_dropout,
        batch_norm=batch_norm,
    )


class LR(Network):
    def lay_out(self, feature_map, width):
        self.lr_layer = layers.LogisticRegression(feature_map, use_bias=True)

    def logit(self, x):
        return self.lr_layer(x)


class FM(Network):
    def lay_out(self, feature_map, width):
        self.fm = layers.FactorizationMachine(feature_map)

    def logit(self, x):
        return self.fm(x, self.embedding_layer(x))


class WideDeep(Network):
    def lay_out(
        self,
        feature_map,
        width,
        hidden_units=(64, 64, 64),
        hidden_activations="ReLU",
        net_dropout=0,
        batch_norm=False,
    ):
        self.lr_layer = layers.LogisticRegression(feature_map, use_bias=False)
        self.dnn = perceptron(
            width, hidden_units, 1, hidden_activations, net_dropout, batch_norm
        )

    def logit(self, x):
        return self.lr_layer(x) + self.dnn(self.embedding_layer(x).flatten(1))


class DeepFM(Network):
    def lay_out(
        self,
        feature_map,
        width,
        hidden_units=(64, 64, 64),
        hidden_activations="ReLU",
        net_dropout=0,
        batch_norm=False,
    ):
        self.fm = layers.FactorizationMachine(feature_map)
        self.mlp = perceptron(
            width, hidden_units, 1, hidden_activations, net_dropout, batch_norm
        )

    def logit(self, x):
        embeddings = self.embedding_layer(x)
        return self.fm(x, embeddings) + self.mlp(embeddings.flatten(1))


class DCN(Network):
    def lay_out(
        self,
        feature_map,
        width,
        dnn_hidden_units=(),
        dnn_activations="ReLU",
        num_cross_layers=3,
        net_dropout=0,
        batch_norm=False,
    ):
        units = dnn_hidden_units
        self.dnn = None
        if units:
            self.dnn = perceptron(
                width, units, None, dnn_activations, net_dropout, batch_norm
            )
        self.crossnet = layers.CrossNet(width, num_cross_layers)
        self.fc = torch.nn.Linear(width + (units[-1] if units else 0), 1)

    def logit(self, x):
        features = self.embedding_layer(x, flatten_emb=True)
        joined = [self.crossnet(features)]
        if self.dnn is not None:
            joined.append(self.dnn(features))
        return self.fc(torch.cat(joined, dim=-1))


class DCNv2(Network):
    def lay_out(
        self,
        feature_map,
        width,
        model_structure="parallel",
        use_low_rank_mixture=False,
        low_rank=32,
        num_experts=4,
        stacked_dnn_hidden_units=(),
        parallel_dnn_hidden_units=(),
        dnn_activations="ReLU",
        num_cross_layers=3,
        net_dropout=0,
        batch_norm=False,
    ):
        if use_low_rank_mixture:
            self.crossnet = layers.CrossNetMix(
                width, num_cross_layers, low_rank, num_experts
            )
        else:
            self.crossnet = layers.CrossNetV2(width, num_cross_layers)
        settings = (None, dnn_activations, net_dropout, batch_norm)
        final = width
        if "stacked" in model_structure:
            units = stacked_dnn_hidden_units
            self.stacked_dnn = perceptron(width, units, *settings)
            final = units[-1]
        if "parallel" in model_structure:
            units = parallel_dnn_hidden_units
            self.parallel_dnn = perceptron(width, units, *settings)
            final += units[-1]
        self.fc = torch.nn.Linear(final, 1)

    def logit(self, x):
        features = self.embedding_layer(x, flatten_emb=True)
        crossed = self.crossnet(features)
        if hasattr(self, "stacked_dnn"):
            crossed = self.stacked_dnn(crossed)
        joined = [crossed]
        if hasattr(self, "parallel_dnn"):
            joined.append(self.parallel_dnn(features))
        return self.fc(torch.cat(joined, dim=-1))
