"""The X-ray viewer of the officers' screens: an element for NiceGUI, its script and its shaders. See docs/decisions/0035-xray-viewer.md."""
