"""Fine-tuning, inside the worker: model, data, loop."""
