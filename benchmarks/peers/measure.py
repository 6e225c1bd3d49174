"""Runs a command and prints what it took as JSON: `measure.py SECONDS COMMAND ARGUMENTS…`.

Wall time, processor time (user and system, of the command's threads and what it waited for) and peak memory are the kernel's, by wait4: Node tells
them of itself only. After SECONDS the command is killed. Peak memory is at least what this small process takes.
"""

import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time


def main() -> None:
    limit, command = float(sys.argv[1]), sys.argv[2:]
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        start = time.monotonic()
        child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=err, start_new_session=True)
        late = threading.Event()

        def stop() -> None:
            late.set()
            os.killpg(child.pid, signal.SIGKILL)

        timer = threading.Timer(limit, stop)
        timer.start()
        _, status, usage = os.wait4(child.pid, 0)
        wall = time.monotonic() - start
        timer.cancel()
        out.seek(0)
        err.seek(0)
        result = {
            "status": os.WEXITSTATUS(status) if os.WIFEXITED(status) else None,
            "signal": signal.Signals(os.WTERMSIG(status)).name if os.WIFSIGNALED(status) else None,
            "timeout": late.is_set(),
            "wall": wall * 1e3,
            "processor": (usage.ru_utime + usage.ru_stime) * 1e3,
            "peak": usage.ru_maxrss * 1024,
            "stdout": out.read(1 << 16).decode(errors="replace"),
            "stderr": err.read(1 << 16).decode(errors="replace"),
        }
    print(json.dumps(result))


main()
