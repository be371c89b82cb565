"""Learns vocabularies and ranges from the rows of an engine."""

from collections.abc import Collection
from collections.abc import Mapping
from collections.abc import Sequence
from pathlib import Path

from zoo.encoding import sql
from zoo.encoding import vocabulary_file
from zoo.encoding import vocabulary_sql
from zoo.encoding.encoder import ClickEncoder
from zoo.encoding.encoder_settings import EncoderSettings
from zoo.encoding.engine import Engine
from zoo.encoding.vocabularies import Vocabularies
from zoo.runtime.progress import Stages


def fit(
    engine: Engine,
    settings: EncoderSettings,
    kinds: Mapping[str, str],
    split: str | None,
    folder: Path,
    stages: Stages,
) -> ClickEncoder:
    """Fits an encoder on `log` and saves it.

    Args:
        engine: `Engine` with the table `log`, and `events_i` for lists. Gets
            the tables `vocabulary_v`.
        settings: `EncoderSettings`.
        kinds: dict from the columns whose values become ids to their kinds.
        split: string. The split to learn from; `None` for all rows.
        folder: path. The encoder is saved there.
        stages: `Stages`.
    """
    log_format = settings.log_format
    if settings.num_buckets is not None:
        num_tokens = [settings.num_buckets] * len(log_format.vocabularies)
    else:
        num_tokens = []
        stages.start("Counting tokens", len(settings.vocabulary_names))
        for i, name in enumerate(settings.vocabulary_names):
            query = vocabulary_sql.vocabulary(
                vocabulary_sql.token_columns(log_format, i),
                settings.min_count,
                settings.max_vocabulary,
                split,
            )
            num_tokens.append(_write(engine, i, query, folder, name))
            stages.advance()
    ranges = _dense_ranges(engine, len(log_format.dense), split)
    return _saved(settings, ranges, num_tokens, kinds, folder)


def grow(
    engine: Engine,
    encoder: ClickEncoder,
    split: str | None,
    folder: Path,
    stages: Stages,
) -> ClickEncoder:
    """Adds the new tokens of `log` to an encoder and saves the result.

    Old tokens keep their ids and dense columns their ranges, so old rows are
    encoded as before.

    Args:
        encoder: `ClickEncoder` with vocabularies.

    See `fit` for the others.
    """
    settings = encoder.settings
    names = settings.vocabulary_names
    stages.start("Counting tokens", len(names))
    num_tokens = []
    for i, (name, old) in enumerate(
        zip(names, encoder.vocabularies.paths(), strict=True)
    ):
        engine.read_table(f"old_{i}", old)
        query = vocabulary_sql.grown_vocabulary(
            i,
            vocabulary_sql.token_columns(settings.log_format, i),
            encoder.num_tokens[i],
            settings.min_count,
            settings.max_vocabulary,
            split,
        )
        num_tokens.append(_write(engine, i, query, folder, name))
        stages.advance()
    return _saved(
        settings, encoder.dense_ranges, num_tokens, encoder.kinds, folder
    )


def reuse(
    engine: Engine,
    encoder: ClickEncoder,
    by_value: Collection[str],
    folder: Path,
) -> ClickEncoder:
    """Hands an encoder to an engine as it is, and saves it.

    Args:
        by_value: names of the columns that are looked up by value.
    """
    names = {encoder.log_format.vocabulary_of(name) for name in by_value}
    for i, (name, path) in enumerate(
        zip(
            encoder.settings.vocabulary_names,
            encoder.vocabularies.paths(),
            strict=True,
        )
    ):
        engine.read_table(f"vocabulary_{i}", path)
        if name in names:
            engine.create_view(f"spelling_{i}", vocabulary_sql.spelling(i))
    encoder.save(folder)
    return encoder


def _write(
    engine: Engine, number: int, query: str, folder: Path, name: str
) -> int:
    """Makes a vocabulary a table and a file; returns its number of tokens."""
    table = f"vocabulary_{number}"
    engine.create_table(table, query)
    engine.write_table(table, vocabulary_file.path_of(folder, name))
    return engine.fetch(f"select count(*) from {table}")[0][0]


def _dense_ranges(
    engine: Engine, num_dense: int, split: str | None
) -> list[tuple[float, float]]:
    if not num_dense:
        return []
    row = engine.fetch(sql.dense_ranges(num_dense, split))[0]
    return list(zip(row[0::2], row[1::2], strict=True))


def _saved(
    settings: EncoderSettings,
    dense_ranges: Sequence[tuple[float, float]],
    num_tokens: Sequence[int],
    kinds: Mapping[str, str] | None,
    folder: Path,
) -> ClickEncoder:
    vocabularies = Vocabularies.written(folder, settings.vocabulary_names)
    encoder = ClickEncoder(
        settings, dense_ranges, num_tokens, vocabularies, kinds
    )
    encoder.save(folder)
    return encoder
