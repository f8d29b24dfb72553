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
	if errors.Is(err, orderlist.ErrList) || errors.Is(err, os.ErrNotExist) {
		return l, usage(err)
	}
	if err != nil {
		return l, err
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
func (c *pullCmd) readList(ctx context.Context, a *app) (l orderlist.List, err error) {
	in := io.NopCloser(a.stdin)
	if c.File != stdinName {
		if in, err = os.Open(c.File); err != nil {
			return l, fmt.Errorf("read list: %w", err)
		}
	}
	read := make(chan struct{})
	go func() {
		defer close(read)
		l, err = orderlist.Read(in, orderlist.Options{Column: c.Column})
	}()
	select {
	case <-read:
	case <-ctx.Done():
		return orderlist.List{}, ctx.Err()
	}
	if err != nil {
		err = fmt.Errorf("%s %w", c.listName(), err)
	}
	return l, errors.Join(err, in.Close())
}
