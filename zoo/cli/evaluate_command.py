import json

from rich.console import Console

from zoo.cli.failures import ending_on_useless_predictions
from zoo.cli.options import AsJson
from zoo.cli.options import EncodedFolder
from zoo.cli.options import GroupBy
from zoo.cli.options import Preset
from zoo.cli.options import Split
from zoo.cli.tables import metrics_table


def evaluate(
    preset: Preset,
    data: EncodedFolder,
    split: Split = "test",
    group_by: GroupBy = None,
    as_json: AsJson = False,
) -> None:
    """Evaluate a trained model on a split, exactly."""
    from zoo.data.encoded_log import EncodedLog
    from zoo.evaluation.evaluation import evaluate as evaluate_model

    with ending_on_useless_predictions():
        metrics = evaluate_model(preset, EncodedLog.load(data), split, group_by)
        if as_json:
            print(json.dumps(metrics))
            return
        Console().print(metrics_table(metrics, split, preset))
