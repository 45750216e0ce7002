"""Complete verbs, options and names in a shell (argcomplete).

    eval "$(register-python-argcomplete repro)"     in bash or zsh; docs/setup.md has fish

An argument is completed by what its help calls it: a NAME is a manifest or a paper, a KIND a kind
of file. What has no list here is a path, which the shell completes.
"""

import argparse
import os
from collections.abc import Callable, Iterable, Iterator


def complete_line(top: argparse.ArgumentParser) -> None:
    """Answer the shell and end the program, where a shell asks; else do nothing."""
    if "_ARGCOMPLETE" not in os.environ:
        return
    try:
        import argcomplete
    except ModuleNotFoundError:
        return  # the shell asked for a package that is gone: no words, and no error in its line
    for action in _arguments(top):
        called = action.metavar if isinstance(action.metavar, str) else ""
        known = _benchmarks if action.dest == "benchmark" else COMPLETED.get(called)
        if known:
            action.completer = _words(known)  # type: ignore[attr-defined]
    argcomplete.autocomplete(top)


def _arguments(parser: argparse.ArgumentParser) -> Iterator[argparse.Action]:
    """Yield every argument of a parser and of the verbs below it."""
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for below in dict.fromkeys(action.choices.values()):
                yield from _arguments(below)
        else:
            yield action


def _words(known: Callable[[], Iterable[str]]) -> Callable[..., list[str]]:
    """Return what argcomplete calls: it passes the prefix and more by name."""

    def answer(**_: object) -> list[str]:
        return sorted(known())

    return answer


def _manifests_and_papers() -> Iterable[str]:
    from repro.manifest.load import experiment_names

    return {*experiment_names(), *_papers()}


def _papers() -> Iterable[str]:
    from repro.claims.papers import known_papers

    return known_papers()


def _kinds() -> Iterable[str]:
    from repro.report.export.schema import FILE_KINDS

    return {*FILE_KINDS, *_papers()}


def _probe_sets() -> Iterable[str]:
    from repro.manifest.probes import probe_set_names

    return probe_set_names()


def _claims() -> Iterable[str]:
    from repro.claims.papers import load_claims

    return (claim.id for claim in load_claims())


def _benchmarks() -> Iterable[str]:
    from repro.manifest.benchmark import load_benchmarks

    return load_benchmarks()


COMPLETED: dict[str, Callable[[], Iterable[str]]] = {
    "NAME": _manifests_and_papers,
    "PAPER": _papers,
    "KIND": _kinds,
    "SET": _probe_sets,
    "CLAIM": _claims,
}
"""What an argument is called in the help → the words it may be."""
