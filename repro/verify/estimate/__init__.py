"""Turn evidence into estimates: what was measured for a claim, with everything its rule needs."""
