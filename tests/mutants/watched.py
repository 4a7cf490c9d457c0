"""Runs a test program until it ends, or hangs: neither a slow machine nor a time in which it is stopped counts."""

import collections
import os
import pathlib
import resource
import signal
import subprocess
import time

# Seconds between two looks at a program.
TICK = 1.0
# The unit of processor time in /proc: so many are a second.
TICKS = os.sysconf("SC_CLK_TCK")
# The exit code of a program that has spent its processor time.
SPENT = -signal.SIGXCPU
# A program hangs if so many looks in a row find all its threads asleep, and no processor time spent since the last.
ASLEEP = 20


def run(command, processor, looks, **settings):
    """Its exit code and what it printed. It is killed when one of its processes has spent so many seconds of processor
    time, when it hangs, and when so many looks have found it waiting."""
    limited = lambda: resource.setrlimit(resource.RLIMIT_CPU, (processor, processor + 1))
    streams = {"stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL, "stdin": subprocess.DEVNULL, "text": True}
    settings |= {"start_new_session": True, "preexec_fn": limited, "errors": "replace"}
    with subprocess.Popen(command, **streams, **settings) as it:
        asleep, spent = 0, None
        while True:
            begun = time.monotonic()
            try:
                said = it.communicate(timeout=TICK)[0]
                return it.returncode, said
            except subprocess.TimeoutExpired:
                states, now = looked_at(it.pid)
            # This process was stopped or had no processor, or that one was stopped.
            if time.monotonic() - begun > 2 * TICK or "T" in states:
                continue
            # What runs, or waits for a processor, ends by the processor time that it spends.
            looks -= "R" not in states
            asleep = asleep + 1 if states <= {"S", "Z"} and now == spent else 0
            spent = now
            # The kernel looks at its limit at ticks only: one that works for a moment at a time never meets it.
            overspent = any(seconds > processor + 1 for seconds in now.values())
            if asleep == ASLEEP or looks == 0 or overspent:
                os.killpg(it.pid, 9)
                if overspent:
                    return SPENT, it.communicate()[0]


def looked_at(session):
    """The states of all threads of a session, and the processor time of each process of it, in seconds."""
    states, spent = set(), collections.Counter()
    for process in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            if os.getsid(int(process.name)) != session:
                continue
            for thread in (process / "task").iterdir():
                fields = (thread / "stat").read_text().rpartition(")")[2].split()
                states.add(fields[0])
                spent[process.name] += (int(fields[11]) + int(fields[12])) / TICKS
        except OSError:
            continue
    return states, spent
