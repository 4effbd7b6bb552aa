"""Items on disk: a log of what was just written, segments of what was written before.

    STORE/
      store.json        fingerprint, names of the segments in their order and of the log
      LOCK              held by the process that writes
      log-000007        what came after the segments; replayed when the store is opened
      segment-000006/   vectors.f32 [A, N, D], items.jsonl, deleted.json, and CRC-32
                        of the vectors, checks.json; never changed

A write is appended to the log and acknowledged once it is on the disk. A log that has grown large
becomes a segment; small segments are merged into larger ones, as in a log-structured merge tree
(O'Neil et al. 1996). New files count once store.json, which is written aside and renamed, names
them: a kill at any moment leaves the old state or the new one.
"""
