"""From a raw click log to integer ids, offline and in memory."""

from zoo.encoding.encoder import ClickEncoder as ClickEncoder
from zoo.encoding.prepare import prepare as prepare
from zoo.raw.log_format import LogFormat as LogFormat
from zoo.raw.source import open_source as open_source
