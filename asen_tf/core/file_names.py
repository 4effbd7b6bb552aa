"""Names of files from names that people give."""

import hashlib
import re

_LONGEST = 100  # bytes; file systems take 255, with what is put around it
_UNFIT = re.compile(r'[<>:"/\\|?*]')


def file_name(text: str) -> str:
    """A text as the name of one file: never a path, and not too long.

    Letters of all scripts stay, and blanks between them. Where something else goes, signs of the
    text's hash follow, so that two texts have two names.
    """
    printable = "".join(letter if letter.isprintable() else "_" for letter in text)
    fit = _UNFIT.sub("_", printable).encode()[:_LONGEST].decode("utf-8", "ignore").strip(" .")
    if fit and fit == text:
        return fit
    return f"{fit}-{hashlib.sha256(text.encode('utf-8', 'surrogatepass')).hexdigest()[:8]}"
