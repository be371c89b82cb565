import keras
import numpy as np

from zoo.checks import check_positive_integer


@keras.saving.register_keras_serializable(package="zoo")
class FeatureSchema:
    """The columns of an encoded click log: what a model is built from.

    Every model of the zoo reads `{"dense": (batch, num_dense) float32,
    "ids": (batch, num_fields) int32}`, columns in the order given here. Ids
    are per field: field `f` has ids in `[0, vocabulary_size of f)`, with 0 for
    missing and 1 for "not in the vocabulary" where `zoo.encoding` made them.

    Args:
        dense: list of the names of the numeric columns; may be empty.
        categorical: dict from the name of each categorical field to its
            vocabulary size (largest id + 1).
        label: string. Name of the 0/1 column. Defaults to `"label"`.

    Raises:
        ValueError: for repeated names, no field, or a size that is not a
            positive integer.

    Example:

    >>> schema = zoo.FeatureSchema(
    ...     dense=["price"], categorical={"site": 1000, "hour": 26}
    ... )
    >>> schema.num_dense, schema.num_fields, schema.num_ids
    (1, 2, 1026)
    """

    def __init__(self, dense, categorical, label="label"):
        self.dense = list(dense)
        self.categorical = {}
        for name, size in dict(categorical).items():
            check_positive_integer(f"categorical[{name!r}]", size)
            self.categorical[name] = int(size)
        self.label = label
        if not self.categorical:
            raise ValueError(
                "`categorical` must name at least one field. "
                f"Received: categorical={categorical}"
            )
        names = [*self.dense, *self.categorical, label]
        if len(set(names)) != len(names):
            raise ValueError(
                "The names of columns must differ from each other. "
                f"Received: {names}"
            )
        if self.num_ids > 2**31 - 1:
            raise ValueError(
                "The vocabulary sizes must sum to less than 2**31: all fields "
                f"share one table with int32 ids. Received: {self.num_ids}"
            )

    @property
    def num_dense(self):
        """Number of numeric columns."""
        return len(self.dense)

    @property
    def num_fields(self):
        """Number of categorical fields."""
        return len(self.categorical)

    @property
    def vocabulary_sizes(self):
        """List of the fields' vocabulary sizes, in their order."""
        return list(self.categorical.values())

    @property
    def num_ids(self):
        """Rows of the table that all fields share."""
        return sum(self.categorical.values())

    def check(self, inputs):
        """Raises unless a batch of NumPy arrays fits this schema.

        Args:
            inputs: `{"dense": (batch, num_dense), "ids": (batch, num_fields)}`.

        Raises:
            ValueError: naming the column, for a missing input, a wrong shape,
                ids that are not integers or outside their field's vocabulary,
                or NaN or infinity in the dense input.

        Example:

        >>> schema = zoo.FeatureSchema(["price"], {"site": 10})
        >>> schema.check({"dense": np.ones((4, 1)), "ids": np.full((4, 1), 9)})
        """
        if not isinstance(inputs, dict) or set(inputs) != {"dense", "ids"}:
            received = sorted(inputs) if isinstance(inputs, dict) else inputs
            raise ValueError(
                "The inputs must be a dict with the keys 'dense' and 'ids'. "
                f"Received: {received}"
            )
        dense, ids = np.asarray(inputs["dense"]), np.asarray(inputs["ids"])
        for name, array, width in (
            ("dense", dense, self.num_dense),
            ("ids", ids, self.num_fields),
        ):
            if array.ndim != 2 or array.shape[1] != width:
                raise ValueError(
                    f"`{name}` must have shape (batch, {width}). "
                    f"Received: shape {array.shape}"
                )
        self._check_ids(ids)
        self._check_dense(dense)

    def _check_ids(self, ids):
        if not np.issubdtype(ids.dtype, np.integer):
            raise ValueError(
                f"`ids` must be integers. Received: dtype={ids.dtype}"
            )
        if not len(ids):
            return
        smallest, largest = ids.min(axis=0), ids.max(axis=0)
        for i, (field, size) in enumerate(self.categorical.items()):
            if smallest[i] < 0 or largest[i] >= size:
                id = smallest[i] if smallest[i] < 0 else largest[i]
                row = int(np.argmax(ids[:, i] == id))
                raise ValueError(
                    f"`ids` of field '{field}' must be in [0, {size}), its "
                    f"vocabulary. Received: id {id} in row {row}"
                )

    def _check_dense(self, dense):
        # A finite sum proves that all terms are finite and needs no copy. A sum
        # that is not finite may have overflowed, so the values are checked.
        with np.errstate(invalid="ignore", over="ignore"):
            if np.isfinite(dense.sum(dtype="float64")):
                return
        rows, columns = np.nonzero(~np.isfinite(dense))
        if len(rows):
            raise ValueError(
                f"`dense` column '{self.dense[columns[0]]}' must be finite. "
                f"Received: {dense[rows[0], columns[0]]} in row {rows[0]}"
            )

    def get_config(self):
        """Returns the arguments as a dict that is ready for JSON.

        Example:

        >>> zoo.FeatureSchema(["price"], {"site": 10}).get_config()
        {'dense': ['price'], 'categorical': [['site', 10]], 'label': 'label'}
        """
        return {
            "dense": list(self.dense),
            # A list of pairs: JSON objects promise no order.
            "categorical": [[n, s] for n, s in self.categorical.items()],
            "label": self.label,
        }

    @classmethod
    def from_config(cls, config):
        """Makes a schema of what `get_config` returned.

        Args:
            config: dict.

        Example:

        >>> schema = zoo.FeatureSchema(["price"], {"site": 10})
        >>> zoo.FeatureSchema.from_config(schema.get_config()) == schema
        True
        """
        return cls(**config)

    def __eq__(self, other):
        return (
            isinstance(other, FeatureSchema)
            and self.get_config() == other.get_config()
        )

    def __repr__(self):
        return (
            f"FeatureSchema(dense={self.dense}, "
            f"categorical={self.categorical}, label={self.label!r})"
        )
