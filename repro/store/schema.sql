-- The index over all run folders. It can be thrown away: `repro ingest` builds it again.

-- One row for each manifest and run that it asks for (asked/MANIFEST.json), or that it made once and asks for no longer.
-- A run that several manifests ask for stands here several times; its measurements are stored once.
CREATE TABLE runs (
    run_id VARCHAR NOT NULL,
    experiment VARCHAR NOT NULL,
    slot VARCHAR NOT NULL,          -- model-condition-seed, as a reader calls it
    model VARCHAR NOT NULL,
    condition VARCHAR NOT NULL,
    seed BIGINT,                    -- NULL where nothing is trained
    status VARCHAR NOT NULL,        -- done, diverged, partial, or superseded: the manifest does not ask for it now
    reason VARCHAR,                 -- why it diverged
    steps INTEGER NOT NULL,         -- optimizer steps asked for
    started TIMESTAMP,
    finished TIMESTAMP,
    runner VARCHAR,
    image VARCHAR,
    probe_set VARCHAR,
    probe_hash VARCHAR,
    folder VARCHAR NOT NULL,        -- below results/runs: where the manifest that made it first put it
    claims JSON,                    -- digest of each judging rule of this manifest, as it was sealed before the run
    seal VARCHAR,                   -- newest seal of the claims when it began
    base VARCHAR,                   -- what its step 0 measures, besides probes; NULL where it goes on from another run
    surroundings VARCHAR,           -- edition, other packages, processor, texts: equal where equal inputs give equal bits
    key JSON,                       -- everything the run's name was made from, with the names of model and probe set
    PRIMARY KEY (experiment, run_id)
);

-- When each judging rule was sealed first; the seals' order is theirs, not the clock's.
CREATE TABLE seals (
    claim VARCHAR NOT NULL, digest VARCHAR NOT NULL, sealed TIMESTAMP NOT NULL, seal VARCHAR NOT NULL
);

-- What each seal holds of each manifest: digest by claim.
CREATE TABLE sealed_claims (seal VARCHAR NOT NULL, experiment VARCHAR NOT NULL, claims JSON NOT NULL);

-- Lists and seals beside the run folders, as they were when this store was made.
CREATE TABLE noted (path VARCHAR NOT NULL, sha256 VARCHAR NOT NULL);

CREATE TABLE measurements (
    run_id VARCHAR NOT NULL,
    step INTEGER NOT NULL,
    quantity VARCHAR NOT NULL,
    specification VARCHAR NOT NULL,
    layer VARCHAR NOT NULL,
    direction INTEGER,
    concept VARCHAR,
    value DOUBLE,                   -- NULL exactly when reason says why it is undefined
    reason VARCHAR,
    n BIGINT NOT NULL,
    probe_set VARCHAR               -- NULL: the run's own
);

-- Completions of benchmarks, each with what became of it (docs/SCIENCE.md §10).
CREATE TABLE samples (
    run_id VARCHAR NOT NULL,
    step INTEGER NOT NULL,
    benchmark VARCHAR NOT NULL,     -- humaneval: base inputs; humaneval_plus: base and further inputs together
    task_id VARCHAR NOT NULL,
    sample INTEGER NOT NULL,
    outcome VARCHAR NOT NULL,       -- passed, failed, flaky (tries disagree), not_scored (the sandbox gave out)
    reason VARCHAR,
    tokens INTEGER NOT NULL,        -- generated
    ended VARCHAR NOT NULL,         -- stop, end_of_text, length
    decided_alone INTEGER NOT NULL  -- tokens that the batch might have changed, decided without it
);

-- The same as counts. A share is given only where every problem has one certain verdict.
CREATE TABLE evaluations (
    run_id VARCHAR NOT NULL,
    step INTEGER NOT NULL,
    benchmark VARCHAR NOT NULL,
    problems INTEGER NOT NULL,
    passed INTEGER NOT NULL, failed INTEGER NOT NULL, flaky INTEGER NOT NULL, not_scored INTEGER NOT NULL,
    score DOUBLE, low DOUBLE, high DOUBLE, -- share of problems solved, Wilson's interval at 95 %
    reason VARCHAR,                 -- why there is no share
    sandbox VARCHAR NOT NULL,
    tokens BIGINT NOT NULL,
    decided_alone BIGINT NOT NULL,
    file VARCHAR NOT NULL           -- sha256 of the benchmark's file
);

CREATE TABLE artifacts (
    run_id VARCHAR NOT NULL,
    path VARCHAR NOT NULL,
    sha256 VARCHAR NOT NULL
);

-- The run folders as they were when this store was made: what `repro verify` compares them with.
CREATE TABLE folders (
    folder VARCHAR PRIMARY KEY,     -- below results/runs
    left_out VARCHAR,               -- why nothing of it is in this store; NULL: it is
    marker VARCHAR,                 -- digests of its marker's parts; NULL: the run was not finished
    names VARCHAR NOT NULL,         -- marker and listed files that were there, a line each
    states BIGINT[] NOT NULL,       -- size and time (ns) of each of them
    absent INTEGER NOT NULL,        -- weights that are listed and were not there
    run JSON                        -- its row under the names of the manifest that made it; NULL: it was left out
);

