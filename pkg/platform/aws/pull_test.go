package aws

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/google/go-cmp/cmp"

	"github.com/kycvault/kycvault/pkg/archive"
	"github.com/kycvault/kycvault/pkg/kyc"
)

const opening = "06h0jj61jg0i7k0tk96e9k3vfg"

// desk is a pull function whose steps and queue are the test's.
type desk struct {
	*pull
	log     *bytes.Buffer
	metrics *strings.Builder
	stepped []archive.Order
	left    []time.Duration // of each step's context
	sent    []kyc.Message
	step    func(ctx context.Context, m kyc.Message) (kyc.Report, error)
	refuses error // of the queue
}

func newDesk() *desk {
	d := &desk{log: new(bytes.Buffer), step: func(context.Context, kyc.Message) (kyc.Report, error) { return kyc.Report{}, nil }}
	m, out := testMetrics()
	d.metrics = out
	d.pull = &pull{steps: d, delayer: d, metrics: m, now: time.Now, log: slog.New(slog.NewJSONHandler(d.log, nil))}
	return d
}

func (d *desk) RunReport(ctx context.Context, m kyc.Message) (kyc.Report, error) {
	d.stepped = append(d.stepped, m.Order)
	if deadline, ok := ctx.Deadline(); ok {
		d.left = append(d.left, time.Until(deadline))
	}
	return d.step(ctx, m)
}

func (d *desk) Delay(_ context.Context, msgs ...kyc.Message) error {
	d.sent = append(d.sent, msgs...)
	return d.refuses
}

func (d *desk) Room(context.Context, time.Duration) (int, error) { return 0, nil }

// bring gives the function a record for each body, and wants these back.
func (d *desk) bring(ctx context.Context, t *testing.T, bodies []string, back ...string) {
	t.Helper()
	var e events.SQSEvent
	for i, body := range bodies {
		e.Records = append(e.Records, events.SQSMessage{MessageId: string(rune('a' + i)), Body: body})
	}
	payload, err := json.Marshal(e)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := d.Invoke(ctx, payload)
	if err != nil {
		t.Fatal(err)
	}
	var got struct {
		Failures []struct {
			ID string `json:"itemIdentifier"`
		} `json:"batchItemFailures"`
	}
	if err := json.Unmarshal(answer, &got); err != nil || got.Failures == nil {
		t.Fatalf("answer %s, %v", answer, err)
	}
	failures := []string{}
	for _, f := range got.Failures {
		failures = append(failures, f.ID)
	}
	if !slices.Equal(failures, back) {
		t.Errorf("failures %q, want %q; log: %s", failures, back, d.log)
	}
}

func body(order string, notBefore time.Time) string {
	return text(kyc.Message{V: 1, Order: archive.Order(order), Opening: opening, Attempt: 1, NotBefore: notBefore})
}

func text(v any) string {
	data, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return string(data)
}

func (d *desk) wantSteps(t *testing.T, orders ...archive.Order) {
	t.Helper()
	if diff := cmp.Diff(orders, d.stepped); diff != "" {
		t.Errorf("steps -want +got:\n%s", diff)
	}
}

// TestPullBatch: a step that fails or panics comes again, the others go on.
func TestPullBatch(t *testing.T) {
	d := newDesk()
	d.step = func(_ context.Context, m kyc.Message) (kyc.Report, error) {
		switch m.Order {
		case "fails":
			return kyc.Report{State: kyc.StateArchived, Committed: true}, errors.New("no store today")
		case "panics":
			panic("planted")
		case "breaks":
			return kyc.Report{Bytes: int64([]int{1}[len(m.Odd)])}, nil
		}
		return kyc.Report{State: kyc.StateArchived, Committed: true, Bytes: 5}, nil
	}
	odd := kyc.Message{V: 1, Order: "breaks", Opening: opening, Attempt: 1, Odd: []string{"x"}}
	now := time.Time{}
	d.bring(t.Context(), t, []string{body("one", now), body("fails", now), body("panics", now), text(odd), body("two", now)}, "b", "c", "d")
	d.wantSteps(t, "one", "fails", "panics", "breaks", "two")
	for _, want := range []string{"no store today", "SQS delivers it again", "step panicked: string", "index out of range"} {
		if !strings.Contains(d.log.String(), want) {
			t.Errorf("the log does not tell of %q", want)
		}
	}
	if strings.Contains(d.log.String(), "planted") {
		t.Error("the log repeats what a panic threw")
	}
	if n := strings.Count(d.metrics.String(), `"Archived":1`); n != 3 {
		t.Errorf("%d orders were counted, want 3: the end that a failed step made is one", n)
	}
}

