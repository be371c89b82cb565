"""Learns vocabularies and ranges from the rows of an engine."""

from pathlib import Path

from zoo.encoding import sql
from zoo.encoding import vocabulary_file
from zoo.encoding.encoder import ClickEncoder
from zoo.encoding.engine import Engine
from zoo.runtime.progress import Stages


def fit(
    engine: Engine,
    encoder: ClickEncoder,
    split: str | None,
    folder: Path,
    stages: Stages,
) -> ClickEncoder:
    """Fits an encoder on `log` and saves it.

    Args:
        engine: `Engine` with the table `log`. Gets the tables `vocabulary_f`.
        encoder: unfitted `ClickEncoder`.
        split: string. The split to learn from; `None` for all rows.
        folder: path. Where to save the encoder.
        stages: `Stages`.

    Returns:
        `ClickEncoder`, fitted.
    """
    fitted = encoder.unfitted()
    fields = encoder.log_format.categorical
    if encoder.num_buckets is not None:
        num_tokens = [encoder.num_buckets] * len(fields)
    else:
        num_tokens = []
        stages.start("Counting tokens", len(fields))
        for i, field in enumerate(fields):
            query = sql.vocabulary(
                i, encoder.min_count, encoder.max_vocabulary, split
            )
            num_tokens.append(_make(engine, i, query, folder, field))
            stages.advance()
    ranges = _dense_ranges(engine, len(encoder.log_format.dense), split)
    fitted.set_fitted(ranges, num_tokens, folder)
    fitted.save(folder)
    return fitted


def grow(
    engine: Engine,
    encoder: ClickEncoder,
    split: str | None,
    folder: Path,
    stages: Stages,
) -> ClickEncoder:
    """Adds the new tokens of `log` to a fitted encoder and saves the result.

    Old tokens keep their ids and dense columns their ranges, so old rows are
    encoded as before. Arguments as in `fit`.
    """
    grown = encoder.unfitted()
    fields = encoder.log_format.categorical
    stages.start("Counting tokens", len(fields))
    num_tokens = []
    for i, (field, old) in enumerate(
        zip(fields, encoder.vocabulary_paths, strict=True)
    ):
        engine.read_table(f"old_{i}", old)
        query = sql.grown_vocabulary(
            i,
            encoder.num_tokens[i],
            encoder.min_count,
            encoder.max_vocabulary,
            split,
        )
        num_tokens.append(_make(engine, i, query, folder, field))
        stages.advance()
    grown.set_fitted(encoder.dense_ranges, num_tokens, folder)
    grown.save(folder)
    return grown


def reuse(engine: Engine, encoder: ClickEncoder, folder: Path) -> ClickEncoder:
    """Hands a fitted encoder to an engine as it is, and saves it."""
    for i, path in enumerate(encoder.vocabulary_paths):
        engine.read_table(f"vocabulary_{i}", path)
    encoder.save(folder)
    return encoder


def _make(
    engine: Engine, field: int, query: str, folder: Path, name: str
) -> int:
    table = f"vocabulary_{field}"
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
