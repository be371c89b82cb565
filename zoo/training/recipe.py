import math
from dataclasses import asdict
from dataclasses import dataclass
from dataclasses import field
from dataclasses import fields
from dataclasses import replace
from typing import TYPE_CHECKING
from typing import Any

from zoo.checks import check_boolean
from zoo.checks import check_choice
from zoo.checks import check_instance
from zoo.checks import check_integer
from zoo.checks import check_known
from zoo.checks import check_not_negative
from zoo.checks import check_number
from zoo.checks import check_positive_integer
from zoo.registry import network_class
from zoo.registry import network_name
from zoo.training.clip_choice import ADAPTIVE_COLUMN
from zoo.training.clip_choice import check_clip_variant

# The command line makes its options of these settings. If this module imported
# Keras, the help would take seconds.
if TYPE_CHECKING:
    from keras_cowclip import CowClip
    from zoo.feature_schema import FeatureSchema
    from zoo.models.ctr_model import CTRModel

# Rates of the dense weights at batch 1024, from the paper's tables.
BASE_LEARNING_RATE = {"criteo": 8e-4, "avazu": 1e-4}
_USUAL_RATE = BASE_LEARNING_RATE["criteo"]
DECAYS = ("none", "cosine", "plateau")
FIRST_LEARNING_RATE = 1e-8  # The warm-up's first, as in the published code.
_LARGEST_SEED = 2**32 - 1  # NumPy's.
AVERAGES = ("none", "ema")
LAST_SHARE = 0.1  # A decay ends at this share of a learning rate.
NETWORK_SETTINGS = (
    "embedding_dim", "embedding_deviation", "hidden_units", "dropout",
)  # fmt: skip


