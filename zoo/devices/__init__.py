"""Several devices, in one process or in many, that train one network."""

from zoo.devices.devices import ONE_DEVICE as ONE_DEVICE
from zoo.devices.devices import Devices as Devices
from zoo.devices.devices import ProcessLostError as ProcessLostError
from zoo.devices.start import start_devices as start_devices
