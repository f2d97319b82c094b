"""The terminal of `make`: a line per finished step, news of long steps, and errors in full.

A logger plugin of Snakemake (`snakemake --logger kinetrain`, with this folder on PYTHONPATH). Snakemake's own messages
all stand in its log file, but for the line on the profile in use, which it prints before it knows of any plugin. The
plugin that draws with rich was not taken: it has a live display, of which a log of a cluster job or of continuous
integration keeps nothing readable.
"""

import logging
import re
import sys
import threading
import time
from collections import Counter
from pathlib import Path

from snakemake_interface_logger_plugins.base import LogHandlerBase
from snakemake_interface_logger_plugins.common import LogEvent

NEWS_SECONDS = 30  # between two reports of what long steps are doing
LAST_LINES = 100  # of the log of a step that failed
# Lines of a log that say nothing of what a step is doing: ours at its end, and what other programs log.
NO_NEWS = re.compile(r"warning:|took [\d.]+ CPU seconds|\d{4}-\d\d-\d\d ")
NAMED = {"replicate", "seed", "fold", "noise", "corruption"}  # wildcards whose value alone says little


class LogHandler(LogHandlerBase):
    """Prints what a person wants to know of a run."""

    writes_to_stream, writes_to_file, has_filter, has_formatter, needs_rulegraph = True, False, True, True, False

    def __post_init__(self):
        self.begun = time.monotonic()
        self.steps: dict[int, dict] = {}  # running ones by their number
        self.done = self.total = 0
        self.busy = 0.0  # seconds of all finished steps together, with those in which environments were made
        self.expected: dict[int, tuple[str, float]] = {}  # rule and CPU seconds of steps to do, by their number
        self.took: dict[int, float] = {}  # seconds of finished steps, without environments made in them
        self.failed: dict[int, str] = {}
        self.interrupted = False  # by Ctrl-C, which ends the steps that run
        self.warned: set[str] = set()
        self.ended = threading.Event()
        threading.Thread(target=self.watch, daemon=True).start()

    def emit(self, record):
        """Print what a message of Snakemake says, if it is for people."""
        match getattr(record, "event", None):
            case LogEvent.RUN_INFO:
                self.total = record.stats.get("total", 0)
                say(f"{self.total} steps to do")
            case None if hasattr(record, "expected_seconds"):  # of the Snakefile
                self.expected = record.expected_seconds
                say(record.getMessage())
            case LogEvent.JOB_INFO:
                known = {"name": name(record), "rule": record.rule_name, "logs": record.log}
                self.steps[record.jobid] = known | {"begun": time.monotonic()}
            case LogEvent.JOB_FINISHED:
                self.finished(record.job_id)
            case LogEvent.JOB_ERROR:
                self.error(record)
            case LogEvent.ERROR if record.exception == "RuleException":
                self.interrupted |= "SIGINT" in killed(record)
                say("" if self.interrupted else killed(record))
            case LogEvent.ERROR if "At least one job did not complete" not in record.getMessage():
                say(record.getMessage())
            case None if record.levelno >= logging.WARNING or "Nothing to be done" in str(record.msg):
                say(str(record.msg))

    def finished(self, number: int):
        """Print a step that ended well, how long it took, and what is left."""
        step = self.steps.pop(number, None)
        if step is None:
            return
        self.done += 1
        took = time.monotonic() - step["begun"]
        self.busy += took
        self.took[number] = max(0.0, took - environment_seconds(step["logs"]))
        remaining = f", about {clock(self.left())} left" if self.done < self.total and self.expected else ""
        width = len(str(self.total))
        say(f"[{self.done:{width}}/{self.total}] {step['name']} ({clock(took)}{remaining})")
        warnings = [line for file in step["logs"] for line in lines(file) if line.startswith("warning:")]
        for line in dict.fromkeys(warnings):
            if line not in self.warned:  # several steps read the same file
                say(f"    {line}")
        self.warned.update(warnings)

    def left(self) -> float:
        """Return the seconds until the end, without environments that may still be made.

        A step takes what is expected of it, times what finished steps of its rule took for each second expected; as
        many run side by side as did until now. The mean of the finished steps was not taken: the longest come last.
        """
        took, expected = Counter(), Counter()
        for number, seconds in self.took.items():
            rule, known = self.expected.get(number, ("", 0.0))
            took[rule] += seconds
            expected[rule] += known
        to_do = [step for number, step in self.expected.items() if number not in self.took]
        work = sum(seconds * (took[rule] / expected[rule] if expected[rule] else 1) for rule, seconds in to_do)
        now = time.monotonic()
        busy = self.busy + sum(now - step["begun"] for step in self.steps.values())
        return work / max(1.0, busy / max(now - self.begun, 1e-9))

    def error(self, record):
        """Print a step that failed, with all that it said; Snakemake says it twice."""
        if record.jobid in self.failed:
            return
        step = self.steps.pop(record.jobid, {"name": record.rule_name})
        self.failed[record.jobid] = step["name"]
        if self.interrupted:
            return
        said = [lines(file)[-LAST_LINES:] for file in record.log]
        where = f", its log: {' '.join(record.log)}" if record.log else f", its command: {record.shellcmd}"
        say("\n".join([f"FAILED {step['name']}{where}", *(f"    {line}" for log in said for line in log)]))

    def watch(self):
        """Print from time to time what long steps are doing."""
        shown = {}
        while not self.ended.wait(NEWS_SECONDS):
            with self.lock:
                for number, step in self.steps.items():
                    seconds = time.monotonic() - step["begun"]
                    said = (line for file in step["logs"] for line in reversed(lines(file)))
                    last = next((line for line in said if line and not NO_NEWS.match(line)), "")
                    if seconds > NEWS_SECONDS and last and shown.get(number) != last:
                        shown[number] = last
                        own = seconds - environment_seconds(step["logs"])
                        say(f"... {step['name']}: {last}{remaining_time(last, own)}")

    def close(self):
        """Say how the run ended where some steps failed."""
        if self.interrupted and not self.ended.is_set():
            say(f"Stopped after {self.done} of {self.total} steps. The same command goes on where it stopped.")
        elif self.failed and not self.ended.is_set():
            say(
                f"{len(self.failed)} of {self.total} steps failed ({'; '.join(self.failed.values())}). Their messages "
                "are above. When the cause is mended, the same command goes on where it stopped."
            )
        self.ended.set()
        super().close()


