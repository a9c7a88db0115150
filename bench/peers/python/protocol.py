"""The measured process's end of bench/peers/protocol.ts, for drivers in Python."""

import json
import os
import sys
import time
import traceback

TYPES = {"f32": "float32", "i32": "int32"}


def read_arrays(job):
    """The inputs of a job as numpy arrays by name."""
    import numpy

    return {
        name: numpy.fromfile(array["file"], TYPES[array["dtype"]]).reshape(array["shape"])
        for name, array in job["inputs"].items()
    }


def serve(version, prepare, export=None):
    """Answers requests until stdin ends.

    version: a function that imports what the driver needs and says which versions it found
    prepare: job -> (run, output); run() does the work once and returns None or the milliseconds that it took by a
        better clock than that around it; output() gives the last result as a float32 array (N, C, H, W)
    export: job -> None; puts what prepare needs into the cache, where it is not there yet
    """
    replies = os.fdopen(3, "w")

    def answer(message):
        replies.write(json.dumps(message) + "\n")
        replies.flush()

    try:
        answer({"version": version()})
    except ImportError as error:
        answer({"missing": str(error)})
        return

    job = run = output = None
    for line in sys.stdin:
        request = json.loads(line)
        try:
            begin = time.perf_counter()
            if "prepare" in request:
                job = request["prepare"]
                run, output = prepare(job)
                answer({"loadMs": (time.perf_counter() - begin) * 1e3})
            elif "export" in request:
                export(request["export"])
                answer({"exported": True})
            elif "run" in request:
                own = run()
                answer({"ms": (time.perf_counter() - begin) * 1e3 if own is None else own})
            else:
                import numpy

                numpy.ascontiguousarray(output(), dtype=numpy.float32).tofile(job["output"])
                answer({"saved": True})
        except Exception:
            answer({"error": traceback.format_exc()})
