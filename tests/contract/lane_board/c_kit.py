"""The reference board in C as tests find it: built when first wanted, skipped (in CI: failed) without a compiler."""

from __future__ import annotations

import shutil

import pytest

needs_compiler = pytest.mark.skipif(
    shutil.which("gcc") is None or shutil.which("make") is None, reason="gcc and make are needed: make system"
)
