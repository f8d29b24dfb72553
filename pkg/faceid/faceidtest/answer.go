package faceidtest

import (
	"compress/gzip"
	"context"
	"errors"
	"io"
	"net/http"
	"strconv"
	"time"
)

// answer is one reply, as it is to be sent.
type answer struct {
	status      int
	contentType string
	code        string // the service's code, for the history; "" where the reply has none
	body        *body
	manner      manner
}

// manner is how a body is sent.
type manner struct {
	chunked   bool          // without Content-Length
	gzip      bool          // compressed, asked for or not
	keep      float64       // the share of the body that is sent; 0 is all of it
	then      ending        // what follows a body cut short
	lengthOff int64         // how far Content-Length is off
	slow      time.Duration // how long the body takes
}

type ending int

const (
	endCleanly ending = iota // as if that were all
	breakOff                 // the connection breaks
	goSilent                 // nothing comes, until the client goes away
)

func jsonAnswer(code string, o object) answer { return answerOf(code, o, false) }

func answerOf(code string, o object, spaced bool) answer {
	b := new(body)
	renderer{out: b, spaced: spaced}.value(o)
	return answer{status: http.StatusOK, contentType: "application/json;charset=UTF-8", code: code, body: b}
}

func htmlAnswer(status int, text string) answer {
	return answer{status: status, contentType: "text/html", body: textBody(text)}
}

// send writes the answer. It panics with http.ErrAbortHandler where the connection is to break.
func (a answer) send(w http.ResponseWriter, r *http.Request) {
	if a.lost() {
		panic(http.ErrAbortHandler)
	}
	a.head(w)
	flush := func() { _ = http.NewResponseController(w).Flush() }
	if a.manner.chunked {
		flush()
	}
	err := a.write(paced(r.Context(), w, flush, a.body.size(), a.manner.slow))
	if !errors.Is(err, errCut) {
		return // sent, or the client has gone
	}
	flush()
	switch a.manner.then {
	case breakOff:
		panic(http.ErrAbortHandler)
	case goSilent:
		<-r.Context().Done()
		panic(http.ErrAbortHandler)
	}
}

// lost tells whether the connection breaks before the first byte.
func (a answer) lost() bool { return a.manner.then == breakOff && a.manner.keep == 0 }

func (a answer) head(w http.ResponseWriter) {
	h := w.Header()
	h.Set("Content-Type", a.contentType)
	switch {
	case a.manner.gzip:
		h.Set("Content-Encoding", "gzip")
	case !a.manner.chunked:
		h.Set("Content-Length", strconv.FormatInt(a.body.size()+a.manner.lengthOff, 10))
	}
	w.WriteHeader(a.status)
}

func (a answer) write(w io.Writer) error {
	if a.manner.keep > 0 {
		w = &cutWriter{w: w, left: int64(float64(a.body.size()) * a.manner.keep)}
	}
	if !a.manner.gzip {
		return a.body.writeTo(w)
	}
	z := gzip.NewWriter(w)
	if err := a.body.writeTo(z); err != nil {
		return err
	}
	return z.Close()
}

var errCut = errors.New("cut short on purpose")

// cutWriter lets the first bytes through and then fails with errCut.
type cutWriter struct {
	w    io.Writer
	left int64
}

func (c *cutWriter) Write(p []byte) (int, error) {
	n, err := c.w.Write(p[:min(int64(len(p)), c.left)])
	c.left -= int64(n)
	if err == nil && n < len(p) {
		err = errCut
	}
	return n, err
}

// pieces is in how many pieces a slow body trickles.
const pieces = 32

// paced spreads size bytes over d.
func paced(ctx context.Context, w io.Writer, flush func(), size int64, d time.Duration) io.Writer {
	if d == 0 {
		return w
	}
	return &trickle{ctx: ctx, w: w, flush: flush, piece: int(size/pieces) + 1, pause: d / pieces}
}

type trickle struct {
	ctx   context.Context
	w     io.Writer
	flush func()
	piece int
	pause time.Duration
}

func (t *trickle) Write(p []byte) (int, error) {
	done := 0
	for done < len(p) {
		n, err := t.w.Write(p[done:min(len(p), done+t.piece)])
		done += n
		if err != nil {
			return done, err
		}
		t.flush()
		if err := pause(t.ctx, t.pause); err != nil {
			return done, err
		}
	}
	return done, nil
}

// pause waits, or returns early with the context's error.
func pause(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return nil
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
