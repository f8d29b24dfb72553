#!/usr/bin/env python3
"""Counts the tests of `go test -json` runs.

    go test -json ./... | tally.py record FILE    shows progress and what failing tests said; notes the results in FILE
    tally.py total FILE...                        prints "N passed, N failed" over all files, alone on the last line

A test counts once, however often it ran (plain, with the race detector), and as failed if it failed anywhere. A package that does
not build, or ends without one of its tests failing, counts as one failure. With CI=true a skipped test is a failed one.
Both calls exit 1 when something failed.
"""

import json
import os
import sys
from collections import defaultdict

ENDS = ("pass", "fail", "skip")


class Run:
    """One `go test -json` stream."""

    def __init__(self, strict):
        self.strict = strict  # a skipped test is a failure
        self.results = {}  # "package test" to pass, fail or skip; a package's own failure has no test
        self.output = defaultdict(list)  # what a test, or a package outside its tests, said
        self.running = set()
        self.failed_in = defaultdict(int)

    def line(self, text):
        try:
            event = json.loads(text)
        except ValueError:
            event = None
        if not isinstance(event, dict) or "Action" not in event:
            sys.stdout.write(text)  # not an event: the go command itself speaks
            return
        self.event(event)

    def event(self, event):
        action = event["Action"]
        package = event.get("Package") or event.get("ImportPath", "").split(" ")[0]
        test = event.get("Test", "")
        name = f"{package} {test}".strip()
        if action in ("output", "build-output"):
            self.output[name].append(event["Output"])
        elif action == "run":
            self.running.add((package, name))
        elif action in ENDS and test:
            self.end(package, name, action)
        elif action in ENDS:
            self.end_package(package, action, event.get("Elapsed", 0))

    def end(self, package, name, action):
        self.running.discard((package, name))
        self.results[name] = action
        if action == "fail" or action == "skip" and self.strict:
            self.failed_in[package] += 1
            self.show(name, "FAIL" if action == "fail" else "SKIPPED, and none may be")
        self.output.pop(name, None)

    def end_package(self, package, action, seconds):
        for key in sorted(key for key in self.running if key[0] == package):
            self.end(package, key[1], "fail")  # it was under way when the process died
        if action == "fail" and not self.failed_in[package]:
            self.failed_in[package] += 1
            self.results[package] = "fail"
            self.show(package, "FAIL")
        if action == "skip":
            return  # no test files
        verdict = "FAIL" if self.failed_in[package] else "ok"
        print(f"{verdict:4} {package} {seconds:.1f}s", flush=True)
        self.output.pop(package, None)

    def show(self, name, why):
        print(f"--- {why}: {name}")
        print("".join("    " + text for text in self.output[name]), end="", flush=True)


def record(path, strict):
    run = Run(strict)
    for text in sys.stdin:
        run.line(text)
    for package, name in sorted(run.running):
        run.end(package, name, "fail")
    with open(path, "w", encoding="utf-8") as file:
        json.dump(run.results, file)
    return count([run.results], strict)[1] == 0


def count(all_results, strict):
    """Numbers of passed, failed and skipped tests."""
    worst = {}
    for results in all_results:
        for name, action in results.items():
            worst[name] = max(worst.get(name, "pass"), action, key=("pass", "skip", "fail").index)
    tally = defaultdict(int)
    for action in worst.values():
        tally["fail" if action == "skip" and strict else action] += 1
    return tally["pass"], tally["fail"], tally["skip"]


def total(paths, strict):
    all_results = []
    for path in paths:
        with open(path, encoding="utf-8") as file:
            all_results.append(json.load(file))
    passed, failed, skipped = count(all_results, strict)
    print(f"{passed} passed, {failed} failed" + (f", {skipped} skipped" if skipped else ""))
    return failed == 0 and passed > 0


def main(args):
    strict = os.environ.get("CI") == "true"
    if len(args) == 2 and args[0] == "record":
        return record(args[1], strict)
    if len(args) >= 1 and args[0] == "total":
        return total(args[1:], strict)
    sys.exit(__doc__)


if __name__ == "__main__":
    sys.exit(0 if main(sys.argv[1:]) else 1)