@dataclass(frozen=True)
class Recipe:
    """Settings of a training run, the paper's by default.

    Hyperparameters are given for a batch of 1024 and scaled to `batch_size`
    by `rule`. The dense learning rate warms up linearly, then stays constant.
    The learning rate of the embeddings is constant from the start. A `decay`
    lowers both, unlike the paper.

    Args:
        model: string. The network, one of `zoo.list_models()`. Defaults to
            `"deepfm"`.
        batch_size: integer. Rows per step. Defaults to `1024`.
        embedding_batch_size: integer. Rows per step of the embedding tables, a
            multiple of `batch_size`, which is then that of the dense weights.
            Above about 8192 rows the dense weights need more steps than the
            tables. Rows that are too few for the last step of the tables move
            the dense weights alone. See
            `keras_cowclip.CowClip(embedding_accumulation_steps=...)`. Defaults
            to `None`, `batch_size`.
        epochs: integer. Passes over the training rows, in whole batches. The
            rows that are left at the end of an epoch begin the next one, as
            with `zoo.ClickBatches(carry_remainder=True)`. With one epoch alone
            they are left out, and the report counts them as `unseen_rows`.
            Defaults to `10`.
        rule: string. The rule that scales the learning rates and the l2 from
            batch 1024 to `batch_size`, see
            `keras_cowclip.scale_hyperparameters`. Defaults to `"cowclip"`.
        learning_rate: float. Learning rate of the dense weights at batch 1024.
            Defaults to `None`, the paper's: 1e-4 for Avazu, else 8e-4.
        embedding_learning_rate: float. Learning rate of the embedding tables
            at batch 1024. Defaults to `1e-4`.
        embedding_l2: float. L2 penalty on the embedding tables (lambda) at
            batch 1024. Defaults to `1e-5`.
        clip_ratio: float. CowClip's r. `None`, on the command line `inf`,
            switches the clip off. Defaults to `1.0`.
        clip_floor: float. CowClip's zeta. Defaults to `1e-5`.
        warmup_epochs: float. Epochs of linear warm-up of the dense learning
            rate, 0 for none. Defaults to `1.0`.
        decay: string. Decay of both learning rates: `"cosine"` to a tenth at
            the end of the last epoch, `"plateau"` to a tenth after every epoch
            whose validation AUC is not the highest so far, or `"none"`.
            Defaults to `"none"`.
        clip_variant: string. `"adaptive_column"`, which is CowClip, or a
            constant clip of the paper's ablation, see
            `zoo.training.clip_variant`. Defaults to `"adaptive_column"`.
        clip_threshold: float. Threshold of a constant clip. Defaults to
            `None`.
        embedding_dim: integer. Width of the embeddings. Defaults to `10`.
        embedding_deviation: float. Standard deviation of the initial
            embeddings. Defaults to `1e-2`.
        hidden_units: tuple of integers. Units of each layer of the MLP.
            Defaults to `(400, 400, 400)`.
        dropout: float. Share of the MLP's units that training drops. Defaults
            to `0.0`.
        network: dict. Other arguments of the network's class, such as
            `{"num_cross_layers": 2}`. Defaults to `{}`.
        dtype: string. Dtype policy of Keras. With `"mixed_bfloat16"` layers
            compute in 16 bits, while weights, moments and the sums of a row's
            gradients stay float32. On a CPU this is faster only with
            instructions for bfloat16 (`avx512_bf16`, `amx_bf16`, on ARM
            `bf16`). Defaults to `None`, the initial model's
            policy or else Keras' global one.
        lazy: boolean. Updates only the active rows of the tables, by about
            what they missed since their last update, see
            `keras_cowclip.CowClip`. On TensorFlow and PyTorch a step then
            costs no more for a larger table. A table has one moment less. This
            is not the paper's algorithm. Defaults to `False`.
        average: string. `"ema"` keeps an exponential moving average of all
            weights: evaluation, the choice of the best epoch and the saved
            model use it. Defaults to `"none"`.
        average_epochs: float. Epochs that the average reaches back: after so
            many the share of earlier weights in it is 1 / e. Defaults to `0.5`.
        patience: integer. A run ends after so many epochs in a row whose
            validation AUC is not the highest so far. Its model is that of the
            best epoch, also where it went through all `epochs`. Defaults to
            `None`, all `epochs`, and the model of the last one.
        seed: integer. Seed of the weights and of the order of rows. Defaults
            to `0`.

    Raises:
        ValueError: for an unknown model, a value of another type or out of
            its range, an `embedding_batch_size` that is no multiple of
            `batch_size`, or `lazy` with the rule of frequencies.

    Example:

    ```python
    log = zoo.EncodedLog.load("encoded/criteo")
    recipe = zoo.Recipe(model="dcn_v2", batch_size=8192, epochs=3)
    network = recipe.make_network(log.schema)
    optimizer = recipe.make_optimizer(steps_per_epoch=100, schema=log.schema)
    ```
    """

    model: str = "deepfm"
    batch_size: int = 1024
    embedding_batch_size: int | None = None
    epochs: int = 10
    rule: str = "cowclip"
    learning_rate: float | None = None
    embedding_learning_rate: float = 1e-4
    embedding_l2: float = 1e-5
    clip_ratio: float | None = 1.0
    clip_floor: float = 1e-5
    warmup_epochs: float = 1.0
    decay: str = "none"
    clip_variant: str = ADAPTIVE_COLUMN
    clip_threshold: float | None = None
    embedding_dim: int = 10
    embedding_deviation: float = 1e-2
    hidden_units: tuple[int, ...] = (400, 400, 400)
    dropout: float = 0.0
    network: dict[str, Any] = field(default_factory=dict, hash=False)
    dtype: str | None = None
    lazy: bool = False
    average: str = "none"
    average_epochs: float = 0.5
    patience: int | None = None
    seed: int = 0

    def __post_init__(self):
        from keras_cowclip.scaling import RULES
        from zoo.models.network_arguments import check_dtype
        from zoo.models.network_arguments import check_settings

        for each in fields(self):
            value = to_python(getattr(self, each.name))
            object.__setattr__(self, each.name, value)
        check_positive_integer("epochs", self.epochs)
        check_positive_integer("batch_size", self.batch_size)
        check_integer("seed", self.seed, 0, _LARGEST_SEED)
        check_boolean("lazy", self.lazy)
        self._check_network()
        check_settings(**{n: getattr(self, n) for n in NETWORK_SETTINGS})
        check_dtype(self.dtype)
        check_number(
            "warmup_epochs",
            self.warmup_epochs,
            "that is finite and not negative",
            lambda x: 0 <= x < math.inf,
        )
        check_not_negative("clip_floor", self.clip_floor)
        if self.clip_ratio is not None:
            check_not_negative("clip_ratio", self.clip_ratio)
        check_choice("rule", self.rule, RULES)
        check_choice("decay", self.decay, DECAYS)
        check_choice("average", self.average, AVERAGES)
        check_number(
            "average_epochs",
            self.average_epochs,
            "that is finite and positive",
            lambda x: 0 < x < math.inf,
        )
        check_clip_variant(self.clip_variant, self.clip_threshold)
        if self.patience is not None:
            check_positive_integer("patience", self.patience)
        # Checks the rule and the rates before anything is made.
        scaled = self.scaled()
        if self.lazy and scaled.get("frequency_scale", 1.0) != 1.0:
            raise ValueError(
                "`lazy` must be `False` for the rule of frequencies, which "
                "moves every row. "
                f"Received: lazy={self.lazy}, rule={self.rule!r}"
            )
        object.__setattr__(self, "hidden_units", tuple(self.hidden_units))

    def _check_network(self) -> None:
        cls = network_class(self.model)
        check_instance("network", self.network, dict)
        defaults = _own_defaults(cls)
        check_known(
            f"`network`, arguments of `{cls.__name__}`,", self.network, defaults
        )
        # So that two recipes of the same run are equal.
        changed = {
            name: _to_json(value)
            for name, value in self.network.items()
            if _to_json(value) != _to_json(defaults[name])
        }
        object.__setattr__(self, "network", changed)

    def for_data(self, name: str | None) -> "Recipe":
        """Fills in the learning rate that the paper has for a data set.

        Args:
            name: string, the name of the log's `LogFormat`, or `None`.

        Example:

        >>> zoo.Recipe().for_data("avazu").learning_rate
        0.0001
        """
        if self.learning_rate is not None:
            return self
        data_set = data_set_of(name or "")
        return replace(
            self, learning_rate=BASE_LEARNING_RATE.get(data_set, _USUAL_RATE)
        )

    def for_network(self, network: "CTRModel") -> "Recipe":
        """Returns this recipe with the network settings of a model.

        Args:
            network: a model of the zoo.

        Example:

        >>> network = zoo.from_preset("dcn_synthetic")
        >>> zoo.Recipe(batch_size=4096).for_network(network).model
        'dcn'
        """
        config = network.get_config()
        own = {
            name: config[name]
            for name, default in _own_defaults(type(network)).items()
            if config[name] != _to_json(default)
        }
        return replace(
            self,
            model=network_name(network),
            dtype=network.dtype_policy.name,
            network=own,
            **{name: config[name] for name in NETWORK_SETTINGS},
        )

    def scaled(self) -> dict[str, Any]:
        """Returns the learning rates and the l2 at these batch sizes.

        Example:

        >>> zoo.Recipe(batch_size=4096).scaled()["learning_rate"]
        0.0016
        """
        return self._scaled(self.embedding_batch_size)

    def _scaled(self, embedding_batch_size: int | None) -> dict[str, Any]:
        from keras_cowclip import scale_hyperparameters

        return scale_hyperparameters(
            self.batch_size,
            embedding_batch_size=embedding_batch_size,
            rule=self.rule,
            learning_rate=(
                _USUAL_RATE
                if self.learning_rate is None
                else self.learning_rate
            ),
            embedding_learning_rate=self.embedding_learning_rate,
            embedding_l2=self.embedding_l2,
        )

    def make_network(self, schema: "FeatureSchema") -> "CTRModel":
        """Builds the network, its weights drawn from Keras' seed.

        Args:
            schema: `zoo.FeatureSchema`, the columns of the log.
        """
        return network_class(self.model)(
            schema,
            embedding_dim=self.embedding_dim,
            hidden_units=self.hidden_units,
            dropout=self.dropout,
            # The weights are dense, so their batch scales the l2.
            linear_l2=self._scaled(None)["embedding_l2"],
            embedding_deviation=self.embedding_deviation,
            dtype=self.dtype,
            **self.network,
        )

    def warmup_steps(self, steps_per_epoch: int) -> int:
        """Returns the number of steps in which the dense rate rises.

        Args:
            steps_per_epoch: integer.

        Example:

        >>> zoo.Recipe(warmup_epochs=0.5).warmup_steps(steps_per_epoch=100)
        50
        """
        return round(self.warmup_epochs * steps_per_epoch)

    def make_optimizer(
        self, steps_per_epoch: int, schema: "FeatureSchema"
    ) -> "CowClip":
        """Builds the optimizer, its rates scaled and scheduled.

        With `decay="plateau"` the rates are those of the first step:
        `CutRatesOnPlateau` changes them later.

        Args:
            steps_per_epoch: integer.
            schema: `zoo.FeatureSchema`, the columns of the log.
        """
        from keras_cowclip import CowClip
        from zoo.training.clip_variant import ClipVariant

        scaled = self.scaled()
        steps = self.epochs * steps_per_epoch
        for name, warmup_steps in (
            ("learning_rate", self.warmup_steps(steps_per_epoch)),
            ("embedding_learning_rate", 0),
        ):
            scaled[name] = self._schedule(scaled[name], warmup_steps, steps)
        # A rule may bring its own clip ratio.
        arguments = {
            "clip_ratio": self.clip_ratio,
            **scaled,
            "clip_floor": self.clip_floor,
            "lazy": self.lazy,
            **self._average(steps_per_epoch),
        }
        if self.clip_variant == ADAPTIVE_COLUMN:
            return CowClip(**arguments)
        return ClipVariant(
            self.clip_variant,
            self.clip_threshold,
            field_sizes=list(schema.vocabularies.values()),
            **arguments,
        )

    def _average(self, steps_per_epoch: int) -> dict[str, Any]:
        if self.average == "none":
            return {}
        steps = self.average_epochs * steps_per_epoch
        return {"use_ema": True, "ema_momentum": math.exp(-1.0 / steps)}

    def _schedule(self, rate: float, warmup_steps: int, steps: int) -> Any:
        from keras.optimizers import schedules

        if self.decay == "plateau":
            return FIRST_LEARNING_RATE if warmup_steps else rate
        if self.decay == "cosine" and steps > warmup_steps:
            return schedules.CosineDecay(
                FIRST_LEARNING_RATE if warmup_steps else rate,
                steps - warmup_steps,
                alpha=LAST_SHARE,
                warmup_target=rate if warmup_steps else None,
                warmup_steps=warmup_steps,
            )
        if warmup_steps:
            return schedules.PolynomialDecay(
                FIRST_LEARNING_RATE, warmup_steps, end_learning_rate=rate
            )
        return rate

    def hyperparameters(self) -> dict[str, Any]:
        """Returns the settings at this batch size, ready for JSON.

        Example:

        >>> zoo.Recipe(batch_size=4096).hyperparameters()["embedding_l2"]
        4e-05
        """
        import keras

        values = {
            **asdict(self),
            **self.scaled(),
            "hidden_units": list(self.hidden_units),
            "dtype": self.dtype or keras.config.dtype_policy().name,
        }
        if self.clip_variant != ADAPTIVE_COLUMN:
            values["clip_ratio"] = None  # A constant clip ignores it.
        # As in reports that are older than these settings.
        if self.embedding_batch_size is None:
            del values["embedding_batch_size"]
        if self.average == "none":
            del values["average"], values["average_epochs"]
        if self.patience is None:
            del values["patience"]
        if not self.network:
            del values["network"]
        # A report has these two beside its hyperparameters.
        del values["model"], values["batch_size"]
        return values


