"""Faces: detect, align, embed, compare, judge quality."""

from models.face.detect import Face, FaceDetector
from models.face.embed import FaceEmbedder, align, cosine
from models.face.quality import FaceQuality, Hint, QualityComponent, QualityLimits, assess

__all__ = [
    "Face",
    "FaceDetector",
    "FaceEmbedder",
    "FaceQuality",
    "Hint",
    "QualityComponent",
    "QualityLimits",
    "align",
    "assess",
    "cosine",
]