CREATE TABLE provenance (
    run_id VARCHAR NOT NULL,
    attempts INTEGER NOT NULL,      -- how often a worker began; the columns below are of the last
    git_commit VARCHAR,             -- "unknown" where the host has no git
    dirty VARCHAR,                  -- true, false, unknown: whether the checkout differed from its commit
    device VARCHAR,                 -- cpu, cuda
    edition VARCHAR,                -- of the numbers: code.packages
    code VARCHAR,                   -- digest of the worker's sources; several where attempts had different ones
    sources JSON,                   -- digest of each module, of the last attempt
    lock VARCHAR,
    image VARCHAR,                  -- content of the image, or local
    packages JSON,                  -- every installed package and its version, of the last attempt
    weights VARCHAR,                -- hub, packaged_gguf, random
    stored_as VARCHAR,              -- number types of the weight files
    network VARCHAR,                -- none, routed: as the worker found it
    root VARCHAR,                   -- read-only, writable
    system VARCHAR,
    processor VARCHAR,
    gpus VARCHAR,
    gpu_driver VARCHAR,
    content JSON NOT NULL           -- everything: packages, kernels, files of model and texts, isolation, each attempt
);

-- What trajectories come to (docs/SCIENCE.md §11), for every trained run and probe set, both readings of EI. A collapse counts
-- as geometric only where the anchored EI collapses too (§5). Of a run that is under way: so far.
CREATE TABLE collapses (
    experiment VARCHAR NOT NULL, model VARCHAR NOT NULL, condition VARCHAR NOT NULL, seed BIGINT, probe_set VARCHAR,
    specification VARCHAR NOT NULL, -- default, anchored
    step INTEGER,                   -- first step from which EI is 0 at every later checkpoint
    recovered BOOLEAN NOT NULL,     -- EI was 0, later above 0, and later 0 again
    last_step INTEGER NOT NULL,     -- last checkpoint there is
    reason VARCHAR,                 -- why there is no collapse step
    status VARCHAR NOT NULL, run_id VARCHAR NOT NULL
);

-- The same per cell: first step from which the directions of one concept (own) no longer damage another one.
CREATE TABLE cell_collapses (
    experiment VARCHAR NOT NULL, model VARCHAR NOT NULL, condition VARCHAR NOT NULL, seed BIGINT, probe_set VARCHAR,
    own VARCHAR NOT NULL, concept VARCHAR NOT NULL,
    step INTEGER,
    place INTEGER,                  -- 1: first of the run's cells to collapse; equal steps share a place
    last_step INTEGER NOT NULL,
    reason VARCHAR,
    status VARCHAR NOT NULL, run_id VARCHAR NOT NULL
);

-- First step from which the EI of two conditions, over seeds of finished runs, differs by Welch's t at the two-sided 5 % level
-- at every later checkpoint that both have.
CREATE TABLE divergences (
    experiment VARCHAR NOT NULL, model VARCHAR NOT NULL, probe_set VARCHAR, specification VARCHAR NOT NULL,
    first VARCHAR NOT NULL, second VARCHAR NOT NULL,
    seeds_first INTEGER NOT NULL, seeds_second INTEGER NOT NULL,
    step INTEGER,
    last_step INTEGER NOT NULL,
    reason VARCHAR                  -- why they do not diverge
);

-- What authors sent (`repro supply`): a row a folder. Verdicts from it have the grade `supplied`.
CREATE TABLE supplied (
    folder VARCHAR PRIMARY KEY,     -- below results/supplied
    paper VARCHAR NOT NULL,
    supplied_by VARCHAR NOT NULL,
    supplied TIMESTAMP NOT NULL,
    counts BOOLEAN NOT NULL,        -- whether it is the newest of its paper, by which claims are judged
    files INTEGER NOT NULL,
    seal VARCHAR NOT NULL,          -- newest seal of the claims when it was taken in
    told VARCHAR NOT NULL           -- what was found wrong with it, a line each
);

CREATE TABLE supplied_values (
    folder VARCHAR NOT NULL,
    model VARCHAR NOT NULL, condition VARCHAR NOT NULL, seed BIGINT, step INTEGER NOT NULL,
    quantity VARCHAR NOT NULL, specification VARCHAR NOT NULL, concept VARCHAR, direction INTEGER,
    probe_set VARCHAR, adapter VARCHAR,
    axes VARCHAR NOT NULL,          -- levels of the paper's own axes
    stated DOUBLE,                  -- in the authors' table; NULL: only measured
    stated_in VARCHAR,              -- file and line
    measured DOUBLE,                -- here, from their activations or adapter; NULL: only stated
    measured_from VARCHAR,
    undefined VARCHAR,              -- why these give no value: the row then judges nothing
    n BIGINT NOT NULL
);

CREATE TABLE claims (
    id VARCHAR PRIMARY KEY,
    source VARCHAR, locator VARCHAR, printed VARCHAR, kind VARCHAR, measured_by VARCHAR, digest VARCHAR
);

