"""Encodes raw click logs: strings become integer ids, once."""

from zoo.encoding.encoder import ClickEncoder as ClickEncoder
from zoo.encoding.preparation import prepare as prepare
from zoo.raw.log_format import LogFormat as LogFormat
from zoo.raw.source import open_raw_log as open_raw_log
from zoo.raw.source import open_source as open_source
