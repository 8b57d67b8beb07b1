"""Names for systems that take letters a to z, digits and ``_`` alone."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from unicodedata import normalize

from mlops_jupyter.runtime.hashing import name_mark


def plain(names: Iterable[str], reserved: Collection[str] = ()) -> dict[str, str]:
    """Return name -> a name that such a system takes, unique among them: the name itself where it is one.

    Parameters
    ----------
    reserved : names that the system keeps for itself.

    Examples
    --------
    >>> plain(["load", "région", "config", "config_"], {"config"})
    {'load': 'load', 'région': 'region', 'config': 'config_2', 'config_': 'config_'}
    """
    names = list(names)
    ascii_names = {name: name for name in names if name.isascii() and name not in reserved}
    taken = {*ascii_names, *reserved}
    for name in names:
        if name not in ascii_names:
            base, number = _ascii(name), 2
            ascii_names[name] = base
            while ascii_names[name] in taken:
                ascii_names[name], number = f"{base}_{number}", number + 1
            taken.add(ascii_names[name])
    return {name: ascii_names[name] for name in names}


def _ascii(name: str) -> str:
    letters = [sign for sign in normalize("NFKD", name) if not "\u0300" <= sign <= "\u036f"]  # without their accents
    plain = "".join(sign for sign in letters if sign.isascii() and (sign.isalnum() or sign == "_"))
    return plain if len(plain) == len(letters) else f"{plain}_{name_mark(name, 4)}"
