package scf

import (
	"encoding/json"
	"fmt"

	"github.com/kycvault/kycvault/pkg/kyc"
)

const (
	// maxEvent is the size of an event in bytes: SCF takes 128 KB of an asynchronous one (doc 583/11637).
	maxEvent = 128_000
	// maxOrders bounds an array, so that an invocation that works on some orders side by side ends within minutes.
	maxOrders = 400
)

// pack makes events of messages: one of each live message, arrays of single tries. They keep their order.
func pack(msgs []kyc.Message) (events [][]byte, err error) {
	var array []byte
	orders := 0
	flush := func() {
		if orders > 0 {
			events = append(events, append(array, ']'))
		}
		array, orders = nil, 0
	}
	for _, m := range msgs {
		one, err := json.Marshal(m)
		if err != nil {
			return nil, fmt.Errorf("encode step message of order %s: %w", m.Order, err)
		}
		if !m.Single {
			events = append(events, one)
			continue
		}
		if orders == maxOrders || len(array)+len(one)+len(",]") > maxEvent {
			flush()
		}
		array = append(array, "[,"[min(orders, 1)])
		array = append(array, one...)
		orders++
	}
	flush()
	return events, nil
}
