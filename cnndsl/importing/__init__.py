"""Networks from elsewhere: a PyTorch module, an exported program or an ONNX file becomes a program, proved to be the same."""
