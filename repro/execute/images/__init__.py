"""Build, check and transfer the pinned images that workers run in."""
