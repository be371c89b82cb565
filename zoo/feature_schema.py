import keras
import numpy as np

from zoo.checks import check_instance
from zoo.checks import check_positive_integer
from zoo.checks import did_you_mean
from zoo.sequence import Sequence

PADDING = -1
"""Pads the rows of a sequence to its length. It is no id, and no event."""


@keras.saving.register_keras_serializable(package="zoo")
class FeatureSchema:
    """The columns of an encoded click log: what a model is built from.

    Every model of the zoo reads a dict of arrays, see `inputs`: `"dense"`
    `(batch, num_dense)` float32, `"ids"` `(batch, num_fields)` int32, and for
    each sequence, under its name, `(batch, max_length)` int32; columns in the
    order given here. Ids are per vocabulary, in `[0, size)`, with 0 for missing
    and 1 for "not in the vocabulary" where `zoo.encoding` made them. Each field
    has a vocabulary; a sequence has that of a field, or its own.

    The last event of a sequence is the most recent one. A shorter sequence is
    padded with -1 in front. Padding is no event: it takes part in no sum, has
    no gradient, and is not counted.

    Args:
        dense: list of the names of the numeric columns; may be empty.
        categorical: dict from the name of each categorical field to its
            vocabulary size (largest id + 1).
        label: string. Name of the 0/1 column. Defaults to `"label"`.
        sequences: dict from names to `zoo.Sequence`. Defaults to `None`, no
            sequences.
        labels: names of the 0/1 columns where there are several, instead of
            `label`. A row may lack some, not all. Defaults to `None`.
        roles: dict from roles to a column or a list of columns, for networks
            that ask for them, such as `{"user": ["user"], "domain": "tab"}`.
            Defaults to `None`.
        weight: string. Name of the column of sample weights. Defaults to
            `None`.

    Raises:
        ValueError: for repeated names, no field, a size that is not a
            positive integer, or a sequence or role of an unknown column.

    Example:

    >>> schema = zoo.FeatureSchema(
    ...     dense=["price"],
    ...     categorical={"item": 1000, "hour": 26},
    ...     sequences={"history": zoo.Sequence("item", max_length=50)},
    ... )
    >>> schema.num_dense, schema.num_fields, schema.num_ids
    (1, 2, 1026)
    """

    def __init__(
        self,
        dense,
        categorical,
        label="label",
        sequences=None,
        labels=None,
        roles=None,
        weight=None,
    ):
        if isinstance(dense, str):
            raise ValueError(
                f"`dense` must be a list of names. Received: dense={dense!r}"
            )
        self.dense = list(dense)
        self.categorical = {}
        for name, size in dict(categorical).items():
            check_positive_integer(f"categorical[{name!r}]", size)
            self.categorical[name] = int(size)
        self.sequences = dict(sequences or {})
        self.labels = _labels(label, labels)
        self.roles = _roles(roles)
        self.weight = weight
        self._check_names()
        self._check_sequences()
        for role, columns in self.roles.items():
            for column in columns:
                self._check_column(f"`roles[{role!r}]`", column)
        if self.num_ids > 2**31 - 1:
            raise ValueError(
                "The vocabulary sizes must sum to less than 2**31: all fields "
                f"share one table with int32 ids. Received: {self.num_ids}"
            )

    @property
    def label(self):
        """Name of the label, of several the first."""
        return self.labels[0]

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
    def vocabularies(self):
        """Dict from each vocabulary's name to its size, in the table's order.

        First the fields, then the sequences that share no field's.
        """
        own = {
            name: sequence.vocabulary_size
            for name, sequence in self.sequences.items()
            if sequence.field is None
        }
        return {**self.categorical, **own}

    @property
    def num_ids(self):
        """Rows of the table that all vocabularies share."""
        return sum(self.vocabularies.values())

    @property
    def unshared_vocabularies(self):
        """Dict like `vocabularies` for a table in which sequences share none.

        The linear part has such a table: an item that was bought before and
        the item that is offered say different things about a click.
        """
        sequences = {
            name: self.vocabularies[self.vocabulary_of(name)]
            for name in self.sequences
        }
        return {**self.categorical, **sequences}

    def vocabulary_of(self, name):
        """Returns the name of a field's or a sequence's vocabulary.

        Args:
            name: string, a field or a sequence.

        Example:

        >>> history = zoo.Sequence("item", max_length=50)
        >>> zoo.FeatureSchema(
        ...     [], {"item": 9}, sequences={"history": history}
        ... ).vocabulary_of("history")
        'item'
        """
        sequence = self.sequences.get(name)
        return name if sequence is None else sequence.field or name

    @property
    def histories(self):
        """Tuple of histories, each a tuple of sequences of the same events."""
        groups = {name: [name] for name in self.sequences}
        for name, sequence in self.sequences.items():
            other = sequence.parallel_to
            if other is not None and groups[other] is not groups[name]:
                groups[name] += groups[other]
                groups.update(dict.fromkeys(groups[name], groups[name]))
        in_order = [
            tuple(other for other in self.sequences if other in groups[name])
            for name in self.sequences
        ]
        return tuple(dict.fromkeys(in_order))

    def columns_of(self, role):
        """Returns the columns of a role that a network needs.

        Args:
            role: string.

        Raises:
            ValueError: if the schema does not have it.

        Example:

        >>> zoo.FeatureSchema(
        ...     [], {"tab": 3}, roles={"domain": "tab"}
        ... ).columns_of("domain")
        ['tab']
        """
        if not self.roles.get(role):
            raise ValueError(
                f"The network needs the role '{role}': `roles` of the schema "
                f"must say which columns have it. Received: roles={self.roles}"
            )
        return list(self.roles[role])

    def inputs(self):
        """Returns what a batch holds: `{name: (width, dtype)}`.

        Each is an array of shape `(batch, width)`.

        Example:

        >>> zoo.FeatureSchema(["price"], {"site": 10, "hour": 26}).inputs()
        {'dense': (1, 'float32'), 'ids': (2, 'int32')}
        """
        return {
            "dense": (self.num_dense, "float32"),
            "ids": (self.num_fields, "int32"),
            **{
                name: (sequence.max_length, "int32")
                for name, sequence in self.sequences.items()
            },
        }

    def check(self, inputs):
        """Raises unless a batch of NumPy arrays fits this schema.

        Args:
            inputs: dict of arrays as `inputs()` describes them, of any number
                of rows.

        Raises:
            ValueError: naming the column, for a missing input, a wrong shape,
                ids that are not integers or outside their vocabulary, or NaN
                or infinity in the dense input.

        Example:

        >>> schema = zoo.FeatureSchema(["price"], {"site": 10})
        >>> schema.check({"dense": np.ones((4, 1)), "ids": np.full((4, 1), 9)})
        """
        expected = self.inputs()
        if not isinstance(inputs, dict) or set(inputs) != set(expected):
            received = sorted(inputs) if isinstance(inputs, dict) else inputs
            names = " and ".join(map(repr, expected))
            raise ValueError(
                f"The inputs must be a dict with the keys {names}. "
                f"Received: {received}"
            )
        arrays = {name: np.asarray(array) for name, array in inputs.items()}
        for name, (width, dtype) in expected.items():
            array = arrays[name]
            if array.ndim != 2 or array.shape[1] != width:
                raise ValueError(
                    f"`{name}` must have shape (batch, {width}). "
                    f"Received: shape {array.shape}"
                )
            if dtype == "int32" and not np.issubdtype(array.dtype, np.integer):
                raise ValueError(
                    f"`{name}` must be integers. Received: dtype={array.dtype}"
                )
        self._check_ids(arrays["ids"])
        for name in self.sequences:
            self._check_sequence(name, arrays[name])
        self._check_dense(arrays["dense"])
        lengths = {name: len(array) for name, array in arrays.items()}
        if len(set(lengths.values())) > 1:
            raise ValueError(
                "The inputs must have the same number of rows. "
                f"Received: {lengths}"
            )

    def _check_ids(self, ids):
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

    def _check_sequence(self, name, ids):
        size = self.vocabularies[self.vocabulary_of(name)]
        if not len(ids) or (ids.min() >= PADDING and ids.max() < size):
            return
        bad = (ids < PADDING) | (ids >= size)
        row, place = np.argwhere(bad)[0]
        raise ValueError(
            f"`{name}` must be in [0, {size}), its vocabulary, or {PADDING} "
            f"for padding. Received: id {ids[row, place]} in row {row}"
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
        config: dict = {
            "dense": list(self.dense),
            # A list of pairs: JSON objects promise no order.
            "categorical": [[n, s] for n, s in self.categorical.items()],
        }
        if len(self.labels) == 1:
            config["label"] = self.label
        else:
            config["labels"] = list(self.labels)
        # Earlier versions do not know these keys, but read configs without.
        if self.sequences:
            config["sequences"] = [
                [name, sequence.get_config()]
                for name, sequence in self.sequences.items()
            ]
        if self.roles:
            config["roles"] = {r: list(c) for r, c in self.roles.items()}
        if self.weight is not None:
            config["weight"] = self.weight
        return config

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
        config = dict(config)
        if "sequences" in config:
            config["sequences"] = {
                name: Sequence(**arguments)
                for name, arguments in config["sequences"]
            }
        return cls(**config)

    def __eq__(self, other):
        return (
            isinstance(other, FeatureSchema)
            and self.get_config() == other.get_config()
        )

    def __repr__(self):
        arguments = {"dense": self.dense, "categorical": self.categorical}
        if len(self.labels) == 1:
            arguments["label"] = self.label
        else:
            arguments["labels"] = self.labels
        for name in ("sequences", "roles", "weight"):
            if getattr(self, name):
                arguments[name] = getattr(self, name)
        listed = ", ".join(f"{n}={value!r}" for n, value in arguments.items())
        return f"FeatureSchema({listed})"

    def _check_names(self):
        if not self.categorical:
            raise ValueError(
                "`categorical` must name at least one field. "
                f"Received: categorical={self.categorical}"
            )
        names = [*self.dense, *self.categorical, *self.sequences, *self.labels]
        if self.weight is not None:
            names.append(self.weight)
        for name in names:
            if not isinstance(name, str) or not name:
                raise ValueError(
                    "The names of columns must be text, and not empty. "
                    f"Received: {name!r}"
                )
        if len(set(names)) != len(names):
            raise ValueError(
                "The names of columns must differ from each other. "
                f"Received: {names}"
            )
        for name in self.sequences:
            if name in ("dense", "ids") or "/" in name:
                raise ValueError(
                    "`sequences` must have no name with a slash, and none of "
                    "'dense' and 'ids', which other inputs have. "
                    f"Received: {name!r}"
                )

    def _check_sequences(self):
        for name, sequence in self.sequences.items():
            check_instance(f"sequences[{name!r}]", sequence, Sequence)
            if sequence.field not in (None, *self.categorical):
                raise ValueError(
                    f"`sequences[{name!r}]` must share the vocabulary of a "
                    f"field, {list(self.categorical)}. "
                    f"{did_you_mean(sequence.field, self.categorical)}"
                    f"Received: {sequence}"
                )
            if sequence.parallel_to is not None:
                self._check_parallel(name, sequence)

    def _check_parallel(self, name, sequence):
        others = [other for other in self.sequences if other != name]
        if sequence.parallel_to not in others:
            raise ValueError(
                f"`sequences[{name!r}]` must be parallel to another sequence, "
                f"of {others}. {did_you_mean(sequence.parallel_to, others)}"
                f"Received: {sequence}"
            )
        length = self.sequences[sequence.parallel_to].max_length
        if sequence.max_length != length:
            raise ValueError(
                f"`sequences[{name!r}]` must have the length of "
                f"'{sequence.parallel_to}', whose events are the same, "
                f"max_length={length}. Received: {sequence}"
            )

    def _check_column(self, what, column):
        known = [*self.dense, *self.categorical, *self.sequences]
        if column not in known:
            raise ValueError(
                f"{what} must name columns of the schema, {known}. "
                f"{did_you_mean(column, known)}Received: {column!r}"
            )


def _labels(label, labels):
    if labels is None:
        return (label,)
    if label != "label" or isinstance(labels, str) or not labels:
        raise ValueError(
            "`labels` must be a list of names, given instead of `label`. "
            f"Received: label={label!r}, labels={labels!r}"
        )
    return tuple(labels)


def _roles(roles):
    roles = {} if roles is None else roles
    check_instance("roles", roles, dict)
    columns_of = {}
    for role, columns in roles.items():
        columns = [columns] if isinstance(columns, str) else columns
        if not isinstance(columns, list | tuple) or not columns:
            raise ValueError(
                f"`roles[{role!r}]` must be a column or a list of columns. "
                f"Received: {columns!r}"
            )
        columns_of[role] = list(columns)
    return columns_of
