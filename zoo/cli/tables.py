"""Makes the tables that the command line prints."""

from pathlib import Path
from typing import TYPE_CHECKING
from typing import Any

from rich.markup import escape
from rich.table import Table
from rich.text import Text

from zoo.runtime.elision import elide
from zoo.training.recipe import Recipe

if TYPE_CHECKING:
    from zoo.training.recipe_file import RecipeFile
    from zoo.training.report import Report
    from zoo.tuning.results import TuningResult

_WIDEST_NAME = 32


def summary_table(summary: dict[str, Any], output: Path) -> Table:
    """The splits that `prepare` made."""
    return _split_table(summary["splits"], str(output))


def card_tables(card: dict[str, Any]) -> tuple[Table, Table]:
    """The splits and the columns of a data card, its counts as two shares."""
    counted = card["fields"] | card.get("sequences", {})
    unseen = next(iter(counted.values()))["unseen"]
    columns = _table(
        "",
        "column",
        "distinct ids",
        "missing %",
        *(f"unseen in {name} %" for name in unseen),
        "most frequent %",
        "seen once %",
    )
    for name, missing in card["missing"].items():
        cells = ["", _percent(missing)]
        if name in counted:
            column = counted[name]
            cells[0] = f"{column['distinct']:,}"
            cells += map(_percent, column["unseen"].values())
            cells.append(_percent(column["most_frequent"]))
            cells.append(_percent(column["seen_once"], digits=1))
        columns.add_row(_shown(name), *cells)
    name = Path(card["source"]).name
    return _split_table(card["splits"], name), columns


def _percent(share: float | None, digits: int = 2) -> str:
    return "" if share is None else f"{100 * share:.{digits}f}"


def report_table(
    report: "Report", published: dict[str, Any] | None = None
) -> Table:
    """The metrics, speed and hyperparameters of a training run.

    Metrics that others published for the same settings and log have a column.
    """
    published = published or {}
    heads: list[str | Text] = []
    for name in report.labels or (report.model,):
        heads += [_shown(name), *(["best possible"] if report.bayes else [])]
    table = _table(
        f"{report.data}, {report.batches}, {report.backend}",
        f"{report.evaluated_on} split",
        *heads,
        *(["published"] if published else []),
    )
    columns: list[dict[str, Any]] = []
    for label, metrics in (report.labels or {"": report.metrics()}).items():
        columns.append(metrics)
        columns += [report.best_possible(label)] if report.bayes else []
    columns += [published] if published else []
    _add_metrics(table, columns)
    table.add_section()
    if report.best_epoch is not None:
        table.add_row("best epoch", f"{report.best_epoch}")
    if report.stopped_at is not None:
        table.add_row("epochs trained", f"{len(report.history['loss'])}")
    table.add_row("training seconds", f"{report.seconds:.1f}")
    table.add_row("samples per second", f"{report.samples_per_second:,.0f}")
    shown = ("rule", "learning_rate", "embedding_learning_rate", "embedding_l2")
    for name in shown:
        used = report.hyperparameters[name]
        table.add_row(name, used if isinstance(used, str) else f"{used:.4g}")
    if published:
        table.caption = f"Published: {published['source']}"
    return table


def recipes_table(files: dict[str, "RecipeFile"]) -> Table:
    """A row for each recipe, by log, the best AUC first."""
    table = _table(
        "Published runs", "recipe", "network", "batch", "AUC", "log-loss"
    )
    table.caption = "The authors' numbers, not repeated by keras_cowclip"
    order = sorted(files, key=lambda n: -files[n].published.get("auc", 0))
    for name in sorted(order, key=lambda n: files[n].prepare):
        recipe, published = files[name].recipe, files[name].published
        metrics = (published.get(key) for key in ("auc", "log_loss"))
        table.add_row(
            *(name, recipe.get("model", Recipe.model)),
            f"{recipe.get('batch_size', Recipe.batch_size):,}",
            *("" if value is None else f"{value:.4f}" for value in metrics),
        )
    return table


def metrics_table(metrics: dict[str, Any], split: str, model: str) -> Table:
    """The exact metrics of a model on a split, a column for each label."""
    # Not before: scikit-learn takes long to import, and a help needs none.
    from zoo.metrics import is_by_label

    labels = metrics if is_by_label(metrics) else {split: metrics}
    of_split = f", {split}" if is_by_label(metrics) else ""
    table = _table(model, f"metric{of_split}", *map(_shown, labels))
    _add_metrics(table, list(labels.values()))
    return table


