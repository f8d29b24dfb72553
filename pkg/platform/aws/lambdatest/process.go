package lambdatest

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"testing"
	"time"
)

// process is a process of a function, with a runtime API of its own.
type process struct {
	cmd     *exec.Cmd
	api     *api
	server  *http.Server
	started time.Time
	ended   chan struct{}
}

func start(t testing.TB, binary string, env []string, output *os.File) *process {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &process{api: newAPI(), ended: make(chan struct{})}
	p.server = &http.Server{Handler: p.api, ReadHeaderTimeout: time.Minute}
	go func() { _ = p.server.Serve(listener) }()
	p.cmd = exec.Command(binary)
	p.cmd.Env = append([]string{"AWS_LAMBDA_RUNTIME_API=" + listener.Addr().String()}, env...)
	p.cmd.Stdout, p.cmd.Stderr = output, output // a file: what was written before an answer can be read after it
	p.started = time.Now()
	if err := p.cmd.Start(); err != nil {
		_ = p.server.Close()
		t.Fatalf("start %s: %v", binary, err)
	}
	go func() {
		_ = p.cmd.Wait()
		close(p.ended)
		_ = p.server.Close()
	}()
	return p
}

// kill ends the process and waits for its end.
func (p *process) kill() {
	_ = p.cmd.Process.Kill()
	<-p.ended
}

func (p *process) over() bool {
	select {
	case <-p.ended:
		return true
	default:
		return false
	}
}

func (p *process) init() time.Duration {
	select {
	case <-p.api.ready:
		return p.api.readyAt.Sub(p.started)
	default:
		return 0
	}
}

// initialised waits for the process to ask for its first event. A process that reports an error, ends or takes too long
// fails.
func (p *process) initialised(ctx context.Context) *Error {
	limit := time.NewTimer(initTime)
	defer limit.Stop()
	select {
	case <-p.api.ready:
		return nil
	case failed := <-p.api.initError:
		return failed
	case <-p.ended:
	case <-limit.C:
		return timedOut(initTime)
	case <-ctx.Done():
		return &Error{"Invoke.Canceled", ctx.Err().Error()}
	}
	select {
	case failed := <-p.api.initError: // and then it ended
		return failed
	default:
		return p.exited()
	}
}

func (p *process) exited() *Error {
	return &Error{Exited, fmt.Sprintf("Runtime exited with error: %s", p.cmd.ProcessState)}
}

// invoke gives the process an event, and waits until it asks for the next one: only then the event is over.
func (p *process) invoke(ctx context.Context, payload []byte, timeout time.Duration) ([]byte, *Error) {
	e := newEvent(payload, time.Now().Add(timeout))
	over := time.NewTimer(timeout)
	defer over.Stop()
	p.api.post(e)
	for answer, idle := e.answer, (chan struct{})(nil); ; {
		select {
		case e.outcome = <-answer:
			answer, idle = nil, e.idle
		case <-idle:
			return e.outcome.response, e.outcome.failed
		case <-p.ended:
			return nil, p.lastWords(e)
		case <-over.C:
			p.kill()
			return nil, timedOut(timeout)
		case <-ctx.Done():
			p.kill()
			return nil, &Error{"Invoke.Canceled", ctx.Err().Error()}
		}
	}
}

// lastWords is why an event failed whose process ended: what it reported before, if it did.
func (p *process) lastWords(e *event) *Error {
	select {
	case e.outcome = <-e.answer:
	default:
	}
	if e.outcome.failed != nil {
		return e.outcome.failed
	}
	return p.exited()
}