def say(text: str):
    """Print to the terminal at once; nothing where there is nothing to say."""
    if text:
        print(text, file=sys.stderr, flush=True)


def name(record) -> str:
    """Return what a step does, and the setting that distinguishes it."""
    said = {"batch_size": "batch ", **{key: f"{key} " for key in NAMED}}
    values = [said.get(key, "") + value for key, value in dict(record.wildcards or {}).items()]
    return record.rule_name.replace("_", " ") + (f": {', '.join(values)}" if values else "")


def killed(record) -> str:
    """Return which signal ended a step, of which its log says nothing; that it failed is said with its log."""
    signal = re.search(r"died with .*", record.getMessage())
    return f"a step {signal[0]}" if signal else ""


def lines(file) -> list[str]:
    """Return the lines of a log, none while there is no such file."""
    path = Path(file)
    return path.read_text(encoding="utf-8", errors="replace").rstrip().splitlines() if path.is_file() else []


def environment_seconds(logs) -> float:
    """Return how long a step made its software environment, or waited for it, as `environment.py` says in its log."""
    said = (
        re.search(r"^(?:the environment .* is ready after|waited) (\d+) s", line) for log in logs for line in lines(log)
    )
    return sum(float(found[1]) for found in said if found)


def remaining_time(line: str, seconds: float) -> str:
    """Return what is left of a step whose last line says `epoch 20 of 100`."""
    place = re.search(r"(\d+) of (\d+)", line)
    done, total = map(int, place.groups()) if place else (0, 0)
    return f" (about {clock(seconds / done * (total - done))} left)" if 0 < done < total else ""


def clock(seconds: float) -> str:
    """Return a duration as people read it."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02} min" if hours else f"{minutes} min {rest:02} s" if minutes else f"{rest} s"
