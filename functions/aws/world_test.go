// Package aws_test replays events/aws through the compiled functions: a runtime API, an S3 server, an SQS server and the fake
// face check service are around them, all over real HTTP.
//
// In the events, {{token ORDER}} stands for a JWT for the order, and {{sign ORDER}} for the signature that the service puts on the
// H5 redirect; both must be fresh, and events.Fill makes them. For `sam local invoke -e`, put one in by hand: `kycvault token ORDER` prints
// a token, `kycvault sign APPID ORDER TICKET CODE` a signature. In {{…}} there is nothing else.
package aws_test

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/kycvault/kycvault/events"
	"github.com/kycvault/kycvault/pkg/archive"
	"github.com/kycvault/kycvault/pkg/bucket"
	"github.com/kycvault/kycvault/pkg/bucket/s3bucket"
	"github.com/kycvault/kycvault/pkg/faceid/faceidtest"
	"github.com/kycvault/kycvault/pkg/kyc"
	"github.com/kycvault/kycvault/pkg/peertest"
	"github.com/kycvault/kycvault/pkg/platform/aws/lambdatest"
	"github.com/kycvault/kycvault/pkg/secret"
)

const (
	appID   = "TIDA0001"
	jwtKey  = "planted-webhook-key-0123456789abcdef"
	opening = "06h0jj61jg0i7k0tk96e9k3vfg" // of the messages in the events
	timeout = 30 * time.Second
)

// planted may stand in no log line and no answer.
var planted = []string{"planted", jwtKey}

// binaries compiles the functions once, as template.yaml's build does but for this machine.
var binaries = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "kycvault-functions-")
	if err != nil {
		return "", err
	}
	cmd := exec.Command("go", "build", "-tags", "lambda.norpc", "-trimpath", "-ldflags", "-s -w", "-o", dir, "./webhook", "./pull", "./refetch")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return dir, &buildError{string(out)}
	}
	return dir, nil
})

type buildError struct{ output string }

func (e *buildError) Error() string { return "build functions: " + e.output }

func TestMain(m *testing.M) {
	code := m.Run()
	if dir, _ := binaries(); dir != "" {
		_ = os.RemoveAll(dir)
	}
	os.Exit(code)
}

// world is an account: a bucket, a queue, the service, and what the functions are told of them.
type world struct {
	t        *testing.T
	archive  *archive.Archive
	queue    *sqs.Client
	queueURL string
	service  *faceidtest.Running
	env      []string
	fns      map[string]*lambdatest.Function
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{t: t, fns: map[string]*lambdatest.Function{}}
	store, queues := peertest.StartS3(t), peertest.StartSQS(t)
	w.service = faceidtest.Start(t, faceidtest.Config{AppID: appID, Secret: secret.New("planted-app-secret"), MediaAfter: -1})
	w.makeBucket(store)
	w.makeQueue(queues)
	w.env = []string{
		"KYC_APP_ID=" + appID, "KYC_SECRET=planted-app-secret", "KYC_BASE_URL=" + w.service.URL, "KYC_TICKET=own",
		"KYC_ARCHIVE=s3://vault/kyc?path_style=true", "AWS_ENDPOINT_URL_S3=" + store.URL, "KYC_WEBHOOK_KEY=" + jwtKey,
		"KYC_QUEUE_URL=" + w.queueURL, "AWS_ENDPOINT_URL_SQS=" + queues.URL, "KYC_METRICS=kycvault/test",
		"AWS_ACCESS_KEY_ID=" + store.AccessKey, "AWS_SECRET_ACCESS_KEY=" + store.SecretKey,
	}
	return w
}

func (w *world) makeBucket(server *peertest.S3) {
	w.t.Helper()
	who := credentials.NewStaticCredentialsProvider(server.AccessKey, server.SecretKey, "")
	admin := s3.New(s3.Options{Region: server.Region, Credentials: who, BaseEndpoint: &server.URL, UsePathStyle: true})
	if _, err := admin.CreateBucket(w.t.Context(), &s3.CreateBucketInput{Bucket: aws.String("vault")}); err != nil {
		w.t.Fatal(err)
	}
	b, err := s3bucket.New(s3bucket.Config{Bucket: "vault", Region: server.Region, Credentials: who, Endpoint: server.URL, PathStyle: true})
	if err != nil {
		w.t.Fatal(err)
	}
	below, err := bucket.Prefixed(b, "kyc")
	if err != nil {
		w.t.Fatal(err)
	}
	w.archive = archive.New(below)
}

