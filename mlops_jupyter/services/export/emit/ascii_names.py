"""Names for systems that take letters a to z, digits and ``_`` alone."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from unicodedata import normalize

from mlops_jupyter.runtime.hashing import name_mark


def plain(names: Iterable[str], reserved: Collection[str] = ()) -> dict[str, str]:
    """Return for each name one that such a system takes, its own for each: the same name where that will do.

    Parameters
    ----------
    reserved : words that the system keeps for itself.

    Examples
    --------
    >>> plain(["load", "région", "config", "config_"], {"config"})
    {'load': 'load', 'région': 'region', 'config': 'config_2', 'config_': 'config_'}
    """
    names = list(names)
    found = {name: name for name in names if name.isascii() and name not in reserved}
    taken = {*found, *reserved}
    for name in names:
        if name not in found:
            base, number = _ascii(name), 2
            found[name] = base
            while found[name] in taken:
                found[name], number = f"{base}_{number}", number + 1
            taken.add(found[name])
    return {name: found[name] for name in names}


def _ascii(name: str) -> str:
    letters = [sign for sign in normalize("NFKD", name) if not "\u0300" <= sign <= "\u036f"]  # without their accents
    plain = "".join(sign for sign in letters if sign.isascii() and (sign.isalnum() or sign == "_"))
    return plain if len(plain) == len(letters) else f"{plain}_{name_mark(name, 4)}"
