"""Artifacts that were verified."""

from __future__ import annotations

import json
from typing import Any, Dict, Optional

from ._native import Handle, bytes_of, lib, owner, text_of, written

_VerifiedArtifact = owner("verified_artifact")


class VerifiedArtifact(Handle):
    """An artifact that was verified. There is no other way to one than a verification that succeeded."""

    @property
    def digest(self) -> str:
        """The digest of what was asked about."""
        return text_of(lib.touchmark_verified_artifact_digest(self._pointer))

    @property
    def media_type(self) -> str:
        """The manifest's media type."""
        return text_of(lib.touchmark_verified_artifact_media_type(self._pointer))

    @property
    def size(self) -> int:
        """The manifest's size."""
        return int(lib.touchmark_verified_artifact_size(self._pointer))

    @property
    def manifest(self) -> Optional[bytes]:
        """The manifest's verified bytes, if the decision read them."""
        return bytes_of(lib.touchmark_verified_artifact_manifest(self._pointer)) or None

    @property
    def name(self) -> Optional[str]:
        """The NAME or NAME:VERSION that was verified; None if none was asked for."""
        return text_of(lib.touchmark_verified_artifact_name(self._pointer)) or None

    def to_json(self) -> bytes:
        """How it was verified, as JSON."""
        return written(lib.touchmark_verified_artifact_to_json, self._pointer)

    @property
    def report(self) -> Dict[str, Any]:
        """How it was verified."""
        report: Dict[str, Any] = json.loads(self.to_json())
        return report
