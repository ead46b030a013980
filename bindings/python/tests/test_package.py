"""What is installed: its version, its types, and the example of the README."""

from __future__ import annotations

import contextlib
import importlib.metadata
import io
import re
import unittest
from pathlib import Path
from typing import Any, Dict

import touchmark
from touchmark import _native, _prototypes

HERE = Path(__file__).parents[1]


class Package(unittest.TestCase):
    def test_one_version(self) -> None:
        self.assertEqual(importlib.metadata.version("touchmark"), touchmark.__version__)
        self.assertIn(f'version = "{touchmark.__version__}"', (HERE / "pyproject.toml").read_text())

    def test_the_package_has_what_a_package_has(self) -> None:
        files = {str(file) for file in importlib.metadata.files("touchmark") or ()}
        for name in ("touchmark/py.typed", "touchmark/libtouchmark.so"):
            self.assertIn(name, files)
        for name in ("LICENSE-APACHE", "LICENSE-MIT", "THIRD-PARTY-NOTICES.md"):
            self.assertTrue(any(file.endswith(f"licenses/{name}") for file in files))
        self.assertIn("Touchmark for Python", importlib.metadata.distribution("touchmark").read_text("METADATA") or "")

    def test_every_function_is_there(self) -> None:
        self.assertLessEqual({"sign", "io", "supply-chain"}, set(touchmark.features()))
        for name in _prototypes.PROTOTYPES:
            getattr(_native.lib, name)

    def test_the_header_has_the_same_functions(self) -> None:
        header = re.sub(r"/\*.*?\*/|//[^\n]*", "", (HERE / "../../crates/capi/include/touchmark.h").read_text(), flags=re.DOTALL)
        declared: Dict[str, int] = {}
        for name, arguments in re.findall(r"\b(touchmark_\w+)\s*\(([^()]*)\)\s*;", header):
            declared[name] = 0 if arguments.strip() == "void" else len(arguments.split(","))
        known = {name: len(arguments) for name, (_, arguments) in _prototypes.PROTOTYPES.items()}
        # Done here by steps.
        self.assertEqual(declared.pop("touchmark_tuf_client_drive", 3), 3)
        self.assertEqual(known, declared)

    def test_the_example_of_the_readme(self) -> None:
        blocks = re.findall(r"```python\n(.*?)```", (HERE / "README.md").read_text(), re.DOTALL)
        self.assertEqual(len(blocks), 1)
        names: Dict[str, Any] = {}
        with contextlib.redirect_stdout(io.StringIO()) as shown:
            exec(compile(blocks[0], "README.md", "exec"), names)
        self.assertRegex(shown.getvalue(), r"^verified acme/net-monitor:1\.2\.0 sha256:[0-9a-f]{64}\nrefused NOT_VERIFIED\n$")
