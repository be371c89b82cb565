from rich.console import Console

from zoo.commands.preset_options import EncodedFolder
from zoo.commands.preset_options import Preset
from zoo.commands.preset_options import SplitName
from zoo.data.encoded_log import EncodedLog
from zoo.evaluation.evaluation import evaluate as evaluate_model
from zoo.tables import metrics_table


def evaluate(
    preset: Preset,
    data: EncodedFolder,
    split: SplitName = "test",
) -> None:
    """Evaluate a trained model on a split, exactly."""
    metrics = evaluate_model(preset, EncodedLog.load(data), split)
    Console().print(metrics_table(metrics, split, preset))
