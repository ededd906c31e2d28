"""Pictures of inspection machines: X-ray of bags, CT, from a watched folder, an upload, or DICOM and DICOS files."""

from drivers.xray.interface import NotTaken, TimeSource, XrayImage, XrayRefused, XrayReport, XraySource, XrayView

__all__ = ["NotTaken", "TimeSource", "XrayImage", "XrayRefused", "XrayReport", "XraySource", "XrayView"]
