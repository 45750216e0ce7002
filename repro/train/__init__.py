"""Fine-tune inside the worker: model, data, loop."""
