"""Who has to look at a case, and who may let it go by rule. Pure.

The lane's word alone never clears: a finding that is in the way counts even when the lane said ``clear``, and a referral to nobody
in particular, or to a role that this site does not have, is everybody's.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from config.schema import Site
from gate.core.evidence import Finding, canonical_sha256

LANE_ROLE = "lane"
"""In ``gate`` mode the lane itself stands in for the roles when it refers to none of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RoleRule:
    """What the rules need to know of one configured role."""

    role: str
    is_required: bool
    releases_by_rule: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteRules:
    """The part of a site's settings on which a case's projection depends."""

    mode: Literal["joint", "gate"]
    roles: tuple[RoleRule, ...]

    @classmethod
    def of(cls, site: Site) -> "SiteRules":
        return cls(
            mode=site.policy.mode,
            roles=tuple(
                RoleRule(role=role.id, is_required=role.is_required, releases_by_rule=role.releases_by_rule)
                for role in site.roles
            ),
        )

    @property
    def version(self) -> str:
        """The sha256 (hex) of these rules, by which a decision can say what it was decided by."""
        roles = [[item.role, item.is_required, item.releases_by_rule] for item in self.roles]
        return canonical_sha256({"mode": self.mode, "roles": roles})


@dataclass(frozen=True, slots=True, kw_only=True)
class Duties:
    """``required``: whose release the case needs. ``by_rule``: those of them who give it without being asked."""

    required: frozenset[str]
    by_rule: frozenset[str]


def duties(
    rules: SiteRules,
    *,
    findings: Sequence[Finding],
    decision: Literal["clear", "refer"] | None,
    referred: frozenset[str],
) -> Duties:
    """Who must release a case with these findings, on which the lane decided so (None: not yet) and named ``referred``."""
    configured = frozenset(rule.role for rule in rules.roles)
    standing = frozenset(rule.role for rule in rules.roles if rule.is_required)
    named = referred | {finding.role for finding in findings if finding.is_in_the_way}
    if rules.mode == "joint":
        required = standing | (named & configured)
    else:
        required = named & configured
    is_everybodys = bool(named - configured) or (decision == "refer" and not named)
    if is_everybodys:
        required = required | standing or configured
    if not required:
        # Only in gate mode: nobody is asked, or there is nobody to ask, in which case nothing releases it.
        return Duties(
            required=frozenset({LANE_ROLE}),
            by_rule=frozenset({LANE_ROLE}) if decision == "clear" and not is_everybodys else frozenset(),
        )
    if decision is None or is_everybodys:
        return Duties(required=required, by_rule=frozenset())
    trusting = frozenset(rule.role for rule in rules.roles if rule.releases_by_rule)
    return Duties(required=required, by_rule=(required & trusting) - named)
