package main

// progress tells how many bytes of a download are there. It is written what is downloaded.
type progress struct {
	meter *meter
	done  int64
}

// newProgress begins to tell of files that are about to be fetched. The caller calls end.
func newProgress(a *app, files []fetchedFile) *progress {
	var total int64
	for _, f := range files {
		total += f.written().Size
	}
	return &progress{meter: a.meter("get", unitBytes, total)}
}

// Write implements io.Writer.
func (p *progress) Write(b []byte) (int, error) {
	p.done += int64(len(b))
	p.meter.at(p.done, "")
	return len(b), nil
}

// end takes the bar away.
func (p *progress) end() { p.meter.end() }
