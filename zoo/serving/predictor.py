import os
from pathlib import Path
from typing import Any

import keras
import numpy as np

from zoo.checks import check_boolean
from zoo.checks import check_instance
from zoo.checks import check_path
from zoo.checks import check_positive_integer
from zoo.encoding import ClickEncoder
from zoo.encoding.gaps import Gaps
from zoo.models.ctr_model import CTRModel
from zoo.models.fit_check import check_fits
from zoo.models.padded_prediction import padded_sizes
from zoo.models.padded_prediction import predict_padded
from zoo.presets.folder import PresetFolder
from zoo.presets.save_and_load import load_model
from zoo.raw.source import Source
from zoo.raw.source import open_raw_log
from zoo.runtime.progress import Stages
from zoo.serving.column_check import check_same_columns
from zoo.serving.gap_check import check_gaps
from zoo.serving.gap_check import check_max_unknown
from zoo.serving.score_file import write_scores


class CTRPredictor:
    """A model and the encoder of its ids: raw rows in, probabilities out.

    Rows are read as `zoo.prepare` reads them, so that they get the same
    probabilities as in training and evaluation: text becomes ids, unseen tokens
    get the id of unknown ones, and numbers are transformed by the ranges of the
    training split. Labels are ignored.

    Threads may share a predictor, and it can be pickled and copied.

    Args:
        model: `keras.Model`, of the zoo or yours.
        encoder: the `ClickEncoder` whose ids it was trained on.

    Raises:
        ValueError: if the model was made for other columns or vocabularies
            than the encoder has, or returns no probabilities.

    Example:

    ```python
    predictor = zoo.CTRPredictor.from_preset("deepfm_synthetic")
    row = dict.fromkeys(predictor.encoder.log_format.unlabeled().used)
    row.update(I1=3, C1="00000003")  # all else is missing
    predictor.predict([row])
    predictor.predict_file("raw.tsv", "scores.parquet")
    ```
    """

    def __init__(self, model: keras.Model, encoder: ClickEncoder) -> None:
        check_instance("model", model, keras.Model)
        check_instance("encoder", encoder, ClickEncoder)
        if isinstance(model, CTRModel):
            check_same_columns(model.schema, encoder.schema)
        else:
            check_fits(model, encoder.schema)
        # A predictor outlives the folder that it was loaded from.
        encoder.load_vocabularies()
        self.model = model
        self.encoder = encoder
        self._schema = encoder.schema

    @classmethod
    def from_preset(
        cls,
        preset: str | os.PathLike,
        dtype: str | keras.DTypePolicy | None = None,
        **hub: Any,
    ) -> "CTRPredictor":
        """Loads the model and the encoder of a preset.

        Args:
            preset: as `zoo.from_preset` takes it.
            dtype: as `zoo.from_preset` takes it. Defaults to `None`.
            **hub: as `zoo.from_preset` takes them.

        Raises:
            FileNotFoundError, ValueError: as `zoo.from_preset` does, and
                if the preset has no encoder.

        Example:

        >>> predictor = zoo.CTRPredictor.from_preset("runs/deepfm")
        >>> predictor.predict("raw.tsv").shape
        (100,)
        """
        opened = PresetFolder.open(preset, encoder=True, **hub)
        encoder = opened.load_encoder()
        # Before the weights are loaded, and for a model that has no schema.
        check_same_columns(opened.schema, encoder.schema)
        return cls(load_model(opened, dtype=dtype), encoder)

    def warm_up(self, max_rows: int = 1024, batch_size: int = 16_384) -> None:
        """Compiles the network for requests of up to `max_rows` rows.

        JAX and TensorFlow compile it for each number of rows. Requests are
        padded to 1, 4, 16, 64, ... rows, so that there are few such numbers.
        Without this call the first request of each takes a second or two.

        Args:
            max_rows: integer. Rows of the largest request. Defaults to `1024`.
            batch_size: integer, as `predict` gets it. Defaults to `16_384`.

        Raises:
            ValueError: for a number below 1.

        Example:

        >>> predictor = zoo.CTRPredictor.from_preset("runs/deepfm")
        >>> predictor.warm_up()
        """
        check_positive_integer("max_rows", max_rows)
        check_positive_integer("batch_size", batch_size)
        shapes = self._schema.inputs()
        for size in padded_sizes(batch_size, max_rows):
            inputs = {
                name: np.zeros((size, columns), dtype)
                for name, (columns, dtype) in shapes.items()
            }
            self._predict_ids(inputs, batch_size)

    def predict_encoded(
        self, inputs: dict[str, np.ndarray], batch_size: int = 16_384
    ) -> np.ndarray | dict[str, np.ndarray]:
        """Returns the click probability of rows that the encoder has encoded.

        Args:
            inputs: dict of arrays, as `ClickEncoder.encode` returns them; the
                arrays of several requests may be joined.
            batch_size: integer, as `predict` takes it. Defaults to `16_384`.

        Returns:
            As `predict` does.

        Raises:
            ValueError: for a `batch_size` below 1.

        Example:

        >>> predictor = zoo.CTRPredictor.from_preset("runs/deepfm")
        >>> row = dict.fromkeys(zoo.datasets.CRITEO.used)
        >>> inputs = predictor.encoder.encode([row])
        >>> predictor.predict_encoded(inputs).shape
        (1,)
        """
        check_positive_integer("batch_size", batch_size)
        return self._by_label(self._predict_ids(inputs, batch_size))

    def predict(
        self,
        rows: Any,
        batch_size: int = 16_384,
        max_unknown: float | None = None,
    ) -> np.ndarray | dict[str, np.ndarray]:
        """Returns the click probability of every row, in their order.

        Args:
            rows: list of dicts, pandas DataFrame or pyarrow Table, as
                `ClickEncoder.encode` takes them; or the path of a log of the
                encoder's format, a file or a folder.
            batch_size: integer. Rows that the network sees at once. Defaults
                to `16_384`.
            max_unknown: float. The largest share of a column's values that
                training may not have seen; `None` for any. Defaults to `None`.

        Returns:
            `(rows,)` float32, or with several labels a dict of such by label.

        Raises:
            FileNotFoundError: if there is no such file.
            ValueError: naming column and row, or file and line, for a missing
                column or a value that breaks a rule of the format; or for a
                column with more unknown values than `max_unknown`.

        Warns:
            UnknownIdsWarning: if far more of a column is unknown or missing
                than in the validation split.
        """
        check_positive_integer("batch_size", batch_size)
        check_max_unknown(max_unknown)
        if isinstance(rows, str | os.PathLike):
            encoded = self.encoder.encode_source(self._open(rows))
        else:
            encoded = iter([(self.encoder.encode(rows), 0)])
        schema, gaps = self._schema, self._no_gaps()
        parts: list[np.ndarray] = [np.empty((0, len(schema.labels)), "float32")]
        for inputs, _ in encoded:
            parts.append(self._predict_ids(inputs, batch_size))
            gaps += self._gaps_of(inputs)
        self._check(gaps, max_unknown)
        return self._by_label(np.concatenate(parts))

    def predict_file(
        self,
        source: Any,
        output: str | os.PathLike,
        batch_size: int = 16_384,
        show_progress: bool | None = None,
        max_unknown: float | None = None,
    ) -> int:
        """Scores a log of any size, in memory that does not grow with it.

        Args:
            source: a log of the encoder's format as `zoo.prepare` takes it:
                path of a text file (plain or compressed), a Parquet file or a
                folder of such, or a data set.
            output: path of the file to write, `.parquet` or `.csv`, with the
                column `probability`, float32, a row for each row of the
                source in its order. With several labels it has a column for
                each, of its name. It appears once it is whole.
            batch_size: integer. Rows that the network sees at once. Defaults
                to `16_384`.
            show_progress: boolean. Whether to draw a progress bar; `None` for
                terminals only. Defaults to `None`.
            max_unknown: as in `predict`. No file is written if it is exceeded.
                Defaults to `None`.

        Returns:
            The number of rows.

        Raises:
            FileNotFoundError: if there is no such source.
            ValueError: for another suffix, or as `predict` does.

        Warns:
            UnknownIdsWarning: as `predict` does.
        """
        check_path("output", output)
        check_positive_integer("batch_size", batch_size)
        if show_progress is not None:
            check_boolean("show_progress", show_progress)
        check_max_unknown(max_unknown)
        opened = self._open(source)
        if Path(output).resolve() in {
            raw_file.path.resolve() for raw_file in opened.files
        }:
            raise ValueError(
                "`output` must be another file than those that are scored. "
                f"Received: output={output!r}"
            )
        labels, gaps = self._schema.labels, self._no_gaps()
        with (
            write_scores(output, labels) as write,
            Stages(show_progress) as stages,
        ):
            stages.start("Scoring", total=opened.size)
            for inputs, amount in self.encoder.encode_source(opened):
                write(self._predict_ids(inputs, batch_size))
                gaps += self._gaps_of(inputs)
                stages.reach(amount)
            self._check(gaps, max_unknown)
        return gaps.rows

    def _by_label(
        self, scores: np.ndarray
    ) -> np.ndarray | dict[str, np.ndarray]:
        labels = self._schema.labels
        if len(labels) == 1:
            return scores[:, 0]
        return dict(zip(labels, scores.T, strict=True))

    def _open(self, source: Any) -> Source:
        return open_raw_log(source, self.encoder.log_format.unlabeled())

    def _no_gaps(self) -> Gaps:
        schema = self._schema
        return Gaps.none(schema.num_fields, len(schema.sequences))

    def _gaps_of(self, inputs: dict[str, np.ndarray]) -> Gaps:
        sequences = [inputs[name] for name in self._schema.sequences]
        return Gaps.of(inputs["ids"], sequences)

    def _check(self, gaps: Gaps, max_unknown: float | None) -> None:
        schema = self._schema
        check_gaps(
            gaps,
            self.encoder.gaps,
            list(schema.categorical),
            max_unknown,
            list(schema.sequences),
        )

    def _predict_ids(
        self, inputs: dict[str, np.ndarray], batch_size: int
    ) -> np.ndarray:
        rows = len(inputs["ids"])
        labels = self._schema.labels
        scores: np.ndarray = np.empty((rows, len(labels)), "float32")
        for start in range(0, rows, batch_size):
            batch = {
                name: array[start : start + batch_size]
                for name, array in inputs.items()
            }
            scores[start : start + batch_size] = predict_padded(
                self.model, batch, batch_size, labels
            )
        return scores
