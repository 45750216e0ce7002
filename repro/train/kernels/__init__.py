"""LoRA's product with dropout that is counted, not drawn: plain formulas, kernels for a card."""
