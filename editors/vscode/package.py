"""Builds the extension, `cnndsl-VERSION.vsix`: `npm ci --ignore-scripts` once, then `python3 package.py`, which needs no network.

A .vsix is a zip with a manifest. The same sources give the same bytes.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import zipfile
from pathlib import Path
from xml.sax.saxutils import escape

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
SHIPPED = (
    "language-configuration.json",
    "syntaxes/cnn.tmLanguage.json",
    "syntaxes/cell.tmLanguage.json",
    "out/extension.js",
    "README.md",
)
_TYPES = """<?xml version="1.0" encoding="utf-8"?>
<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="json" ContentType="application/json"/>\
<Default Extension="js" ContentType="application/javascript"/><Default Extension="md" ContentType="text/markdown"/>\
<Default Extension="txt" ContentType="text/plain"/><Default Extension="vsixmanifest" ContentType="text/xml"/></Types>
"""


def build(target: Path | None = None) -> Path:
    """Writes the .vsix, beside this file if nothing else is said. Raises SystemExit where `npm ci` was not run."""
    tool = HERE / "node_modules" / ".bin" / "esbuild"
    if not tool.exists():
        sys.exit("run `npm ci --ignore-scripts` in editors/vscode first")
    bundle = ["src/extension.js", "--bundle", "--platform=node", "--target=node18", "--external:vscode", "--minify"]
    subprocess.run([str(tool), *bundle, "--outfile=out/extension.js", "--log-level=warning"], cwd=HERE, check=True)
    version = re.search(r'__version__ = "(.+)"', (ROOT / "cnndsl" / "version.py").read_text("utf-8"))
    assert version is not None
    described = json.loads((HERE / "package.json").read_text("utf-8")) | {"version": _plain(version[1])}
    for key in ("scripts", "devDependencies", "dependencies", "private"):
        described.pop(key, None)
    target = target or HERE / f"cnndsl-{described['version']}.vsix"
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        _put(archive, "[Content_Types].xml", _TYPES.encode())
        _put(archive, "extension.vsixmanifest", _manifest(described).encode())
        _put(archive, "extension/package.json", json.dumps(described, indent=2, ensure_ascii=False).encode())
        _put(archive, "extension/LICENSE.txt", (ROOT / "LICENSE").read_bytes())
        for name in SHIPPED:
            _put(archive, f"extension/{name}", (HERE / name).read_bytes())
    return target


def _plain(version: str) -> str:
    """Three numbers, which is all that VS Code takes."""
    found = re.match(r"(\d+)(?:\.(\d+))?(?:\.(\d+))?", version)
    assert found is not None
    return ".".join(part or "0" for part in found.groups())


def _put(archive: zipfile.ZipFile, name: str, data: bytes) -> None:
    entry = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
    entry.compress_type = zipfile.ZIP_DEFLATED
    entry.external_attr = 0o644 << 16
    archive.writestr(entry, data)


def _manifest(described: dict[str, object]) -> str:
    names = {
        key: escape(str(described[key]), {'"': "&quot;"})
        for key in ("name", "version", "publisher", "displayName", "description")
    }
    engine = described["engines"]
    assert isinstance(engine, dict)
    return f"""<?xml version="1.0" encoding="utf-8"?>
<PackageManifest Version="2.0.0" xmlns="http://schemas.microsoft.com/developer/vsx-schema/2011">
  <Metadata>
    <Identity Language="en-US" Id="{names["name"]}" Version="{names["version"]}" Publisher="{names["publisher"]}"/>
    <DisplayName>{names["displayName"]}</DisplayName>
    <Description xml:space="preserve">{names["description"]}</Description>
    <Categories>Programming Languages</Categories>
    <Properties>
      <Property Id="Microsoft.VisualStudio.Code.Engine" Value="{escape(str(engine["vscode"]))}"/>
      <Property Id="Microsoft.VisualStudio.Code.ExtensionKind" Value="workspace"/>
    </Properties>
    <License>extension/LICENSE.txt</License>
  </Metadata>
  <Installation><InstallationTarget Id="Microsoft.VisualStudio.Code"/></Installation>
  <Dependencies/>
  <Assets>
    <Asset Type="Microsoft.VisualStudio.Code.Manifest" Path="extension/package.json" Addressable="true"/>
    <Asset Type="Microsoft.VisualStudio.Services.Content.Details" Path="extension/README.md" Addressable="true"/>
  </Assets>
</PackageManifest>
"""


if __name__ == "__main__":
    sys.stdout.write(f"{build()}\n")
