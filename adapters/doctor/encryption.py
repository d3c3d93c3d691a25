"""Whether every stored value is sealed with a key that we have, and with the current one.

Only key ids and counts are looked at: nothing is opened, and no value is read whole.
"""

import asyncio
from collections.abc import Mapping

from adapters.doctor.finding import Finding, Health, fine, unchecked, wrong
from adapters.doctor.probes import Probes
from adapters.settings import SettingsError, load_encryption_settings

SUBJECT = "Encryption keys"
TIMEOUT_SECONDS = 10.0  # less than the doctor's own, so that the database's line still comes
_ROTATE = "slotkeeper keys rotate-encryption"


async def check_encryption(environ: Mapping[str, str], probes: Probes) -> list[Finding]:
    """Count the sealed values by key; what an earlier key sealed is fine as long as it is there.

    Raises what the probe raises.
    """
    try:
        settings = load_encryption_settings(environ)
    except SettingsError:
        return [unchecked(SUBJECT, "Mend the settings first.")]
    try:
        async with asyncio.timeout(TIMEOUT_SECONDS):
            counts = await probes.count_sealed(settings.database_url)
    except TimeoutError:
        remedy = f"Too many rows to count in {TIMEOUT_SECONDS:.0f} seconds; run: {_ROTATE}"
        return [unchecked(SUBJECT, remedy)]
    return _judged(counts, list(settings.token_encryption_keys))


def _judged(counts: Mapping[str, int], ring: list[str]) -> list[Finding]:
    unknown = {key: count for key, count in counts.items() if key and key not in ring}
    findings = []
    if unknown:
        findings.append(
            wrong(
                SUBJECT,
                f"not in the ring: {_listed(unknown)}",
                "Put these keys back into TOKEN_ENCRYPTION_KEYS, behind the current one.",
            )
        )
    if shapeless := counts.get("", 0):
        remedy = f"They are corrupt and open with no key. To see which: {_ROTATE}"
        findings.append(wrong(SUBJECT, f"{shapeless} values are not sealed ones", remedy))
    if findings:
        return findings
    earlier = {key: count for key, count in counts.items() if key != ring[0]}
    if earlier:
        remedy = f"Leave the earlier keys in the ring until you have run: {_ROTATE}"
        return [Finding(SUBJECT, Health.FINE, f"still in use: {_listed(earlier)}", remedy)]
    return [fine(SUBJECT, f"all {sum(counts.values())} values are under {ring[0]!r}")]


def _listed(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{key!r} ({count} values)" for key, count in sorted(counts.items()))
