"""ONNX files: any exporter, opsets 9 to 23. The package `onnx` parses the bytes; all else is read here."""
