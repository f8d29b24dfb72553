package s3bucket

import (
	"context"
	"fmt"
	"io"
	"sync"
	"time"
)

// An exchange is given up when nothing moves, in either direction, and when all that moves is a trickle: it would hold its
// place for hours, and a few of them everyone's.
const (
	quietTime = 20 * time.Second
	// Bytes that were handed to the kernel may still be on their way when no more are asked for, and the answer comes
	// after them. So who sends is given the time that a slow link takes for what a socket's buffer holds.
	socketBuffer = 4 << 20
	slowLink     = 64 << 10 // bytes a second
	// From the second minute on fewer bytes a second than these are a trickle.
	trickleAfter = time.Minute
	trickle      = 8 << 10
)

// stalledError says that the exchange stood still.
type stalledError struct{ what string }

func (e *stalledError) Error() string { return e.what }

// Timeout makes it one of those that are worth another try.
func (e *stalledError) Timeout() bool { return true }

// watch cancels a request that stands still.
type watch struct {
	cancel   context.CancelCauseFunc
	patience time.Duration

	mu       sync.Mutex
	timer    *time.Timer
	answered bool
	begun    time.Time
	moved    int64
}

// newWatch begins to watch the sending of a body of so many bytes, 0 or less for none.
func newWatch(cancel context.CancelCauseFunc, size int64) *watch {
	held := min(max(size, 0), socketBuffer)
	w := &watch{cancel: cancel, patience: quietTime + time.Duration(held)*time.Second/slowLink, begun: time.Now()}
	w.timer = time.AfterFunc(w.patience, w.stalled)
	return w
}

func (w *watch) stalled() {
	w.cancel(&stalledError{fmt.Sprintf("nothing moved for %v", w.patience.Round(time.Second))})
}

// sent counts bytes on their way out.
func (w *watch) sent(n int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.answered {
		return
	}
	w.moved += int64(n)
	w.timer.Reset(w.patience)
	w.judge(time.Since(w.begun))
}

// judge gives up on a trickle: moved bytes in a time of waiting.
func (w *watch) judge(waited time.Duration) {
	if waited > trickleAfter && w.moved < int64(waited.Seconds())*trickle {
		w.cancel(&stalledError{fmt.Sprintf("only %d bytes moved in %v", w.moved, waited.Round(time.Second))})
	}
}

// rest ends the watch over the sending: there is an answer, or an error.
func (w *watch) rest() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.answered, w.moved = true, 0
	w.timer.Stop()
}

// upload tells the watch of each read: the last bytes are on their way when more are asked for.
type upload struct {
	io.ReadCloser
	watch *watch
}

func (u *upload) Read(p []byte) (int, error) {
	n, err := u.ReadCloser.Read(p)
	u.watch.sent(n)
	return n, err
}

// download watches each read of an answer's body. The time that the caller takes between two reads does not count.
type download struct {
	io.ReadCloser
	watch  *watch
	parent context.Context // the caller's
	ctx    context.Context // the request's
	waited time.Duration
}

func (d *download) Read(p []byte) (int, error) {
	w := d.watch
	w.timer.Reset(quietTime)
	began := time.Now()
	n, err := d.ReadCloser.Read(p)
	w.timer.Stop()
	d.waited += time.Since(began)
	w.moved += int64(n)
	w.judge(d.waited)
	if err != nil && err != io.EOF {
		err = blame(d.parent, d.ctx, err)
	}
	return n, err
}

// Close lets go of the connection.
func (d *download) Close() error {
	d.watch.timer.Stop()
	err := d.ReadCloser.Close()
	d.watch.cancel(nil)
	return err
}
