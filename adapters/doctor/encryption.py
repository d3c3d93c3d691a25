"""Whether every stored value is sealed with a configured key, and with the current one.

The check reads only key ids and counts: it opens no value and reads none completely.
"""

import asyncio
from collections.abc import Mapping

from adapters.doctor.finding import Finding, Health, fine, unchecked, wrong
from adapters.doctor.probes import Probes
from adapters.settings import SettingsError, load_encryption_settings

SUBJECT = "Encryption keys"
TIMEOUT_SECONDS = (
    10.0  # less than the doctor's, so that the database's findings are still reported
)
_ROTATE = "slotkeeper keys rotate-encryption"


async def check_encryption(environ: Mapping[str, str], probes: Probes) -> list[Finding]:
    """Count the sealed values by key; an earlier key is fine while it is configured.

    Raises the probe's errors.
    """
    try:
        settings = load_encryption_settings(environ)
    except SettingsError:
        return [unchecked(SUBJECT, "Fix the settings first.")]
    try:
        async with asyncio.timeout(TIMEOUT_SECONDS):
            counts = await probes.count_sealed(settings.database_url)
    except TimeoutError:
        remedy = f"Too many rows to count in {TIMEOUT_SECONDS:.0f} seconds; run: {_ROTATE}"
        return [unchecked(SUBJECT, remedy)]
    return _findings(counts, list(settings.token_encryption_keys))


def _findings(counts: Mapping[str, int], ring: list[str]) -> list[Finding]:
    unknown = {key: count for key, count in counts.items() if key and key not in ring}
    findings = []
    if unknown:
        findings.append(
            wrong(
                SUBJECT,
                f"not configured: {_listed(unknown)}",
                "Add these keys to TOKEN_ENCRYPTION_KEYS again, after the current one.",
            )
        )
    if malformed := counts.get("", 0):
        remedy = f"They are corrupt: no key opens them. To list them, run: {_ROTATE}"
        findings.append(wrong(SUBJECT, f"{malformed} values are not sealed", remedy))
    if findings:
        return findings
    earlier = {key: count for key, count in counts.items() if key != ring[0]}
    if earlier:
        remedy = f"Keep the earlier keys in TOKEN_ENCRYPTION_KEYS until you have run: {_ROTATE}"
        return [Finding(SUBJECT, Health.FINE, f"still in use: {_listed(earlier)}", remedy)]
    return [fine(SUBJECT, f"all {sum(counts.values())} values are sealed with {ring[0]!r}")]


def _listed(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{key!r} ({count} values)" for key, count in sorted(counts.items()))
