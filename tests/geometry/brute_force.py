"""Every diagnostic the slow way: each fold refitted, each direction removed from the activations
themselves.

Written from the definitions (docs/SCIENCE.md §3–5) with loops, primal least squares and physically
repeated probes; shares no code with the package.
"""

import numpy as np


def classes(column):
    return sorted(set(column))


def onehot(columns):
    return np.hstack(
        [[[float(v == c) for c in classes(column)] for v in column] for column in columns]
    )


def fit(X, Y, alpha, centre=True):
    """(mean of X, mean of Y, W) of the ridge by QR on the stacked system; never forms a Gram
    matrix.
    """
    mu = X.mean(axis=0) if centre else np.zeros(X.shape[1])
    nu = Y.mean(axis=0) if centre else np.zeros(Y.shape[1])
    d = X.shape[1]
    stacked = np.vstack([X - mu, np.sqrt(alpha) * np.eye(d)])
    Q, R = np.linalg.qr(stacked)
    return mu, nu, np.linalg.solve(R, Q.T @ np.vstack([Y - nu, np.zeros((d, Y.shape[1]))]))


def without(X, u):
    return X if u is None else X - np.outer(X @ u, u)


def svd(W):
    U, s, Vt = np.linalg.svd(W, full_matrices=False)
    r = int(np.sum(s > 1e-9 * s[0]))
    return U[:, :r], s, Vt[:r].T


def scores(X, Y, alpha, u=None, centre=True, groups=None):
    """Leave-one-out scores, refitted on activations without u; probes of one group are left out
    together.
    """
    groups = np.arange(len(X)) if groups is None else groups
    Z = without(X, u)
    out = np.empty_like(Y)
    for i in range(len(X)):
        rest = groups != groups[i]
        mu, nu, W = fit(Z[rest], Y[rest], alpha, centre)
        out[i] = (Z[i] - mu) @ W + nu
    return out


def frozen(X, Y, alpha, u, centre=True):
    """Readout fitted with the direction; only the left-out probe loses it: P(x − μ)W + ν."""
    out = np.empty_like(Y)
    for i in range(len(X)):
        rest = np.arange(len(X)) != i
        mu, nu, W = fit(X[rest], Y[rest], alpha, centre)
        x = X[i] - mu
        out[i] = (x - (x @ u) * u) @ W + nu
    return out


def hits(S, columns):
    """Probes × concepts: whether the largest score of the concept's block is the probe's class."""
    out, start = np.empty((len(S), len(columns))), 0
    for j, column in enumerate(columns):
        names = classes(column)
        block = S[:, start : start + len(names)]
        out[:, j] = [names[int(np.argmax(row))] == v for row, v in zip(block, column, strict=True)]
        start += len(names)
    return out


def gap(S, columns):
    """The smallest difference of the two largest scores inside a block: below rounding, a class is
    a matter of luck.
    """
    smallest, start = np.inf, 0
    for column in columns:
        m = len(classes(column))
        top = np.sort(S[:, start : start + m], axis=1)
        smallest, start = min(smallest, float((top[:, -1] - top[:, -2]).min())), start + m
    return smallest


def loadings(V, columns):
    out, start = [], 0
    for column in columns:
        m = len(classes(column))
        out.append((V[start : start + m] ** 2).sum(axis=0))
        start += m
    return np.array(out).T


def first_of_equals(rows):
    """Column of the largest entry of each row; concepts that split the probes alike tie, and the
    first wins.
    """
    return np.array([np.flatnonzero(row > row.max() - 1e-9)[0] for row in rows], dtype=int)


def ratio(own_parts, other_parts, clip=True):
    own_parts, other_parts = np.asarray(own_parts), np.asarray(other_parts)
    if clip:
        own_parts, other_parts = np.maximum(own_parts, 0), np.maximum(other_parts, 0)
    return other_parts.sum() / own_parts.sum() if own_parts.sum() > 0 else None


def damage(X, columns, alpha=1.0, groups=None):
    """(accuracy, directions, own concept of each, damage matrix, smallest score gap met)."""
    Y = onehot(columns)
    U, _, V = svd(fit(X, Y, alpha)[2])
    before = scores(X, Y, alpha, groups=groups)
    after = [scores(X, Y, alpha, u, groups=groups) for u in U.T]
    D = np.array(
        [hits(before, columns).mean(axis=0) - hits(S, columns).mean(axis=0) for S in after]
    )
    own = first_of_equals(loadings(V, columns))
    return (
        hits(before, columns).mean(axis=0),
        U,
        own,
        D,
        min(gap(S, columns) for S in [before, *after]),
    )


def intensity(D, own, clip=True):
    own_parts = [D[i, own[i]] for i in range(len(D))]
    others = [D[i, j] for i in range(len(D)) for j in range(D.shape[1]) if j != own[i]]
    return ratio(own_parts, others, clip)


def same_intensity(found, D, own):
    """Whether an EI, or the reason for none, is that of a damage matrix."""
    expected = intensity(D, own)
    return (
        not isinstance(found, float)
        if expected is None
        else bool(np.isclose(found, expected, rtol=1e-6))
    )


def reading(X, columns, alpha, removal, found, centring, clip, own_by):
    """(EI, smallest gap) of one specification, with a readout and directions per fold where it asks
    for them.
    """
    Y, n, k, centre = onehot(columns), len(X), len(columns), centring == "per_fold"
    full_U, _, full_V = svd(fit(X, Y, alpha, centre)[2])
    r = full_U.shape[1]
    loss, owns, smallest = np.zeros((r, n, k)), np.zeros((n, r), int), np.inf
    for i in range(n):
        rest = np.arange(n) != i
        mu, nu, W = fit(X[rest], Y[rest], alpha, centre)
        U, V = (full_U, full_V) if found == "full" else svd(W)[::2]
        owns[i, : V.shape[1]] = first_of_equals(loadings(V, columns))[:r]
        mine = [[c[i]] for c in columns]
        base = ((X[i] - mu) @ W + nu)[None]
        for a in range(min(r, U.shape[1])):
            u = U[:, a]
            if removal == "frozen":
                x = X[i] - mu
                S = ((x - (x @ u) * u) @ W + nu)[None]
            else:
                Z = without(X, u)
                m2, n2, W2 = fit(Z[rest], Y[rest], alpha, centre)
                S = ((Z[i] - m2) @ W2 + n2)[None]
            loss[a, i] = one_hit(base, columns, mine) - one_hit(S, columns, mine)
            smallest = min(smallest, gap(base, columns), gap(S, columns))
    if own_by == "damage":
        owns[:] = first_of_equals(loss.mean(axis=1))
    own_parts, others = np.zeros((r, k)), np.zeros((r, k))
    for a in range(r):
        for i in range(n):
            for j in range(k):
                (own_parts if owns[i, a] == j else others)[a, j] += loss[a, i, j] / n
    return ratio(own_parts, others, clip), smallest


def one_hit(S, columns, mine):
    out, start = [], 0
    for column, value in zip(columns, mine, strict=True):
        names = classes(column)
        out.append(float(names[int(np.argmax(S[0, start : start + len(names)]))] == value[0]))
        start += len(names)
    return np.array(out)
