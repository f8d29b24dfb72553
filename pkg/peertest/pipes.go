package peertest

import (
	"context"
	"net"
	"sync"
)

// Pipes is a listener whose connections are in memory. In a bubble of testing/synctest time goes on while they idle, which it does
// not for those of the network.
type Pipes struct {
	conns  chan net.Conn
	closed chan struct{}
	close  func()
}

// NewPipes makes a listener that Dial connects to.
func NewPipes() *Pipes {
	closed := make(chan struct{})
	return &Pipes{conns: make(chan net.Conn), closed: closed, close: sync.OnceFunc(func() { close(closed) })}
}

// Dial connects to the listener, whatever address is asked for: it is a http.Transport's DialContext.
func (p *Pipes) Dial(ctx context.Context, _, _ string) (net.Conn, error) {
	here, there := net.Pipe()
	select {
	case p.conns <- there:
		return here, nil
	case <-p.closed:
		return nil, net.ErrClosed
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// Accept implements net.Listener.
func (p *Pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

// Close implements net.Listener. Connections stay open.
func (p *Pipes) Close() error {
	p.close()
	return nil
}

// Addr implements net.Listener; nobody listens there.
func (p *Pipes) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 1} }
