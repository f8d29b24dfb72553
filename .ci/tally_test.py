#!/usr/bin/env python3
"""Tests of tally.py, on streams as the go command writes them."""

import contextlib
import io
import unittest

import tally

BUILD_FAILS = """\
{"ImportPath":"example.com/p [example.com/p.test]","Action":"build-output","Output":"p.go:3: undefined: x\\n"}
{"ImportPath":"example.com/p [example.com/p.test]","Action":"build-fail"}
{"Action":"start","Package":"example.com/p"}
{"Action":"output","Package":"example.com/p","Output":"FAIL\\texample.com/p [build failed]\\n"}
{"Action":"fail","Package":"example.com/p","Elapsed":0,"FailedBuild":"example.com/p [example.com/p.test]"}
"""


def events(*pairs):
    lines = []
    for action, test in pairs:
        name = f',"Test":"{test}"' if test else ""
        said = f',"Output":"{test} said this\\n"' if action == "output" else ""
        lines.append(f'{{"Action":"{action}","Package":"p"{name}{said}}}\n')
    return "".join(lines)


def play(stream, strict=False):
    run, shown = tally.Run(strict), io.StringIO()
    with contextlib.redirect_stdout(shown):
        for line in stream.splitlines(keepends=True):
            run.line(line)
    return run, shown.getvalue()


class Tally(unittest.TestCase):
    def check(self, stream, want, strict=False):
        run, shown = play(stream, strict)
        self.assertEqual(tally.count([run.results], strict), want)
        return shown

    def test_counts_subtests(self):
        self.check(events(("run", "A"), ("run", "A/b"), ("pass", "A/b"), ("pass", "A"), ("pass", "")), (2, 0, 0))

    def test_shows_what_a_failing_test_said(self):
        shown = self.check(events(("run", "A"), ("output", "A"), ("fail", "A"), ("run", "B"), ("output", "B"), ("pass", "B"), ("fail", "")), (1, 1, 0))
        self.assertIn("A said this", shown)
        self.assertNotIn("B said this", shown)
        self.assertIn("FAIL p", shown)

    def test_build_failure_is_one_failure(self):
        self.assertIn("undefined: x", self.check(BUILD_FAILS, (0, 1, 0)))

    def test_death_in_a_test_is_its_failure(self):
        self.check(events(("run", "A"), ("fail", "")), (0, 1, 0))

    def test_package_that_fails_outside_its_tests(self):
        self.check(events(("run", "A"), ("pass", "A"), ("fail", "")), (1, 1, 0))

    def test_skips(self):
        stream = events(("run", "A"), ("skip", "A"), ("run", "B"), ("pass", "B"), ("pass", ""))
        self.check(stream, (1, 0, 1))
        self.check(stream, (1, 1, 0), strict=True)

    def test_package_without_tests(self):
        self.check(events(("skip", "")), (0, 0, 0))

    def test_what_is_no_event_passes_through(self):
        self.assertIn("go: no such module", self.check("go: no such module\n", (0, 0, 0)))

    def test_a_test_counts_once_at_its_worst(self):
        first, _ = play(events(("pass", "A"), ("pass", "B"), ("skip", "C")))
        second, _ = play(events(("pass", "A"), ("fail", "B"), ("pass", "C")))
        self.assertEqual(tally.count([first.results, second.results], False), (1, 1, 1))


if __name__ == "__main__":
    unittest.main()
