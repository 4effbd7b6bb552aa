"""A fresh process that loads an export and answers; `cases` starts and times it.

Arguments: folder of the version, a photograph, photographs a request, seconds to go on for. Prints
a line of JSON after the first answer and another at the end.
"""

import json
import sys
import time


def main(folder: str, photograph: str, batch: str, seconds: str) -> None:
    began = time.perf_counter()
    from asen_tf.benchmarks.timing import Work, measure
    from asen_tf.serving.saved_model import SavedModel

    imported = time.perf_counter()
    model = SavedModel(folder, batch_size=int(batch))
    loaded = time.perf_counter()
    model.embed_all(photograph)
    phases = {
        "import_seconds": imported - began,
        "load_seconds": loaded - imported,
        "first_call_seconds": time.perf_counter() - loaded,
    }
    print(json.dumps(phases), flush=True)
    photographs = [photograph] * int(batch)
    work = Work(lambda: model.embed_all(photographs), len(photographs))
    print(json.dumps(measure(work, float(seconds))), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
