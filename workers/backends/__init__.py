"""What runs the network: ONNX Runtime, PyTorch, or ModelScope's own pipeline, one module each."""
