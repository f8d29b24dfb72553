package faceid

import "io"

// A lane has a few buffers of a window's worth of bytes. Two would do, but a sleeping goroutine wakes up later than a
// buffer takes to be hashed; from four on, both sides are always busy.
const (
	laneBuffers = 6
	laneSize    = inputSize / quantum * 3
)

// lane writes one medium in a goroutine of its own, so that hashing and spooling overlap with reading and decoding. Its
// buffers go round and are never allocated again. The goroutine has ended when close returns.
type lane struct {
	w      io.Writer
	free   chan []byte // empty ones, to be filled
	full   chan []byte // to be written
	broken chan struct{}
	ended  chan struct{}
	err    error // the writer's; read it after broken or ended is closed
	made   int   // buffers allocated: a photo needs two
}

func newLane(w io.Writer) *lane {
	l := &lane{
		w:      w,
		free:   make(chan []byte, laneBuffers),
		full:   make(chan []byte, laneBuffers),
		broken: make(chan struct{}),
		ended:  make(chan struct{}),
	}
	go l.run()
	return l
}

func (l *lane) run() {
	defer close(l.ended)
	for b := range l.full {
		n, err := l.w.Write(b)
		if err == nil && n != len(b) {
			err = io.ErrShortWrite
		}
		if err != nil {
			l.err = err
			close(l.broken)
			return
		}
		l.free <- b[:0]
	}
}

// buffer gives an empty buffer of laneSize bytes.
func (l *lane) buffer() ([]byte, error) {
	if len(l.free) == 0 && l.made < laneBuffers {
		l.made++
		return make([]byte, 0, laneSize), nil
	}
	select {
	case b := <-l.free:
		return b, nil
	case <-l.broken:
		return nil, &SinkError{Err: l.err}
	}
}

// send hands a buffer over to be written. There is always room, since there are no more buffers than places.
func (l *lane) send(b []byte) { l.full <- b }

// close waits until everything is written, and gives the writer's error.
func (l *lane) close() error {
	close(l.full)
	<-l.ended
	if l.err != nil {
		return &SinkError{Err: l.err}
	}
	return nil
}
