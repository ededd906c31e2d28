"""What a device can do wrong before it is running. Once it runs, its faults are reports, not exceptions."""


class DeviceError(Exception):
    """A device that cannot be used as configured.

    `str()` is one sentence that names the device and what to do about it; the command line prints it as it is.
    """
