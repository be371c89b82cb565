from zoo.models.blocks import click_inputs
from zoo.models.blocks import click_output
from zoo.models.blocks import embed_fields
from zoo.models.blocks import flatten_features
from zoo.models.blocks import hidden_layers
from zoo.models.blocks import linear_logit
from zoo.models.blocks import logit
from zoo.models.ctr_model import CTRModel
from zoo.models.ctr_model import check_arguments
from zoo.registry import network


@network("wide_deep")
class WideDeep(CTRModel):
    """Wide & Deep: a linear model beside a multilayer perceptron.

    `sigmoid(linear(ids, dense) + mlp([embeddings, dense]) + bias)`. The
    simplest of the four networks and a strong baseline.

    Args:
        schema: `zoo.FeatureSchema`, the columns of the click log.
        embedding_dim: integer. Length of an id's embedding. Defaults to `10`.
        hidden_units: tuple of integers. Widths of the ReLU layers. Defaults to
            `(400, 400, 400)`.
        dropout: float in `[0, 1)`, after every hidden layer. Defaults to `0.0`.
        linear_l2: float. L2 on the linear weights of the dense columns; the
            paper's recipe gives it the optimizer's `embedding_l2`. Defaults to
            `0.0`.
        embedding_deviation: float, positive. Standard deviation of the initial
            embeddings, drawn around 0. Defaults to `1e-2`, the paper's.
        dtype: string or `keras.DTypePolicy`, such as `"mixed_bfloat16"`.
            Defaults to `None`, Keras' global policy.
        **kwargs: other arguments of `keras.Model`, such as `name`.

    Input shape:
        Dict of `"dense"`, `(batch, num_dense)` float32, and `"ids"`,
        `(batch, num_fields)` int32, each column's ids in its own vocabulary.

    Output shape:
        `(batch, 1)`, the probability of a click.

    Raises:
        ValueError: for an argument out of its range.

    Example:

    ```python
    schema = zoo.FeatureSchema(["price"], {"site": 1000, "hour": 26})
    model = zoo.WideDeep(schema)
    model.compile(optimizer=keras_cowclip.CowClip(), loss="binary_crossentropy")
    random = np.random.default_rng(0)
    dense = random.random((4096, 1), "float32")
    ids = random.integers(0, [1000, 26], (4096, 2), "int32")
    clicks = random.integers(0, 2, (4096, 1))
    model.fit({"dense": dense, "ids": ids}, clicks, batch_size=4096)
    ```

    Reference:
    - [Cheng et al., 2016](https://arxiv.org/abs/1606.07792)
    """

    def __init__(
        self,
        schema,
        embedding_dim=10,
        hidden_units=(400, 400, 400),
        dropout=0.0,
        linear_l2=0.0,
        embedding_deviation=1e-2,
        dtype=None,
        **kwargs,
    ):
        check_arguments(
            schema,
            dtype=dtype,
            linear_l2=linear_l2,
            embedding_dim=embedding_dim,
            hidden_units=hidden_units,
            dropout=dropout,
            embedding_deviation=embedding_deviation,
        )
        inputs = click_inputs(schema)
        embeddings = embed_fields(
            schema, inputs, embedding_dim, embedding_deviation, dtype
        )
        features = flatten_features(embeddings, inputs, dtype)
        deep = hidden_layers(features, hidden_units, dropout, dtype)
        logits = [
            linear_logit(schema, inputs, linear_l2, dtype),
            logit(deep, dtype),
        ]
        arguments = {
            "schema": schema,
            "embedding_dim": embedding_dim,
            "hidden_units": list(hidden_units),
            "dropout": dropout,
            "linear_l2": linear_l2,
            "embedding_deviation": embedding_deviation,
        }
        super().__init__(
            inputs, click_output(logits), arguments, dtype=dtype, **kwargs
        )