CREATE TABLE verdicts (
    claim VARCHAR,
    basis VARCHAR,                  -- measured, definition, setting: only what is measured is ever "reproduced"
    grade VARCHAR,                  -- whose runs: own, other_settings, twin, random, supplied; NULL where nothing was measured
    outcome VARCHAR, estimate DOUBLE, low DOUBLE, high DOUBLE, n INTEGER, p DOUBLE, reason VARCHAR
);

-- One line per run, measured step and probe set: the quantities everybody asks for first.
CREATE VIEW trajectories AS
SELECT r.experiment, r.model, r.condition, r.seed, m.step, coalesce(m.probe_set, r.probe_set) AS probe_set,
    max(value) FILTER (quantity = 'entanglement_intensity' AND specification = 'default') AS ei,
    max(value) FILTER (quantity = 'entanglement_intensity' AND specification = 'anchored') AS ei_anchored,
    max(value) FILTER (quantity = 'activation_rms') AS rms,
    max(value) FILTER (quantity = 'v_purity') AS v_purity,
    max(value) FILTER (quantity = 'rank') AS rank,
    max(value) FILTER (quantity = 'singular_value' AND direction = 0) AS sigma_1,
    max(value) FILTER (quantity = 'margin') AS margin,
    max(value) FILTER (quantity = 'accuracy' AND concept = 'domain') AS accuracy_domain,
    max(value) FILTER (quantity = 'accuracy' AND concept = 'register') AS accuracy_register,
    max(value) FILTER (quantity = 'accuracy' AND concept = 'shape') AS accuracy_shape,
    max(value) FILTER (quantity = 'heldout_loss' AND concept = 'code') AS loss_code,
    max(value) FILTER (quantity = 'heldout_loss' AND concept = 'math') AS loss_math,
    max(value) FILTER (quantity = 'heldout_loss' AND concept = 'natural_language') AS loss_natural_language,
    r.status, r.run_id
FROM runs r JOIN measurements m USING (run_id)
WHERE r.status <> 'superseded' AND (m.layer <> '' OR m.quantity = 'heldout_loss')
GROUP BY ALL
ORDER BY r.experiment, r.model, r.condition, r.seed, m.step, probe_set;

-- Two axes of a companion's choice (docs/SCIENCE.md §8), per model: its crosstalk with code in the base model, by rising
-- rank, and what training on it alone does to the loss on held-out code (negative: helps), mean over seeds, by rising rank.
-- dominated_by: companions at least as good on both axes and better on one; NULL: none, or an axis is missing.
CREATE VIEW companions AS
WITH losses AS (
    SELECT r.run_id, r.experiment, r.model, r.seed, m.value AS loss, json_keys(r.key, '$.condition.phases[0].mixture') AS trained,
        coalesce(json_array_length(r.key, '$.condition.phases'), 0) AS phases
    FROM runs r JOIN measurements m USING (run_id)
    WHERE r.status = 'done' AND m.quantity = 'heldout_loss' AND m.concept = 'code' AND m.step = r.steps),
transfer AS (
    SELECT model, companion, avg(change) AS loss_change, stddev_samp(loss) AS loss_sd, count(*) AS seeds
    FROM (
        SELECT DISTINCT t.run_id, t.model, t.trained[1] AS companion, t.loss, t.loss - b.loss AS change
        FROM losses t JOIN losses b ON b.experiment = t.experiment AND b.model = t.model AND b.phases = 0
        WHERE t.phases = 1 AND len(t.trained) = 1 AND t.trained[1] <> 'code')
    GROUP BY ALL),
interference AS (
    SELECT r.model, coalesce(m.probe_set, r.probe_set) AS probe_set, m.concept AS companion, avg(m.value) AS crosstalk
    FROM (SELECT DISTINCT run_id, model, probe_set FROM runs WHERE status = 'done') r JOIN measurements m USING (run_id)
    WHERE m.quantity = 'crosstalk' AND m.step = 0
    GROUP BY ALL)
SELECT i.model, i.probe_set, i.companion, i.crosstalk,
    rank() OVER (PARTITION BY i.model, i.probe_set ORDER BY i.crosstalk) AS crosstalk_rank,
    t.loss_change, t.loss_sd, t.seeds,
    CASE WHEN t.loss_change IS NOT NULL
        THEN rank() OVER (PARTITION BY i.model, i.probe_set ORDER BY t.loss_change NULLS LAST) END AS transfer_rank,
    (SELECT string_agg(o.companion, ', ' ORDER BY o.companion)
     FROM interference o JOIN transfer u ON u.model = o.model AND u.companion = o.companion
     WHERE o.model = i.model AND o.probe_set = i.probe_set AND o.crosstalk <= i.crosstalk
        AND u.loss_change <= t.loss_change AND (o.crosstalk < i.crosstalk OR u.loss_change < t.loss_change)) AS dominated_by
FROM interference i LEFT JOIN transfer t ON t.model = i.model AND t.companion = i.companion
ORDER BY i.model, i.probe_set, i.crosstalk, i.companion;
