package sqs_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/credentials"
	amazon "github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/kycvault/kycvault/pkg/archive"
	"github.com/kycvault/kycvault/pkg/delay/sqs"
	"github.com/kycvault/kycvault/pkg/kyc"
	"github.com/kycvault/kycvault/pkg/peertest"
)

// epoch is when every test happens.
var epoch = time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)

// keys are planted: no message may hold them.
var keys = credentials.NewStaticCredentialsProvider("planted-id", "planted-secret", "planted-session")

// request is what the proxy saw.
type request struct {
	Action  string `json:"-"`
	Trace   string `json:"-"`
	Body    string `json:"MessageBody"`
	Delay   int    `json:"DelaySeconds"`
	Entries []struct {
		ID    string `json:"Id"`
		Body  string `json:"MessageBody"`
		Delay int    `json:"DelaySeconds"`
	}
}

// queue is a queue of the real server, behind a proxy that keeps requests and can be told to do harm.
type queue struct {
	t       *testing.T
	client  *amazon.Client
	url     string
	proxy   *httptest.Server
	backend string

	mu       sync.Mutex
	requests []request
	harm     func(n int, w http.ResponseWriter, r request) bool // true: it has answered
	fail     func(n int, body string) (code string, fault bool) // of an entry: "" is no failure
}

// open makes a queue.
func open(t *testing.T) *queue {
	t.Helper()
	server := peertest.StartSQS(t)
	q := &queue{t: t, backend: server.URL, client: amazon.New(amazon.Options{Region: server.Region, Credentials: keys, BaseEndpoint: &server.URL})}
	name := "steps"
	out, err := q.client.CreateQueue(t.Context(), &amazon.CreateQueueInput{QueueName: &name})
	if err != nil {
		t.Fatal(err)
	}
	q.url = *out.QueueUrl
	return q.behindProxy(t)
}

// behindProxy gives the same queue behind a proxy of its own, for a test whose requests do not reach the queue: a server takes
// long to start.
func (q *queue) behindProxy(t *testing.T) *queue {
	other := &queue{t: t, client: q.client, url: q.url, backend: q.backend}
	other.proxy = httptest.NewServer(other)
	t.Cleanup(other.proxy.Close)
	return other
}

// delayer makes a delayer for the queue, through the proxy.
func (q *queue) delayer(change func(*sqs.Config)) *sqs.Delayer {
	q.t.Helper()
	c := sqs.Config{QueueURL: q.url, Region: "us-east-1", Credentials: keys, Endpoint: q.proxy.URL, Now: func() time.Time { return epoch }}
	if change != nil {
		change(&c)
	}
	d, err := sqs.New(c)
	if err != nil {
		q.t.Fatal(err)
	}
	return d
}

// ServeHTTP passes a request on, without the entries that are to fail, and adds those to the answer.
func (q *queue) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		q.t.Error(err)
	}
	_, action, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
	seen := request{Action: action, Trace: r.Header.Get("X-Amzn-Trace-Id")}
	if err := json.Unmarshal(body, &seen); err != nil {
		q.t.Error(err)
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	q.requests = append(q.requests, seen)
	n := len(q.requests)
	if q.harm != nil && q.harm(n, w, seen) {
		return
	}
	failed := []map[string]any{}
	if q.fail != nil {
		body, failed = q.without(n, body, seen)
	}
	q.forward(w, r, body, failed)
}

// without takes the entries out of a batch that are to fail.
func (q *queue) without(n int, body []byte, seen request) ([]byte, []map[string]any) {
	var whole map[string]any
	if err := json.Unmarshal(body, &whole); err != nil {
		q.t.Error(err)
	}
	var failed []map[string]any
	var kept []any
	for i, e := range seen.Entries {
		if code, fault := q.fail(n, e.Body); code != "" {
			failed = append(failed, map[string]any{"Id": e.ID, "Code": code, "SenderFault": fault, "Message": "planted " + e.Body})
			continue
		}
		kept = append(kept, whole["Entries"].([]any)[i])
	}
	whole["Entries"] = kept
	changed, err := json.Marshal(whole)
	if err != nil {
		q.t.Error(err)
	}
	return changed, failed
}

