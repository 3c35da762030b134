"""Passwords and secret keys: what is kept of them cannot be turned back."""

import base64
import functools
import hashlib
import hmac
import secrets
import unicodedata

from gridlib.facts.errors import InputError

MIN_LENGTH = 12
MAX_LENGTH = 256
_LOG2_N, _R, _P = 15, 8, 3
"""Cost of scrypt: 32 MiB and about a quarter of a second [OWASP Password Storage Cheat Sheet, 2024]."""

_READABLE = "abcdefghjkmnpqrstuvwxyz23456789"
"""Letters and digits that nobody mistakes for another."""


def hash_password(password: str) -> str:
    """Turn a password into what is stored: algorithm, its parameters, salt and hash.

    Parameters
    ----------
    password : str
        Any text; letters that look the same in Unicode count as the same (NFKC).

    Returns
    -------
    str
        ``scrypt$log2 N$r$p$salt$hash`` [RFC 7914], salt and hash in base64.
    """
    salt = secrets.token_bytes(16)
    digest = _scrypt(password, salt, _LOG2_N, _R, _P)
    return f"scrypt${_LOG2_N}${_R}${_P}${_text(salt)}${_text(digest)}"


def matches(password: str, stored: str | None) -> bool:
    """Compare a password with what is stored; takes as long where nothing is stored.

    Parameters
    ----------
    password : str
        As typed.
    stored : str or None
        As `hash_password` made it.

    Returns
    -------
    bool
        Never true without something stored.
    """
    _, log2_n, r, p, salt, digest = (stored or _nobodys_password()).split("$")
    found = _scrypt(password, base64.b64decode(salt), int(log2_n), int(r), int(p))
    equal = hmac.compare_digest(found, base64.b64decode(digest))
    return equal and stored is not None and len(password) <= MAX_LENGTH


def check_password(username: str, password: str) -> None:
    """Refuse a password that is easily guessed.

    Raises
    ------
    InputError
        Too short, too long, holds the user's name, or repeats a few characters.
    """
    if not MIN_LENGTH <= len(password) <= MAX_LENGTH:
        raise InputError(
            f"the password has {len(password)} characters",
            what_to_do=f"Use {MIN_LENGTH} to {MAX_LENGTH}; a sentence is easy to remember.",
        )
    if username.lower() in password.lower() or len(set(password)) < MIN_LENGTH // 2:
        raise InputError(
            "the password is easily guessed: it holds the user name, or repeats a few characters",
            what_to_do="Choose another; a sentence is easy to remember.",
        )


def make_password() -> str:
    """Make a random password that can be read out: four groups of four, 79 bits."""
    return "-".join("".join(secrets.choice(_READABLE) for _ in range(4)) for _ in range(4))


def make_key() -> str:
    """Make a random key for a session or a token, 256 bits."""
    return secrets.token_urlsafe(32)


def key_digest(key: str) -> str:
    """Turn a random key into what is stored: its SHA-256; a random key needs no salt."""
    return hashlib.sha256(key.encode()).hexdigest()


def sign_device(stored: str) -> str:
    """Make what a browser keeps after a sign-in, to show later that its person was there before.

    Parameters
    ----------
    stored : str
        As `hash_password` made it; its salt makes it a secret of the server and of this password alone.

    Returns
    -------
    str
        A random name of the browser, a dot, and its signature (HMAC-SHA-256).
    """
    name = secrets.token_hex(16)
    return f"{name}.{_signature(name, stored)}"


def signed_device(shown: str, stored: str | None) -> str:
    """Read the name of a browser from what it shows; empty where the signature is not of this password."""
    name, _, signature = shown.partition(".")
    good = stored is not None and hmac.compare_digest(signature.encode(), _signature(name, stored).encode())
    return name if good else ""


def _signature(name: str, stored: str) -> str:
    return hmac.new(stored.encode(), f"device {name}".encode(), hashlib.sha256).hexdigest()


@functools.cache
def _nobodys_password() -> str:
    return hash_password(make_key())


def _scrypt(password: str, salt: bytes, log2_n: int, r: int, p: int) -> bytes:
    plain = unicodedata.normalize("NFKC", password[:MAX_LENGTH]).encode("utf-8", "surrogatepass")
    need = 2 * 128 * r * 2**log2_n
    return hashlib.scrypt(plain, salt=salt, n=2**log2_n, r=r, p=p, maxmem=need, dklen=32)


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode()