// TestPullPoison: what can never work is told of and dropped; none of it is repeated.
func TestPullPoison(t *testing.T) {
	d := newDesk()
	newer := strings.Replace(body("ok1", epoch), `"v":1`, `"v":2`, 1)
	path := strings.Replace(body("ok1", epoch), `ok1`, `../planted`, 1)
	d.bring(t.Context(), t, []string{"planted", "", newer, path, `[` + body("ok2", epoch) + `,{}]`, body("ok3", epoch)})
	d.wantSteps(t, "ok3")
	if n := strings.Count(d.log.String(), "dropped a message that can never work"); n != 5 || strings.Contains(d.log.String(), "planted") {
		t.Errorf("%d were told of:\n%s", n, d.log)
	}
	if n := strings.Count(d.metrics.String(), `"Dropped":1`); n != 5 {
		t.Errorf("%d were counted:\n%s", n, d.metrics)
	}
}

// TestPullArray: one record may hold many messages; it is done when all of them are.
func TestPullArray(t *testing.T) {
	d := newDesk()
	d.step = func(_ context.Context, m kyc.Message) (kyc.Report, error) {
		if m.Order == "fails" {
			return kyc.Report{}, errors.New("not now")
		}
		return kyc.Report{}, nil
	}
	array := func(orders ...string) string {
		var all []json.RawMessage
		for _, o := range orders {
			all = append(all, json.RawMessage(body(o, epoch)))
		}
		return text(all)
	}
	d.bring(t.Context(), t, []string{array("one", "two"), array("fails", "three"), "[]"}, "b")
	d.wantSteps(t, "one", "two", "fails", "three")
}

// TestPullEarly: a step that comes too early waits in the queue, not here; after a few times it is made at once.
func TestPullEarly(t *testing.T) {
	d := newDesk()
	now := time.Now()
	d.bring(t.Context(), t, []string{body("early", now.Add(time.Minute)), body("soon", now.Add(900*time.Millisecond)), body("due", now)})
	d.wantSteps(t, "soon", "due")
	if len(d.sent) != 1 || d.sent[0].Order != "early" || d.sent[0].Early != 1 || !d.sent[0].NotBefore.Equal(now.Add(time.Minute)) {
		t.Errorf("sent anew: %+v", d.sent)
	}
	last := d.sent[0]
	last.Early = kyc.MaxEarly
	d.bring(t.Context(), t, []string{text(last)})
	d.wantSteps(t, "soon", "due", "early")

	d.refuses = errors.New("no queue today")
	d.bring(t.Context(), t, []string{body("early", now.Add(time.Minute)), body("due", now)}, "a")
	if !strings.Contains(d.log.String(), "no queue today") {
		t.Errorf("the log: %s", d.log)
	}
}

// TestChainIsShort: the webhook, the steps and the messages that came early are less than the 16 invocations at which Lambda
// ends a chain (PLATFORMS, AWS).
func TestChainIsShort(t *testing.T) {
	const webhook, steps, most = 1, 10, 16 // platform.Load refuses more steps
	if chain := webhook + steps + kyc.MaxEarly; chain >= most {
		t.Errorf("a chain may have %d invocations", chain)
	}
}

