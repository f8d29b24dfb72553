package samtest_test

import (
	"context"
	"crypto/rand"
	"errors"
	"io"
	"iter"
	"log/slog"
	"testing"
	"time"

	"github.com/kycvault/kycvault/pkg/archive"
	"github.com/kycvault/kycvault/pkg/bucket"
	"github.com/kycvault/kycvault/pkg/bucket/membucket"
	"github.com/kycvault/kycvault/pkg/faceid/faceidtest"
	"github.com/kycvault/kycvault/pkg/kyc"
	"github.com/kycvault/kycvault/pkg/platform/aws/samtest"
	"github.com/kycvault/kycvault/pkg/seal"
	"github.com/kycvault/kycvault/pkg/secret"
	"github.com/kycvault/kycvault/pkg/ticket"
)

// The core is run here on a bucket that notes each call as S3 would get it, and the calls are held against the roles both ways.
// What the drivers and the functions around it add is for the integration run to show.

// world is a bucket, a queue and a service that the three functions share, in a time of their own.
type world struct {
	t     *testing.T
	stack *samtest.Stack
	store *membucket.Bucket
	now   time.Time
	queue []kyc.Message
	calls map[string][]samtest.Call // by function
	reply func(order archive.Order) (kyc.Reply, error)
}

func newWorld(t *testing.T, parameters map[string]string) *world {
	w := &world{
		t: t, stack: stack(t, parameters), now: time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC), calls: map[string][]samtest.Call{},
		reply: verified,
	}
	w.store = membucket.New(w.clock)
	return w
}

func (w *world) clock() time.Time { return w.now }

func verified(archive.Order) (kyc.Reply, error) {
	return kyc.Reply{Code: "0", Class: kyc.OK, Result: map[string]any{"orderNo": "x"}}, nil
}

// answers makes the service answer with a class and code from now on.
func (w *world) answers(class kyc.Class, code string) {
	w.reply = func(archive.Order) (kyc.Reply, error) { return kyc.Reply{Code: code, Class: class}, nil }
}

// process is one function's process: what it asks of the clouds is noted as its calls.
type process struct {
	*world
	*membucket.Bucket
	function string
	tickets  *ticket.Own
}

