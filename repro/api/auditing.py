"""Audit papers: which papers are asked about, and the checks that speak of them."""

from dataclasses import dataclass

from repro.audit import Check, audit
from repro.claims.papers import Paper, folder_of, load_papers


@dataclass(frozen=True)
class AuditedPapers:
    """The papers that were asked about, and every check of one of their prints."""

    papers: tuple[Paper, ...]
    checks: tuple[Check, ...]

    @property
    def code(self) -> int:
        """Return the exit code: 1 when something is inconsistent, else 0."""
        return int(any(check.verdict == "inconsistent" for check in self.checks))


def audit_papers(name: str | None) -> AuditedPapers:
    """Check a paper's prints, or every known paper's; compare them with all known papers.

    `name` is a paper's id, its folder, or a folder that papers lie in. Raises ManifestError for an
    unknown paper or an unreadable file.
    """
    folders = folder_of(name) if name else ()
    papers = load_papers(folders)
    names = {folder.name for folder in folders} or {paper.id for paper in papers}
    checks = audit([claim for paper in papers for claim in paper.claims])
    return AuditedPapers(
        tuple(paper for paper in papers if paper.id in names),
        tuple(check for check in checks if names & set(check.papers)),
    )