def data_set_of(name: str) -> str:
    """Returns the data set that a log's format is of.

    Example:

    >>> data_set_of("criteo_x4")  # Criteo, encoded otherwise
    'criteo'
    """
    return name.partition("_")[0]


def _own_defaults(cls: "type[CTRModel]") -> dict[str, Any]:
    """The arguments of a network that a recipe has in `network`."""
    return {
        name: default
        for name, default in cls.argument_defaults().items()
        if name not in ("linear_l2", *NETWORK_SETTINGS)
    }


def _to_json(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def to_python(value: Any) -> Any:
    """Returns numbers of NumPy as Python's, and a dtype policy as its name."""
    import numpy as np

    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, dict):
        return {name: to_python(item) for name, item in value.items()}
    if isinstance(value, tuple | list):
        kind = tuple if isinstance(value, tuple) else list
        return kind(map(to_python, value))
    import keras

    return value.name if isinstance(value, keras.DTypePolicy) else value


def make_recipe(**settings: Any) -> Recipe:
    """Makes a recipe of settings that a caller or a file names.

    Args:
        **settings: arguments of `Recipe`.

    Raises:
        ValueError: as `Recipe` does, and for a setting that it does not have.
    """
    known = [field.name for field in fields(Recipe)]
    check_known("Settings of a recipe", settings, known)
    return Recipe(**settings)
