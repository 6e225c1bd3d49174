"""Wasmtime beside Heddle, through its Python package (`pip install wasmtime`): one JSON object on stdout.

    python3 wasmtime_peer.py version
    python3 wasmtime_peer.py compile FILE ROUNDS   ms to compile in one engine, each round, with a thread for each core
    python3 wasmtime_peer.py run FILE ARGUMENT ROUNDS   ms of a call of its export "run", each round

The package is built without stack switching: for that the command line of wasmtime is needed.
"""

import json
import sys
import time
from importlib.metadata import version

import wasmtime


def compile_module(file, rounds):
    with open(file, "rb") as binary:
        code = binary.read()
    engine = wasmtime.Engine()
    times = []
    for _ in range(int(rounds)):
        start = time.perf_counter_ns()
        wasmtime.Module(engine, code)
        times.append((time.perf_counter_ns() - start) / 1e6)
    return {"ms": times}


def run_kernel(file, argument, rounds):
    store = wasmtime.Store()
    module = wasmtime.Module.from_file(store.engine, file)
    run = wasmtime.Instance(store, module, []).exports(store)["run"]
    times = []
    for _ in range(int(rounds)):
        start = time.perf_counter_ns()
        run(store, int(argument))
        times.append((time.perf_counter_ns() - start) / 1e6)
    return {"ms": times}


KINDS = {"compile": compile_module, "run": run_kernel, "version": lambda: {"version": version("wasmtime")}}
print(json.dumps(KINDS[sys.argv[1]](*sys.argv[2:])))
