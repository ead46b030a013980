"""Builds the wheel: the package's files and the shared library, which is taken from TOUCHMARK_PREFIX/lib or target/capi/lib.

It needs nothing but Python, and the same inputs give the same bytes.
"""

from __future__ import annotations

import base64
import hashlib
import io
import os
import re
import sysconfig
import tarfile
import zipfile
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent.parent
TEXT = (HERE / "pyproject.toml").read_text()
LICENSES = ("LICENSE-APACHE", "LICENSE-MIT", "THIRD-PARTY-NOTICES.md")


def field(name: str) -> str:
    """A text of pyproject.toml; Python reads TOML from 3.11 only."""
    found = re.search(rf'^{name} = "(.*)"$', TEXT, re.MULTILINE)
    if not found:
        raise SystemExit(f"pyproject.toml has no {name}")
    return found.group(1)


VERSION = field("version")
NAME = f"touchmark-{VERSION}"


def library() -> bytes:
    """The shared library that goes into the wheel."""
    prefix = os.environ.get("TOUCHMARK_PREFIX")
    path = (Path(prefix) if prefix else HERE / "../../target/capi") / "lib/libtouchmark.so"
    if not path.exists():
        raise SystemExit(f"{path} is missing: scripts/capi.sh builds it, and TOUCHMARK_PREFIX names another folder")
    return path.read_bytes()


def platform_tag(elf: bytes) -> str:
    """The oldest glibc that has every version of a symbol that the library asks for (PEP 600), or the machine's own tag without glibc."""
    machine = sysconfig.get_platform().replace("-", "_").replace(".", "_")
    versions = [int(minor) for minor in re.findall(rb"GLIBC_2\.(\d+)", elf)]
    if not versions or not machine.startswith("linux_"):
        return machine
    return machine.replace("linux", f"manylinux_2_{max(versions)}", 1)


def metadata() -> bytes:
    """PEP 566, from pyproject.toml."""
    lines = [
        "Metadata-Version: 2.4",
        "Name: touchmark",
        f"Version: {VERSION}",
        f"Summary: {field('description')}",
        f"License-Expression: {field('license')}",
        *(f"License-File: {name}" for name in LICENSES),
        "Project-URL: Repository, https://github.com/touchmark/touchmark",
        f"Requires-Python: {field('requires-python')}",
        "Description-Content-Type: text/markdown",
    ]
    return ("\n".join(lines) + "\n\n" + (HERE / "README.md").read_text()).encode()


def licenses() -> dict[str, bytes]:
    """The licences, also of what is linked into the library: of the repository, or of this folder where it was unpacked from a source distribution."""
    found = {}
    for name in LICENSES:
        path = HERE / name if (HERE / name).exists() else HERE / "../.." / name
        found[name] = path.read_bytes()
    return found


def build_wheel(wheel_directory: str, config_settings: Any = None, metadata_directory: Any = None) -> str:
    """PEP 517."""
    elf = library()
    tag = f"py3-none-{platform_tag(elf)}"
    files = {f"touchmark/{path.name}": path.read_bytes() for path in sorted((HERE / "src/touchmark").iterdir()) if path.suffix in (".py", ".typed")}
    files["touchmark/libtouchmark.so"] = elf
    info = f"{NAME}.dist-info"
    files[f"{info}/METADATA"] = metadata()
    files[f"{info}/WHEEL"] = f"Wheel-Version: 1.0\nGenerator: touchmark_build\nRoot-Is-Purelib: false\nTag: {tag}\n".encode()
    files.update({f"{info}/licenses/{name}": text for name, text in licenses().items()})
    records = [f"{name},sha256={base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b'=').decode()},{len(data)}" for name, data in files.items()]
    files[f"{info}/RECORD"] = ("\n".join([*records, f"{info}/RECORD,,"]) + "\n").encode()
    name = f"{NAME}-{tag}.whl"
    with zipfile.ZipFile(Path(wheel_directory) / name, "w", zipfile.ZIP_DEFLATED) as wheel:
        for path, data in files.items():
            entry = zipfile.ZipInfo(path)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = (0o100755 if path.endswith(".so") else 0o100644) << 16
            wheel.writestr(entry, data)
    return name


def build_sdist(sdist_directory: str, config_settings: Any = None) -> str:
    """PEP 517. The library is built from the repository; a wheel is built from this with TOUCHMARK_PREFIX."""
    files = {name: (HERE / name).read_bytes() for name in ("pyproject.toml", "README.md", "backend/touchmark_build.py")}
    files.update({f"src/touchmark/{path.name}": path.read_bytes() for path in sorted((HERE / "src/touchmark").iterdir()) if path.is_file()})
    files.update({**licenses(), "PKG-INFO": metadata()})
    name = f"{NAME}.tar.gz"
    with tarfile.open(Path(sdist_directory) / name, "w:gz", format=tarfile.PAX_FORMAT) as archive:
        for path, data in files.items():
            entry = tarfile.TarInfo(f"{NAME}/{path}")
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))
    return name