func (w *world) makeQueue(server *peertest.SQS) {
	w.t.Helper()
	w.queue = sqs.New(sqs.Options{Region: server.Region, BaseEndpoint: &server.URL, Credentials: credentials.NewStaticCredentialsProvider("a", "b", "")})
	out, err := w.queue.CreateQueue(w.t.Context(), &sqs.CreateQueueInput{QueueName: aws.String("steps")})
	if err != nil {
		w.t.Fatal(err)
	}
	w.queueURL = *out.QueueUrl
}

// fn is the function of a name, started when it is first asked for; env goes before the world's.
func (w *world) fn(name string, env ...string) *lambdatest.Function {
	w.t.Helper()
	if w.fns[name] == nil {
		dir, err := binaries()
		if err != nil {
			w.t.Fatal(err)
		}
		w.fns[name] = lambdatest.Start(w.t, filepath.Join(dir, name), append(w.env, env...)...)
	}
	return w.fns[name]
}

// replay gives the function that a file of events/aws is named after that event.
func (w *world) replay(file string) ([]byte, *lambdatest.Error) {
	w.t.Helper()
	payload, err := os.ReadFile(filepath.Join("..", "..", "events", "aws", file))
	if err != nil {
		w.t.Fatal(err)
	}
	name, _, _ := strings.Cut(file, "-")
	return w.fn(name).Invoke(w.t.Context(), events.Fill(w.t, payload, w.service, jwtKey), timeout)
}

// open makes the marker of an order, as a completion does; the opening is that of the events.
func (w *world) open(orders ...archive.Order) {
	w.t.Helper()
	for _, o := range orders {
		if err := w.archive.OpenMarker(w.t.Context(), archive.Mark{Order: o, Opening: opening}, archive.Marker{By: "test", At: time.Now()}); err != nil {
			w.t.Fatal(err)
		}
	}
}

// state is what the archive says of an order, "" if it knows nothing.
func (w *world) state(o archive.Order) kyc.State {
	w.t.Helper()
	st, _ := kyc.Orders{Archive: w.archive}.Status(w.t.Context(), o)
	return st.State
}

// message takes one message out of the queue, after its delay.
func (w *world) message() string {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.t.Context(), timeout)
	defer cancel()
	for {
		out, err := w.queue.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{QueueUrl: &w.queueURL, WaitTimeSeconds: 1})
		if err != nil {
			w.t.Fatalf("no message came: %v", err)
		}
		if len(out.Messages) == 0 {
			continue
		}
		m := out.Messages[0]
		if _, err := w.queue.DeleteMessage(ctx, &sqs.DeleteMessageInput{QueueUrl: &w.queueURL, ReceiptHandle: m.ReceiptHandle}); err != nil {
			w.t.Fatal(err)
		}
		return *m.Body
	}
}

// event makes an SQS event of messages' bodies.
func event(bodies ...string) []byte {
	type record struct {
		ID   string `json:"messageId"`
		Body string `json:"body"`
	}
	var records []record
	for i, b := range bodies {
		records = append(records, record{string(rune('a' + i)), b})
	}
	data, _ := json.Marshal(map[string]any{"Records": records}) // strings always can be
	return data
}

// checkLogs wants JSON lines only, from all functions, and no secret in them.
func (w *world) checkLogs() {
	w.t.Helper()
	for name, fn := range w.fns {
		logs := fn.Logs()
		for line := range strings.Lines(logs) {
			if !json.Valid([]byte(line)) {
				w.t.Errorf("%s wrote a line that is no JSON: %s", name, line)
			}
		}
		for _, s := range append(planted, "/9j/", "eyJhbGciOi") { // a photo's Base64, a JWT's
			if strings.Contains(logs, s) {
				w.t.Errorf("%s logs %q:\n%s", name, s, logs)
			}
		}
		if ticket, ok := w.service.Ticket(); ok && strings.Contains(logs, ticket.Reveal()) {
			w.t.Errorf("%s logs the ticket", name)
		}
	}
}

// metric adds up what a function wrote of a metric.
func (w *world) metric(name, metric string) (sum float64) {
	for _, value := range w.fn(name).Metric(metric) {
		sum += value
	}
	return sum
}

// wantResponse reads a webhook's response.
func (w *world) response(answer []byte, failed *lambdatest.Error) (r struct {
	StatusCode int
	Headers    map[string]string
	Body       string
}) {
	w.t.Helper()
	if failed != nil {
		w.t.Fatalf("the function failed: %v\n%s", failed, w.fn("webhook").Logs())
	}
	if err := json.Unmarshal(answer, &r); err != nil || http.StatusText(r.StatusCode) == "" {
		w.t.Fatalf("answer %s: %v", answer, err)
	}
	for _, s := range planted {
		if bytes.Contains(answer, []byte(s)) {
			w.t.Errorf("the answer shows %q: %s", s, answer)
		}
	}
	return r
}
