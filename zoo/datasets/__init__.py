"""Facts of data sets, and where their raw logs come from."""

from zoo.datasets.avazu import AVAZU as AVAZU
from zoo.datasets.criteo import CRITEO as CRITEO
from zoo.encoding.log_format import LogFormat

RAW_LOGS: dict[str, LogFormat] = {log.name: log for log in (CRITEO, AVAZU)}
"""The raw logs that `zoo.encoding.prepare` knows, by name."""
