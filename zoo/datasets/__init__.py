"""Describes public click logs, and loads them."""

from zoo.datasets.avazu import AVAZU as AVAZU
from zoo.datasets.avazu import AVAZU_X1 as AVAZU_X1
from zoo.datasets.avazu import AVAZU_X4 as AVAZU_X4
from zoo.datasets.criteo import CRITEO as CRITEO
from zoo.datasets.criteo import CRITEO_X1 as CRITEO_X1
from zoo.datasets.criteo import CRITEO_X4 as CRITEO_X4
from zoo.datasets.hub import fetch as fetch
from zoo.datasets.loaders import load_avazu as load_avazu
from zoo.datasets.loaders import load_clicks as load_clicks
from zoo.datasets.loaders import load_criteo as load_criteo
from zoo.datasets.synthetic import SYNTHETIC as SYNTHETIC
from zoo.raw.log_format import LogFormat

RAW_LOGS: dict[str, LogFormat] = {
    log.name: log
    for log in (
        CRITEO,
        AVAZU,
        CRITEO_X1,
        CRITEO_X4,
        AVAZU_X1,
        AVAZU_X4,
        SYNTHETIC,
    )
}
"""The raw logs that `zoo.encoding.prepare` knows, by name."""

LICENSED = tuple(name for name in RAW_LOGS if name != SYNTHETIC.name)
"""Logs under their publisher's terms, which allow no copies of their parts."""
