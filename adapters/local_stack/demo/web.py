"""The service refuses bad input, and shows users a page and operators its health."""

import httpx

from adapters.local_stack.demo.stage import Stage, expect, good


def refusals(stage: Stage) -> str:
    web = stage.addresses.web_url
    unsigned = httpx.post(f"{web}/api/calendly/webhooks", content=b"{}", trust_env=False)
    keyless = httpx.get(f"{web}/api/calendly/integration", trust_env=False)
    cron = httpx.get(f"{web}/api/cron/refresh-calendly-tokens", trust_env=False)
    used = httpx.get(f"{web}/api/calendly/callback?state=x&code=y", trust_env=False)
    seen = {
        "unsigned webhook": (unsigned.status_code, 401),
        "no API key": (keyless.status_code, 401),
        "no cron secret": (cron.status_code, 401),
        "unknown state": (used.status_code, 400),
    }
    for what, (got, wanted) in seen.items():
        expect(got == wanted, f"{what}: {got} instead of {wanted}")
    return ", ".join(f"{what} {got}" for what, (got, _) in seen.items())


def health(stage: Stage) -> str:
    ready = stage.get("/health/ready")
    expect(ready["ready"], f"not ready: {ready}")
    lines = good(stage.api.get("/metrics")).text.splitlines()
    stored = [line for line in lines if line.startswith("slotkeeper_webhooks_received_total")]
    expect(any('result="stored"' in line for line in stored), "no stored webhook was counted")
    checks = ", ".join(each["name"] for each in ready["checks"])
    return f"ready ({checks}); {'; '.join(stored)}"


def page(stage: Stage) -> str:
    html = good(stage.browser.get(stage.addresses.web_url)).text
    for wanted in ("Ada", "Iris", "active"):
        expect(wanted in html, f"the page does not show {wanted!r}")
    return f"{stage.addresses.web_url}/ shows the account, its next free slots and bookings"
