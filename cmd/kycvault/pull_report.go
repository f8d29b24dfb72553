package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"os"
)

// pullReport is the file of --report. It has its name when it is whole; until then it is FILE.part. The nil report is none.
type pullReport struct {
	path  string
	file  *os.File
	buf   *bufio.Writer
	whole bool // the summary is in it
}

// newPullReport begins a report; path "" is none.
func newPullReport(path string) (*pullReport, error) {
	if path == "" {
		return nil, nil
	}
	// The name is taken by renaming, which would put a file in the place of a device, and fail on a folder after hours.
	if info, err := os.Lstat(path); err == nil && !info.Mode().IsRegular() {
		return nil, fmt.Errorf("begin report: %s is not a file; for standard output there is --json", path)
	}
	f, err := os.OpenFile(path+".part", os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return nil, fmt.Errorf("begin report: %w", err)
	}
	return &pullReport{path: path, file: f, buf: bufio.NewWriter(f)}, nil
}

// write writes one line.
func (r *pullReport) write(v any) error {
	if r == nil {
		return nil
	}
	line, err := json.Marshal(v)
	if err == nil {
		_, err = r.buf.Write(append(line, '\n'))
	}
	if err != nil {
		return fmt.Errorf("write report: %w", err)
	}
	return nil
}

// end writes the last line.
func (r *pullReport) end(s pullSummary) error {
	err := r.write(map[string]pullSummary{"summary": s})
	if r != nil {
		r.whole = err == nil
	}
	return err
}

// close gives the report its name. One without an end is removed.
func (r *pullReport) close() error {
	if r == nil {
		return nil
	}
	if err := errors.Join(r.buf.Flush(), r.file.Close()); err != nil {
		return fmt.Errorf("write report: %w", err)
	}
	if !r.whole {
		return os.Remove(r.path + ".part")
	}
	if err := os.Rename(r.path+".part", r.path); err != nil {
		return fmt.Errorf("name report: %w", err)
	}
	return nil
}
