package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/kycvault/kycvault/pkg/orderlist"
)

// stdinName is how standard input is named.
const stdinName = "-"

// list gives the orders of the command line, or of a list. Every line without an order number is told.
func (c *pullCmd) list(ctx context.Context, a *app) (orderlist.List, error) {
	if c.File == "" {
		orders, err := parseOrders(c.Orders)
		return orderlist.List{Orders: orders, Repeated: len(c.Orders) - len(orders)}, usage(err)
	}
	l, err := c.readList(ctx, a)
	switch {
	case ctx.Err() != nil:
		return l, ctx.Err()
	case err != nil:
		return l, usage(err) // a list that can not be read is as good as none
	}
	for _, bad := range l.Bad {
		a.tell(fmt.Sprintf("%s: %v", c.listName(), bad))
	}
	switch {
	case len(l.Bad) > 0 && !c.SkipBad:
		return l, usage(fmt.Errorf("%d of %s's lines hold no order number; nothing has begun; mend them, or go on without them with --skip-bad", len(l.Bad), c.listName()))
	case len(l.Orders) == 0:
		return l, usage(fmt.Errorf("no line of %s holds an order number", c.listName()))
	}
	return l, nil
}

func (c *pullCmd) listName() string {
	if c.File == stdinName {
		return "standard input"
	}
	return c.File
}

// readList reads the list. Ctrl-C ends the reading of a standard input that does not end.
func (c *pullCmd) readList(ctx context.Context, a *app) (orderlist.List, error) {
	in := io.NopCloser(a.stdin)
	if c.File != stdinName {
		var err error
		if in, err = os.Open(c.File); err != nil {
			return orderlist.List{}, fmt.Errorf("read list: %w", err)
		}
	}
	type result struct {
		list orderlist.List
		err  error
	}
	read := make(chan result, 1)
	go func() {
		l, err := orderlist.Read(in, orderlist.Options{Column: c.Column})
		read <- result{l, errors.Join(err, in.Close())}
	}()
	select {
	case r := <-read:
		if errors.Is(r.err, orderlist.ErrList) {
			r.err = fmt.Errorf("%s %w", c.listName(), r.err)
		}
		return r.list, r.err
	case <-ctx.Done():
		return orderlist.List{}, ctx.Err()
	}
}