func (w *world) process(function string) *process {
	p := &process{world: w, Bucket: w.store, function: function}
	var err error
	p.tickets, err = ticket.NewOwn(ticket.OwnConfig{
		Bucket: p, AppID: "IDAXXXXX", Secret: secret.New("a-secret-of-the-app-id"), Service: pairs{}, Now: w.clock, Rand: rand.Reader,
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return p
}

func (p *process) note(calls ...samtest.Call) {
	p.calls[p.function] = append(p.calls[p.function], calls...)
}

// Create is what pkg/bucket/s3bucket does: a HEAD after a 412.
func (p *process) Create(ctx context.Context, key string, c bucket.Content) error {
	p.note(p.stack.Put(key, true))
	if c.Retain && p.stack.Parameters["ObjectLock"] != "none" {
		p.note(p.stack.Object("s3:PutObjectRetention", key))
	}
	err := p.Bucket.Create(ctx, key, c)
	if errors.Is(err, bucket.ErrExists) {
		p.note(p.stack.Object("s3:GetObject", key))
	}
	return err
}

func (p *process) Put(ctx context.Context, key string, c bucket.Content) error {
	p.note(p.stack.Put(key, false))
	return p.Bucket.Put(ctx, key, c)
}

func (p *process) Get(ctx context.Context, key string) (io.ReadCloser, bucket.Object, error) {
	p.note(p.stack.Object("s3:GetObject", key))
	return p.Bucket.Get(ctx, key)
}

func (p *process) Delete(ctx context.Context, key string) error {
	p.note(p.stack.Object("s3:DeleteObject", key))
	return p.Bucket.Delete(ctx, key)
}

func (p *process) List(ctx context.Context, prefix, after string) iter.Seq2[bucket.Object, error] {
	p.note(p.stack.List(prefix))
	return p.Bucket.List(ctx, prefix, after)
}

func (p *process) Properties() bucket.Properties {
	return bucket.Properties{Name: "s3", StrongListing: true, OwnClock: true}
}

// Delay implements kyc.Delayer.
func (p *process) Delay(_ context.Context, msgs ...kyc.Message) error {
	p.sqs("SendMessage")
	p.queue = append(p.queue, msgs...)
	return nil
}

// Room implements kyc.Delayer.
func (p *process) Room(context.Context, time.Duration) (int, error) {
	p.sqs("GetQueueAttributes")
	return 100, nil
}

func (p *process) sqs(operation string) {
	c, err := p.stack.SQSCall("AmazonSQS." + operation)
	if err != nil {
		p.t.Fatal(err)
	}
	p.note(c)
}

// Query implements kyc.Upstream, with a ticket as pkg/faceid would ask for.
func (p *process) Query(ctx context.Context, order archive.Order, want kyc.Media, sink kyc.Sink) (kyc.Reply, error) {
	if _, err := p.tickets.Current(ctx); err != nil {
		return kyc.Reply{}, err
	}
	reply, err := p.reply(order)
	if err != nil || reply.Class != kyc.OK {
		return reply, err
	}
	for _, name := range want.Names() {
		into, err := sink(archive.Kind(name))
		if err != nil {
			return reply, err
		}
		medium := map[string][]byte{"photo": faceidtest.Photo(), "video": faceidtest.Video()}[name]
		if _, err := into.Write(medium); err != nil {
			return reply, err
		}
	}
	return reply, nil
}

// pairs are the service's two calls of a refresh.
type pairs struct{}

func (pairs) AccessToken(context.Context, secret.Text) (secret.Text, time.Duration, error) {
	return secret.New("a-token-of-the-service"), 2 * time.Hour, nil
}

func (pairs) SignTicket(context.Context, secret.Text) (secret.Text, time.Duration, error) {
	return secret.New("a-ticket-of-the-service"), time.Hour, nil
}

func (p *process) core() kyc.Core {
	return kyc.Core{
		Archive: archive.New(p), Delayer: p, Now: p.clock, Rand: rand.Reader, Log: slog.New(slog.DiscardHandler),
		Settings: kyc.Settings{Media: kyc.Photo | kyc.Video, Steps: 3, StepDelay: 2 * time.Second, RefetchEvery: 5 * time.Minute, Deadline: 72 * time.Hour},
	}
}

func (p *process) gate() *kyc.Gate {
	return &kyc.Gate{Bucket: p, Rand: rand.Reader, Log: slog.New(slog.DiscardHandler)}
}

// complete is a call of the webhook, and a look at how the order stands.
func (w *world) complete(order archive.Order) {
	w.t.Helper()
	p := w.process("WebhookFunction")
	in := &kyc.Intake{Core: p.core()}
	if _, err := in.Complete(w.t.Context(), order, "jwt"); err != nil {
		w.t.Fatal(err)
	}
	q := kyc.Orders{Archive: in.Archive}
	if _, err := q.Status(w.t.Context(), order); err != nil {
		w.t.Fatal(err)
	}
}

// status looks at how an order stands.
func (w *world) status(order archive.Order) kyc.State {
	w.t.Helper()
	s, err := kyc.Orders{Archive: archive.New(w.process("WebhookFunction"))}.Status(w.t.Context(), order)
	if err != nil {
		w.t.Fatal(err)
	}
	return s.State
}

// steps makes the steps that are in the queue, and those that follow from them.
func (w *world) steps() {
	w.t.Helper()
	for len(w.queue) > 0 {
		m := w.queue[0]
		w.queue = w.queue[1:]
		p := w.process("PullFunction")
		puller := &kyc.Puller{Core: p.core(), Upstream: p, Gate: p.gate()}
		if _, err := puller.Step(w.t.Context(), m); err != nil {
			w.t.Fatal(err)
		}
		w.now = w.now.Add(5 * time.Second)
	}
}

// pass makes a pass of the re-fetch, after some time.
func (w *world) pass(after time.Duration) {
	w.t.Helper()
	w.now = w.now.Add(after)
	p := w.process("RefetchFunction")
	r := &kyc.Refetcher{Core: p.core(), Tickets: p.tickets, Gate: p.gate()}
	if p.stack.Parameters["Seal"] == "yes" {
		key, err := seal.ParseKey(secret.New("PRIVATE+KEY+test.example/vault+85a0ee6e+AQABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f"))
		if err != nil {
			w.t.Fatal(err)
		}
		r.Sealer = &seal.Sealer{Archive: r.Archive, Key: key, Every: time.Hour, Grace: 30 * time.Minute, Log: r.Log}
	}
	if _, err := r.Pass(w.t.Context(), false); err != nil {
		w.t.Fatal(err)
	}
}

// everyOrder lets orders of every kind pass through.
func (w *world) everyOrder() {
	w.t.Helper()
	w.complete("ok1")                     // pull finds no ticket: it makes the first
	w.queue = append(w.queue, w.queue...) // SQS delivers twice
	w.steps()
	w.complete("ok1")

	w.answers(kyc.Pending, "66660012") // a verdict is not there yet
	w.complete("late1")
	w.steps()
	w.now = w.now.Add(2 * time.Minute)
	w.complete("late1") // a new hint
	w.queue = nil

	w.answers(kyc.Pending, kyc.NoSuchResult)
	w.pass(31 * time.Minute) // refetch refreshes the ticket
	w.complete("walk1")
	w.steps()
	w.pass(40 * time.Minute)
	w.steps()
	w.now = w.now.Add(2 * time.Minute)
	w.complete("walk1") // it is quiet: a new hint
	w.queue = nil

	w.answers(kyc.Busy, "400501")
	w.complete("busy1")
	w.steps()
	w.reply = verified
	w.pass(10 * time.Minute) // a probe
	w.steps()
	w.answers(kyc.Pending, kyc.NoSuchResult)
	for range 2 {
		w.pass(72 * time.Hour) // whoever waits is given up
		w.steps()
	}
	if state := w.status("walk1"); state != kyc.StateUnavailable && state != kyc.StateExpired {
		w.t.Errorf("the walked-away user's order is %s", state)
	}
	if state := w.status("ok1"); state != kyc.StateArchived {
		w.t.Errorf("the good order is %s", state)
	}
	if _, err := w.process("WebhookFunction").tickets.Recent(w.t.Context()); err != nil {
		w.t.Errorf("for an H5 redirect: %v", err)
	}
}

func TestCoreUsesItsRights(t *testing.T) {
	w := newWorld(t, everything())
	w.everyOrder()
	p, err := w.stack.Policies()
	if err != nil {
		t.Fatal(err)
	}
	for _, function := range w.stack.Functions() {
		forbidden, unseen := p.Compare(function, w.calls[function])
		for _, c := range forbidden {
			t.Errorf("%s may not call %s", function, c)
		}
		for _, r := range unseen {
			t.Errorf("%s has %s on %s, and never used it", function, r.Action, r.Where)
		}
	}
}
