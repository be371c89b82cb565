from keras import ops

from zoo.layers import FieldAwarePairs
from zoo.models.ctr_model import CTRModel
from zoo.registry import network


@network
class FFM(CTRModel):
    """FFM: a factorization machine with a vector of an id for each field.

    `sigmoid(linear(ids, dense) + sum_{i<j} <v_i^j, v_j^i> + bias)`: of the
    `fields - 1` vectors of an id, `v_i^j` is the one that faces field `j`. They
    lie side by side in one row of one table.

    Its arguments are those of `zoo.CTRModel`; it has no hidden layers.
    `embedding_dim` is the length of one vector, so that a row has
    `embedding_dim * (fields - 1)` numbers.

    Example:

    ```python
    schema = zoo.FeatureSchema(["price"], {"site": 1000, "hour": 26})
    model = zoo.FFM(schema, embedding_dim=4)
    model.compile(optimizer=keras_cowclip.CowClip(), loss="binary_crossentropy")
    ```

    Reference:
    - [Juan et al., 2016](https://doi.org/10.1145/2959100.2959134), section 3.
    """

    DENSE = "embed"
    ORIGINALS = ("FuxiCTR",)
    SEARCH_SPACE = {}

    def logits(self, x):
        vectors = field_aware_vectors(x, len(x.names) - 1, self.embedding_dim)
        products = FieldAwarePairs(name="pairs")(vectors)
        return [x.linear(), ops.sum(products, axis=1, keepdims=True)]


def field_aware_vectors(x, vectors, dim):
    """Returns several vectors of each field, from one row of one table.

    Args:
        x: `zoo.models.batch_features.Features`.
        vectors: integer, the number of vectors of a field.
        dim: integer, the length of a vector.

    Returns:
        `(batch, fields, vectors, dim)`.
    """
    fields = len(x.names)
    if fields < 2:
        raise ValueError(
            "There must be at least two fields, to face each other. "
            f"Received: {x.names}"
        )
    rows = x.embeddings_of("embeddings", vectors * dim)
    return ops.reshape(rows, (-1, fields, vectors, dim))