// TestPullDeadline: nothing new is begun when an invocation's end is near, and what is under way ends a little before it.
func TestPullDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk()
		d.step = func(ctx context.Context, m kyc.Message) (kyc.Report, error) {
			took := map[archive.Order]time.Duration{"long": 70 * time.Second, "short": 15 * time.Second, "endless": time.Hour}[m.Order]
			select {
			case <-ctx.Done():
				return kyc.Report{}, ctx.Err()
			case <-time.After(took):
				return kyc.Report{}, nil
			}
		}
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Second)
		defer cancel()
		now := time.Now()
		d.bring(ctx, t, []string{body("long", now), body("short", now), body("late", now), body("later", now)}, "c", "d")
		d.wantSteps(t, "long", "short")
		if diff := cmp.Diff([]time.Duration{98 * time.Second, 28 * time.Second}, d.left); diff != "" {
			t.Errorf("times of the steps -want +got:\n%s", diff)
		}
		if !strings.Contains(d.log.String(), `"messages":2`) {
			t.Errorf("the log: %s", d.log)
		}

		ctx, cancel = context.WithTimeout(t.Context(), 100*time.Second)
		defer cancel()
		began := time.Now()
		d.bring(ctx, t, []string{body("endless", now), body("late", now)}, "a", "b")
		if took := time.Since(began); took != 98*time.Second {
			t.Errorf("it took %s", took)
		}
	})
}

// TestPullShortTimeout: a function with little time still begins a step.
func TestPullShortTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk()
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
		defer cancel()
		d.bring(ctx, t, []string{body("one", time.Now())})
		if diff := cmp.Diff([]time.Duration{1800 * time.Millisecond}, d.left); diff != "" {
			t.Errorf("times of the steps -want +got:\n%s", diff)
		}
	})
}

// TestPullArrayDeadline: also within a record nothing new is begun.
func TestPullArrayDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk()
		d.step = func(context.Context, kyc.Message) (kyc.Report, error) {
			time.Sleep(70 * time.Second)
			return kyc.Report{}, nil
		}
		ctx, cancel := context.WithTimeout(t.Context(), 80*time.Second)
		defer cancel()
		d.bring(ctx, t, []string{"[" + body("one", time.Now()) + "," + body("two", time.Now()) + "]"}, "a")
		d.wantSteps(t, "one")
	})
}

// TestPullReadsWhatItNeeds: a record's other members may be as strange as they like.
func TestPullReadsWhatItNeeds(t *testing.T) {
	d := newDesk()
	records := []any{}
	for i, strange := range []string{`{}`, `{"a":{"binaryValue":"no Base64","dataType":7}}`, `["a"]`, `"x"`} {
		records = append(records, map[string]any{"messageId": string(rune('a' + i)), "body": body("one", time.Now()), "messageAttributes": json.RawMessage(strange),
			"attributes": json.RawMessage(strange), "md5OfBody": nil, "novel": []int{1}})
	}
	answer, err := d.Invoke(t.Context(), []byte(text(map[string]any{"Records": records})))
	if err != nil || string(answer) != `{"batchItemFailures":[]}` {
		t.Errorf("%s, %v", answer, err)
	}
	d.wantSteps(t, "one", "one", "one", "one")
}

// TestPullRefusesOtherEvents: an error, so that it shows; it says what was expected and repeats nothing.
func TestPullRefusesOtherEvents(t *testing.T) {
	for _, payload := range []string{`{"Records":[]}`, `{"Records":[{"eventSource":"aws:s3","s3":"planted"}]}`, `{"planted":1}`, `[]`, `"planted"`, `planted`, ``} {
		d := newDesk()
		answer, err := d.Invoke(t.Context(), []byte(payload))
		if err == nil || answer != nil || !strings.Contains(err.Error(), "expects an SQS event") || strings.Contains(err.Error()+d.log.String(), "planted") {
			t.Errorf("%s: %s, %v; log %s", payload, answer, err, d.log)
		}
	}
}
