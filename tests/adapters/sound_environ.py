"""An environment in which every required variable is sound, and what is secret in it."""

import base64

KEY_ONE = base64.b64encode(bytes(range(32))).decode()
KEY_TWO = base64.b64encode(bytes(range(32, 64))).decode()

SECRETS = {
    "DATABASE_URL": "postgresql://slotkeeper:pg-p4ssw0rd@127.0.0.1:5432/slotkeeper",
    "CALENDLY_CLIENT_SECRET": "client-s3cret-value",
    "CALENDLY_WEBHOOK_SIGNING_KEY": "signing-k3y-current,signing-k3y-previous",
    "CRON_SECRET": "cron-s3cret-of-enough-length",
    "TOKEN_ENCRYPTION_KEYS": f"k2:{KEY_TWO},k1:{KEY_ONE}",
}
SOUND = {
    **SECRETS,
    "CALENDLY_CLIENT_ID": "client-id",
    "PUBLIC_URL": "https://slots.example.com",
    # Tests call more often than people; those of the limits set them.
    "RATE_PER_KEY": "0",
    "RATE_PER_USER": "0",
    "RATE_REFUSED": "0",
}
