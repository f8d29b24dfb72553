// Package work is a handler that does what its event says.
package work

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/tencentyun/scf-go-lib/functioncontext"
)

// Event is an order to the handler.
type Event struct {
	Variables []string      // to be told
	Fail      string        // the error
	Panic     string        // what is thrown
	Exit      bool          // the process ends
	Wait      time.Duration // before it answers
}

// Answer is what it tells.
type Answer struct {
	Variables map[string]string
	Left      time.Duration // until the deadline
	Context   functioncontext.FunctionContext
}

// Handler implements cloudfunction.Handler.
type Handler struct{}

// Invoke does it.
func (Handler) Invoke(ctx context.Context, payload []byte) ([]byte, error) {
	var e Event
	if err := json.Unmarshal(payload, &e); err != nil {
		return nil, err
	}
	fmt.Println("invoked by", os.Getpid())
	time.Sleep(e.Wait)
	switch {
	case e.Exit:
		os.Exit(3)
	case e.Panic != "":
		panic(e.Panic)
	case e.Fail != "":
		return nil, errors.New(e.Fail)
	}
	a := Answer{Variables: map[string]string{}}
	for _, name := range e.Variables {
		if v, ok := os.LookupEnv(name); ok {
			a.Variables[name] = v
		}
	}
	end, _ := ctx.Deadline()
	a.Left = time.Until(end)
	fc, _ := functioncontext.FromContext(ctx)
	a.Context = *fc
	return json.Marshal(a)
}
