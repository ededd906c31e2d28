"""Faces: detect, align, embed, compare, judge quality."""

from models.face.careful import CarefulEmbedder
from models.face.closer import CloserLimits, CloserLook, CloserQuality
from models.face.detect import Face, FaceDetector, nearest_centre
from models.face.embed import FaceEmbedder, align, cosine, fuse
from models.face.eyes import EyeMesh
from models.face.mesh import FaceMesh, Mesh
from models.face.quality import FaceQuality, Hint, QualityComponent, QualityLimits, assess
from models.face.track import FaceTracker

__all__ = [
    "CarefulEmbedder",
    "CloserLimits",
    "CloserLook",
    "CloserQuality",
    "EyeMesh",
    "Face",
    "FaceDetector",
    "FaceEmbedder",
    "FaceMesh",
    "FaceQuality",
    "FaceTracker",
    "Hint",
    "Mesh",
    "QualityComponent",
    "QualityLimits",
    "align",
    "assess",
    "cosine",
    "fuse",
    "nearest_centre",
]
