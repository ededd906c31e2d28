"""Training of the models that are our own: pictures are drawn, nothing is collected. Needs the extra ``train``."""
