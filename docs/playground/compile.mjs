// Compiles Python files to bytecode with the interpreter that will run it. `node compile.mjs PYODIDE FOLDER`: beneath FOLDER each
// `.py` becomes a `.pyc` beside it; files in FOLDER/plain keep their docstrings, those in FOLDER/bare lose them. Tracebacks
// name lines but no columns: the columns are a sixth of the bytecode that is sent.
import { pathToFileURL } from "node:url";
import { resolve } from "node:path";

const [pyodide, folder] = process.argv.slice(2).map((path) => resolve(path));
const { loadPyodide } = await import(pathToFileURL(`${pyodide}/pyodide.mjs`).href);
const python = await loadPyodide({ indexURL: pyodide, args: ["-X", "no_debug_ranges"] });
python.FS.mkdirTree("/work");
python.FS.mount(python.FS.filesystems.NODEFS, { root: folder }, "/work");
const count = python.runPython(`
import pathlib, py_compile
done = 0
for part, optimize in (("plain", 0), ("bare", 2)):
    root = pathlib.Path("/work") / part
    for file in sorted(root.rglob("*.py")):
        py_compile.compile(str(file), cfile=str(file.with_suffix(".pyc")), dfile=str(file.relative_to(root)), doraise=True,
                           optimize=optimize, invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH)
        done += 1
done
`);
console.log(`${count} files compiled by Python ${python.runPython("import sys; sys.version.split()[0]")}`);