def _add_metrics(table: Table, columns: list[dict[str, Any]]) -> None:
    """Adds a row for each metric; columns may lack some of them."""
    from zoo.metrics import metric_lines
    from zoo.metrics import metric_text

    found = [metric_lines(metrics) for metrics in columns]
    for name in found[0]:
        cells = [metric_text(f[name]) if name in f else "" for f in found]
        table.add_row(_shown(name), *cells)


def explanation_tables(report: dict[str, Any]) -> tuple[Table, Table]:
    """The metrics of an explained model, and the importance of its columns."""
    metrics = _table(
        report["preset"], "metric", f"{report['rows']:,} {report['split']} rows"
    )
    for name in (
        "auc",
        "auc_standard_error",
        "log_loss",
        "calibration",
        "expected_calibration_error",
    ):
        value = report[name]
        metrics.add_row(name, "" if value is None else f"{value:.5f}")
    columns = _table(
        f"What is lost when a column is shuffled, {report['repeats']} times",
        "column",
        "AUC drop",
        "± deviation",
        "log-loss rise",
        "± deviation",
        "within noise",
    )
    for found in report["importance"]:
        columns.add_row(
            _shown(found["column"]),
            *(
                f"{found[name]:.5f}"
                for name in (
                    "auc_drop",
                    "auc_drop_deviation",
                    "log_loss_rise",
                    "log_loss_rise_deviation",
                )
            ),
            "yes" if found["within_noise"] else "",
            style="dim" if found["within_noise"] else None,
        )
    return metrics, columns


def verdict_table(verdicts: list[dict[str, Any]]) -> Table:
    """The largest batch of each rule of a scaling study."""
    table = _table(
        "Largest batch within .001 AUC of the best run at the smallest batch",
        "model",
        "AUC to reach",
        "rule",
        "largest batch",
        "AUC there",
        "speed-up",
    )
    table.columns[2].justify = "left"
    model = None
    for verdict in verdicts:
        if verdict["model"] != model:
            table.add_section()
        first = verdict["model"] != model
        model = verdict["model"]
        target, batch = verdict["small_batch_auc"], verdict["batch_size"]
        table.add_row(
            model if first else "",
            f"{target:.5f}" if first and target else "",
            _shown(verdict["rule"]),
            f"{batch:,}" if batch else "none",
            f"{verdict['auc']:.5f}" if batch else "",
            f"{verdict['speed_up']:.1f}x" if batch else "",
        )
    return table


def tuning_table(result: "TuningResult") -> Table:
    """The three best trials beside the first one, the recipe as it was."""
    complete = [row for row in result.trials if row["outcome"] == "complete"]
    shown = sorted(complete, key=lambda row: -row["auc"])[:3]
    shown += [row for row in result.trials[:1] if row not in shown]
    table = _table(
        f"{result.recipe.model}, {len(result.trials)} trials, "
        f"{len(complete)} complete",
        "setting",
        *(f"trial {row['trial']}" for row in shown),
    )
    table.add_row(
        "validation AUC",
        *("" if row["auc"] is None else f"{row['auc']:.5f}" for row in shown),
    )
    table.add_section()
    facts = ("trial", "outcome", "auc", "epochs", "seconds", "reason")
    for name in (name for name in shown[0] if name not in facts):
        table.add_row(_shown(name), *(_setting(row[name]) for row in shown))
    table.caption = (
        "Chosen by the validation split. The test split was not read."
    )
    return table


def _setting(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _split_table(splits: dict[str, Any], title: str) -> Table:
    labels = next(iter(splits.values())).get("click_rates", {"click": None})
    table = _table(
        title, "split", "rows", *(_shown(f"{label} rate") for label in labels)
    )
    for name, split in splits.items():
        rates = split.get("click_rates", {"click": split["click_rate"]})
        table.add_row(
            name,
            f"{split['rows']:,}",
            *(f"{rate:.4f}" for rate in rates.values()),
        )
    return table


def _shown(name: str) -> Text:
    """A name that users chose, in which brackets are no markup."""
    return Text(elide(name, _WIDEST_NAME))


def _table(title: str, *columns: str | Text) -> Table:
    """A table whose first column holds names, and the others numbers."""
    # A title may have a path, whose brackets are no markup.
    table = Table(title=escape(title) or None)
    for name in columns:
        table.add_column(name)
    # A long name is shown over several lines, to its end.
    table.columns[0].overflow = "fold"
    for column in table.columns[1:]:
        column.justify = "right"
    return table
