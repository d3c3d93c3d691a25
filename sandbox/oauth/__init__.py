"""The OAuth host: consent, codes, tokens, revocation (RFC 6749, 7636, 7009, 7662)."""
