"""Second factors for tests: a device of a person, and the codes that it shows one after the other."""

import time

from django_otp.oath import TOTP, hotp
from django_otp.plugins.otp_totp.models import TOTPDevice

from apps.users.models import User


def device_of(user: User) -> TOTPDevice:
    """One that is enrolled."""
    return TOTPDevice.objects.create(user=user, name="authenticator")


def code_of(user: User, *, used: bool = False) -> str:
    """The next that counts; nobody waits for the half minute to end: the device's clock is taken to be ahead."""
    device = TOTPDevice.objects.get(user=user)
    clock = TOTP(device.bin_key, device.step, device.t0, device.digits, device.drift)
    clock.time = time.time()
    turn = device.last_t if used else max(clock.t(), device.last_t + 1)
    return f"{hotp(device.bin_key, turn, device.digits):06d}"


def wrong_code_of(user: User) -> str:
    """None that it shows in these minutes."""
    device = TOTPDevice.objects.get(user=user)
    now = int(time.time()) // device.step + device.drift
    shown = {hotp(device.bin_key, turn, device.digits) for turn in range(now - 20, now + 21)}
    return next(f"{code:06d}" for code in range(100) if code not in shown)
