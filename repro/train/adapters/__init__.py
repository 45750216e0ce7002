"""What is trained: LoRA, block-diagonal LoRA, or every weight; put on, counted, saved, loaded."""
