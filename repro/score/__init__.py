"""Score code that a model wrote: candidates run in a box, outputs are compared outside it."""
