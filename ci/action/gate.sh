#!/usr/bin/env bash
# End the job by the judge's code: 0 passed, 1 failed, 3 incomplete.
exit "${CODE:?no verdict was given}"
