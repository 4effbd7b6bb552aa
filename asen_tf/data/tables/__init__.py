"""Tables as shops have them: columns of text, whatever kind of file or frame they come in."""

from asen_tf.data.tables.arrow import Frame
from asen_tf.data.tables.changed import contents, write_changed
from asen_tf.data.tables.table import Table
from asen_tf.data.tables.text import check_written

__all__ = ["Frame", "Table", "check_written", "contents", "write_changed"]
