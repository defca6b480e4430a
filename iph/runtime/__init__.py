"""Networks as functions from arrays to arrays: shipped ones run in ONNX Runtime, those in training in torch."""