func (q *queue) forward(w http.ResponseWriter, r *http.Request, body []byte, failed []map[string]any) {
	answer := map[string]any{}
	var sent request
	_ = json.Unmarshal(body, &sent)
	if len(failed) == 0 || len(sent.Entries) > 0 {
		req, err := http.NewRequestWithContext(r.Context(), r.Method, q.backend+r.URL.Path, bytes.NewReader(body))
		if err != nil {
			q.t.Error(err)
			return
		}
		req.Header = r.Header.Clone()
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			q.t.Error(err)
			return
		}
		defer func() { _ = res.Body.Close() }()
		if res.StatusCode != http.StatusOK {
			for name, values := range res.Header {
				w.Header()[name] = values
			}
			w.WriteHeader(res.StatusCode)
			_, _ = io.Copy(w, res.Body)
			return
		}
		if err := json.NewDecoder(res.Body).Decode(&answer); err != nil {
			q.t.Error(err)
		}
	}
	if len(failed) > 0 {
		answer["Failed"] = failed
	}
	w.Header().Set("Content-Type", "application/x-amz-json-1.0")
	_ = json.NewEncoder(w).Encode(answer)
}

// asked gives the requests so far.
func (q *queue) asked() []request {
	q.mu.Lock()
	defer q.mu.Unlock()
	return slices.Clone(q.requests)
}

// delays gives the delays that were asked for, in the order of sending.
func (q *queue) delays() (all []int) {
	for _, r := range q.asked() {
		if r.Action == "SendMessage" {
			all = append(all, r.Delay)
		}
		for _, e := range r.Entries {
			all = append(all, e.Delay)
		}
	}
	return all
}

// waiting are the orders in the queue, however long their delay, each as often as it is there. It asks for how many there are.
func (q *queue) depth() (total int) {
	q.t.Helper()
	out, err := q.client.GetQueueAttributes(q.t.Context(), &amazon.GetQueueAttributesInput{QueueUrl: &q.url, AttributeNames: []types.QueueAttributeName{"All"}})
	if err != nil {
		q.t.Fatal(err)
	}
	for _, name := range []string{"ApproximateNumberOfMessages", "ApproximateNumberOfMessagesDelayed"} {
		var n int
		if err := json.Unmarshal([]byte(out.Attributes[name]), &n); err != nil {
			q.t.Fatal(err)
		}
		total += n
	}
	return total
}

// receive takes a message out of the queue, and reads it as the pull function does.
func (q *queue) receive(ctx context.Context) kyc.Message {
	q.t.Helper()
	for ctx.Err() == nil {
		out, err := q.client.ReceiveMessage(ctx, &amazon.ReceiveMessageInput{QueueUrl: &q.url, WaitTimeSeconds: 1})
		if err != nil {
			q.t.Fatal(err)
		}
		for _, m := range out.Messages {
			msgs, err := kyc.ParseMessages([]byte(*m.Body))
			if err != nil {
				q.t.Fatal(err)
			}
			return msgs[0]
		}
	}
	q.t.Fatal("no message came")
	return kyc.Message{}
}

// message is a step message of the nth order.
func message(n int, at time.Time) kyc.Message {
	order := archive.Order("order" + string(rune('A'+n/26)) + string(rune('a'+n%26)))
	return kyc.Message{V: 1, Order: order, Opening: "06h0jj61jg0i7k0tk96e9k3vfg", Attempt: 1, NotBefore: at.UTC()}
}

// messages are n of them, due now.
func messages(n int, single bool) []kyc.Message {
	all := make([]kyc.Message, n)
	for i := range all {
		all[i] = message(i, epoch)
		all[i].Single = single
	}
	return all
}
