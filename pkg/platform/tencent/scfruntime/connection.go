package scfruntime

import (
	"bufio"
	"encoding/gob"
	"net"
	"reflect"
	"sync"

	"github.com/tencentyun/scf-go-lib/cloudfunction/messages"
)

// The calls that the runtime makes: an rpc.Request, then the argument; an rpc.Response, then the answer (package net/rpc). Gob
// goes by the names of fields, so types of the same fields will do.
const (
	pingMethod   = "Function.Ping"
	invokeMethod = "Function.Invoke"
)

// request is net/rpc's.
type request struct {
	ServiceMethod string
	Seq           uint64
}

// response is net/rpc's.
type response struct {
	ServiceMethod string
	Seq           uint64
	Error         string // "" is none; of the call, not of the function
}

// connection is one connection of the runtime. Calls on it may overlap.
type connection struct {
	conn    net.Conn
	handler Handler
	in      *gob.Decoder

	mu  sync.Mutex // held to write
	buf *bufio.Writer
	out *gob.Encoder
}

func newConnection(conn net.Conn, h Handler) *connection {
	buf := bufio.NewWriter(conn)
	return &connection{conn: conn, handler: h, in: gob.NewDecoder(bufio.NewReader(conn)), buf: buf, out: gob.NewEncoder(buf)}
}

// serve answers calls until the connection ends, and those under way then.
func (c *connection) serve() {
	var calls sync.WaitGroup
	defer func() { calls.Wait(); _ = c.conn.Close() }()
	for {
		var r request
		if c.in.Decode(&r) != nil {
			return
		}
		switch r.ServiceMethod {
		case pingMethod:
			if c.in.Decode(&messages.PingRequest{}) != nil {
				return
			}
			c.answer(r, "", messages.PingResponse{})
		case invokeMethod:
			var call messages.InvokeRequest
			if c.in.Decode(&call) != nil {
				return
			}
			calls.Go(func() { c.answer(r, "", invoke(c.handler, call)) })
		default:
			if c.in.DecodeValue(reflect.Value{}) != nil { // the argument is read past
				return
			}
			c.answer(r, "rpc: can't find method "+r.ServiceMethod, struct{}{})
		}
	}
}

// answer writes an answer. When it can not be written the connection is of no more use.
func (c *connection) answer(r request, problem string, body any) {
	c.mu.Lock()
	defer c.mu.Unlock()
	err := c.out.Encode(response{ServiceMethod: r.ServiceMethod, Seq: r.Seq, Error: problem})
	if err == nil {
		err = c.out.Encode(body)
	}
	if err == nil {
		err = c.buf.Flush()
	}
	if err != nil {
		_ = c.conn.Close()
	}
}
