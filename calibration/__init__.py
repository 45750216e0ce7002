"""How often each verdict errs: simulated papers and runs, judged by the package's own functions.

seeds.py    how seeds scatter: normal, in two clusters, mostly zero, heavy-tailed, skewed, on a grid
kinds.py    one kind of claim at a time: its prints, rounded as papers round, and our runs
papers.py   whole papers: every claim true, or one headline effect absent
rates.py    how often each outcome is given, cell by cell, on both cores
promises.py what the rates must keep, and where they cannot
__main__.py `make calibrate`: the tables of docs/calibration.md
"""
