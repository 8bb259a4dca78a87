"""Keys that a simulated exchange makes up for who brings none: (key, secret, passphrase), fit for its signatures."""

import secrets

Made = tuple[str, str, str]


def api_key() -> Made:
    return secrets.token_hex(16), secrets.token_hex(32), secrets.token_hex(8)


def wallet() -> Made:
    """An address, and the private key of an agent that trades for it."""
    return f"0x{secrets.token_hex(20)}", f"0x{secrets.token_hex(32)}", ""
