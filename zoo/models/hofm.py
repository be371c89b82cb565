from keras import ops

from zoo.checks import check_boolean
from zoo.checks import check_integer
from zoo.checks import check_positive_integers
from zoo.layers import ElementarySymmetric
from zoo.layers import FactorizationMachine
from zoo.models.ctr_model import CTRModel
from zoo.registry import network


@network
class HOFM(CTRModel):
    """HOFM: a factorization machine over subsets of more than two fields.

    With `E_k = sum_{i1<...<ik} <v_i1, ..., v_ik>`, the sum over all subsets of
    `k` fields of the sum of the product by element:
    `sigmoid(linear(ids, dense) + E_2 + ... + E_order + bias)`. Each order has
    embeddings of its own. No subset is enumerated.

    Args:
        schema: `zoo.FeatureSchema`, the columns of the click log.
        order: integer of at least 2, the size of the largest subsets. Defaults
            to `3`.
        shared_table: boolean, whether all orders share one table. Defaults to
            `False`.
        order_dims: tuple of integers, the lengths of the embeddings of orders
            2, 3, ..., `order`. Defaults to `()`, `embedding_dim` for each.
        **shared: arguments of `zoo.CTRModel`, such as `embedding_dim`; it has
            no hidden layers.

    Raises:
        ValueError: if `order_dims` fits no order, or `order` is larger than the
            number of fields.

    Example:

    ```python
    model = zoo.HOFM(zoo.FeatureSchema(["price"], {"site": 1000, "hour": 26}))
    model.compile(optimizer=keras_cowclip.CowClip(), loss="binary_crossentropy")
    ```

    Reference:
    - [Blondel et al., 2016](https://arxiv.org/abs/1607.07195)
    """

    DENSE = "embed"
    ORIGINALS = ("FuxiCTR",)
    SEARCH_SPACE = {
        "order": (2, 4),
    }

    def __init__(
        self, schema, *, order=3, shared_table=False, order_dims=(), **shared
    ):
        check_integer("order", order, 2)
        check_boolean("shared_table", shared_table)
        check_positive_integers("order_dims", order_dims)
        needed = 0 if shared_table else order - 1
        if len(order_dims) not in (0, needed):
            raise ValueError(
                "`order_dims` must be empty, or have a length for each order "
                "from 2 on that has a table of its own. Received: "
                f"order_dims={order_dims!r} with order={order} and "
                f"shared_table={shared_table}"
            )
        self.order = order
        self.shared_table = shared_table
        self.order_dims = tuple(order_dims)
        super().__init__(schema, **shared)

    def logits(self, x):
        if self.order > len(x.names):
            raise ValueError(
                "`order` must be at most the number of fields, "
                f"{len(x.names)}. Received: order={self.order}"
            )
        tables = self._tables(x)
        parts = [x.linear(), FactorizationMachine(name="fm")(tables[0])]
        if self.shared_table:
            return [*parts, *self._of_one_table(tables[0])]
        for k, vectors in enumerate(tables[1:], start=3):
            # In float32, because the terms of sums of powers cancel each other.
            sums = ElementarySymmetric(
                k, dtype="float32", name=f"subsets_of_{k}"
            )(vectors)
            parts.append(ops.sum(sums[:, k - 1], axis=-1, keepdims=True))
        return parts

    def _tables(self, x):
        dims = self.order_dims or (self.embedding_dim,) * (self.order - 1)
        if self.shared_table:
            return [x.embeddings]
        first = x.embeddings_of("embeddings", dims[0])
        return [first] + [
            x.embeddings_of(f"embeddings_{k}", dim)
            for k, dim in enumerate(dims[1:], start=3)
        ]

    def _of_one_table(self, vectors):
        if self.order == 2:
            return []
        sums = ElementarySymmetric(self.order, dtype="float32", name="subsets")(
            vectors
        )
        return [ops.sum(sums[:, 2:], axis=(1, 2))[:, None]]
