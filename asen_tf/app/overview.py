"""What there is in a catalogue as a whole, which may change while it is shown."""

import logging
import threading
import time
from collections.abc import Sequence
from typing import NamedTuple

from asen_tf.app.fields import Field, fields_of
from asen_tf.catalogue import Catalogue

_LOG = logging.getLogger(__name__)

# In seconds; a look that takes longer is taken less often, by as much.
_QUICK = 0.5


class Contents(NamedTuple):
    """Of a catalogue at one moment: its ids, columns of metadata and labelled attributes."""

    ids: Sequence[str]
    fields: Sequence[Field]
    labelled: Sequence[str]


class Overview:
    """Looks at a catalogue again when what it saw is old; threads may share it.

    Args:
      seconds: that what was seen is used for; longer, where looking takes long; 0: not at all.
    """

    def __init__(self, catalogue: Catalogue, seconds: float):
        self._catalogue = catalogue
        self._seconds = seconds
        self._looking = threading.Lock()
        self._look()

    def now(self) -> Contents:
        """What is there; while one visitor waits for a new look, others get the one before."""
        if time.monotonic() >= self._until and self._looking.acquire(blocking=False):
            try:
                self._look()
            except (OSError, ValueError) as error:  # away, or an item left while it was looked at
                _LOG.warning("the store: %s", error)
            finally:
                self._looking.release()
        return self._contents

    def _look(self) -> None:
        began = time.monotonic()
        ids = self._catalogue.ids()
        labelled = filter(self._catalogue.engine.has_field, self._catalogue.attributes)
        self._contents = Contents(ids, fields_of(self._catalogue, ids), list(labelled))
        ended = time.monotonic()
        self._until = ended + self._seconds * max(1.0, (ended - began) / _QUICK)
