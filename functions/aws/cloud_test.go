package aws_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/kycvault/kycvault/pkg/archive"
	"github.com/kycvault/kycvault/pkg/bucket"
	"github.com/kycvault/kycvault/pkg/bucket/s3bucket"
	"github.com/kycvault/kycvault/pkg/bucket/s3bucket/s3test"
	"github.com/kycvault/kycvault/pkg/faceid/faceidtest"
	"github.com/kycvault/kycvault/pkg/kyc"
	"github.com/kycvault/kycvault/pkg/peertest"
	"github.com/kycvault/kycvault/pkg/platform/aws/lambdatest"
	"github.com/kycvault/kycvault/pkg/platform/aws/samtest"
	"github.com/kycvault/kycvault/pkg/secret"
	"github.com/kycvault/kycvault/pkg/webhook"
)

const (
	visibility = 8 // seconds; the template has six times the pull function's time-out
	receives   = 5 // maxReceiveCount
	workers    = 4 // pull functions at once: MaximumConcurrency
)

// cloud is the system that template.yaml makes: three functions with the environment it gives them, a queue with its dead
// letters, a bucket, a schedule; and the service.
type cloud struct {
	t        *testing.T
	stack    *samtest.Stack
	s3       *peertest.S3
	sqs      *peertest.SQS
	sim      *faceidtest.Running
	queue    *sqs.Client
	url, dlq string
	bucket   bucket.Bucket

	webhook, refetch *function
	pulls            []*function

	mu    sync.Mutex
	spans []span
}

// function is one execution environment, with its ways to the outside.
type function struct {
	*lambdatest.Function
	name    string
	id      string // in the template
	s3, sqs *edge
}

// span is one invocation of a pull function.
type span struct {
	took time.Duration
	body string
}

func newCloud(t *testing.T, sim faceidtest.Config, extra ...string) *cloud {
	t.Helper()
	return newCloudWith(t, nil, sim, extra...)
}

// newCloudWith is newCloud with parameters of the stack beside those that every one has.
func newCloudWith(t *testing.T, parameters map[string]string, sim faceidtest.Config, extra ...string) *cloud {
	t.Helper()
	sim.AppID, sim.Secret = appID, secret.New("planted-app-secret")
	w := &cloud{t: t, stack: deploy(t, parameters), s3: peertest.StartS3(t), sqs: peertest.StartSQS(t), sim: faceidtest.Start(t, sim)}
	kind := s3test.Plain
	if w.stack.Parameters["ObjectLock"] != "none" {
		kind = s3test.Locked
	}
	s3test.MakeBucket(t, w.s3, w.stack.Bucket(), kind)
	w.openBucket()
	w.createQueues()
	w.webhook = w.start("webhook", extra)
	w.refetch = w.start("refetch", extra)
	for range workers {
		w.pulls = append(w.pulls, w.start("pull", extra))
	}
	return w
}

// deploy resolves the template as CloudFormation would.
func deploy(t *testing.T, parameters map[string]string) *samtest.Stack {
	t.Helper()
	template, err := samtest.Load(filepath.Join("..", "..", "template.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]string{"AppId": appID, "SecretName": "kycvault", "Ticket": "own", "BucketName": "kycvault-evidence", "ArchivePrefix": "bank/kyc/"}
	maps.Copy(all, parameters)
	stack, err := template.Resolve(samtest.Options{
		Parameters: all,
		Secrets:    map[string]string{"KYC_SECRET": "planted-app-secret", "KYC_WEBHOOK_KEY": jwtKey, "KYC_SEAL_KEY": sealKey},
	})
	if err != nil {
		t.Fatal(err)
	}
	return stack
}

// openBucket opens the archive beside the functions.
func (w *cloud) openBucket() {
	w.t.Helper()
	b, err := s3bucket.New(s3bucket.Config{
		Bucket: w.stack.Bucket(), Region: w.s3.Region, Endpoint: w.s3.URL, PathStyle: true,
		Credentials: s3test.Credentials(w.s3),
	})
	if err == nil {
		w.bucket, err = bucket.Prefixed(b, w.stack.Prefix())
	}
	if err != nil {
		w.t.Fatal(err)
	}
}

// createQueues makes the queue and its dead-letter queue as the template does.
func (w *cloud) createQueues() {
	w.t.Helper()
	w.queue = sqs.NewFromConfig(awssdk.Config{
		Region: w.sqs.Region, BaseEndpoint: &w.sqs.URL, Credentials: credentials.NewStaticCredentialsProvider("test", "test", ""),
	})
	create := func(name string, attributes map[string]string) string {
		out, err := w.queue.CreateQueue(w.t.Context(), &sqs.CreateQueueInput{QueueName: &name, Attributes: attributes})
		if err != nil {
			w.t.Fatal(err)
		}
		return *out.QueueUrl
	}
	w.dlq = create("steps-dead", nil)
	w.url = create("steps", map[string]string{
		"VisibilityTimeout": fmt.Sprint(visibility),
		"RedrivePolicy":     fmt.Sprintf(`{"deadLetterTargetArn":"arn:aws:sqs:%s:123456789012:steps-dead","maxReceiveCount":"%d"}`, w.sqs.Region, receives),
	})
}

// start starts a function behind edges of its own.
func (w *cloud) start(name string, extra []string) *function {
	w.t.Helper()
	dir, err := binaries()
	if err != nil {
		w.t.Fatal(err)
	}
	f := &function{name: name, id: logicalID(name), s3: newEdge(w.t, w.s3.URL), sqs: newEdge(w.t, w.sqs.URL)}
	set, err := w.stack.Environment(f.id)
	if err != nil {
		w.t.Fatal(err)
	}
	var env []string
	for variable, value := range set {
		if variable == "KYC_ARCHIVE" {
			value += "&path_style=true"
		}
		env = append(env, variable+"="+value)
	}
	env = append(env,
		"TMPDIR="+w.t.TempDir(), "AWS_REGION="+w.s3.Region, "AWS_ACCESS_KEY_ID="+w.s3.AccessKey, "AWS_SECRET_ACCESS_KEY="+w.s3.SecretKey,
		"AWS_ENDPOINT_URL_S3="+f.s3.URL, "AWS_ENDPOINT_URL_SQS="+f.sqs.URL,
		"KYC_BASE_URL="+w.sim.URL, "KYC_QUEUE_URL="+w.url, "KYC_STEP_DELAY=1s", "KYC_REFETCH_EVERY=2s")
	f.Function = lambdatest.Start(w.t, filepath.Join(dir, name), append(env, extra...)...)
	return f
}

// logicalID is a function's name in the template.
func logicalID(name string) string { return strings.ToUpper(name[:1]) + name[1:] + "Function" }

// functions are all of them.
func (w *cloud) functions() []*function { return append([]*function{w.webhook, w.refetch}, w.pulls...) }

// complete calls the function URL as a front end does, and gives the status.
func (w *cloud) complete(order string) int {
	w.t.Helper()
	token, err := webhook.MintToken(secret.New(jwtKey), webhook.JWT, archive.Order(order), time.Hour, time.Now())
	if err != nil {
		w.t.Fatal(err)
	}
	var e events.LambdaFunctionURLRequest
	e.Version, e.RawPath, e.Body = "2.0", "/v1/completions", `{"orderNo":"`+order+`"}`
	e.Headers = map[string]string{"content-type": "application/json", "authorization": "Bearer " + token}
	e.RequestContext.HTTP.Method, e.RequestContext.HTTP.Path = http.MethodPost, e.RawPath
	return w.ask(e)
}

// mischief is what the queue does to messages on their way, by chance.
type mischief struct{ lose, double float64 }

func (mischief) happens(chance float64) bool { return rand.Float64() < chance }

// run plays the event source mapping and the schedule until stop is called.
func (w *cloud) run(m mischief) (stop func()) {
	ctx, cancel := context.WithCancel(w.t.Context())
	var wg sync.WaitGroup
	for _, f := range w.pulls {
		wg.Go(func() {
			for ctx.Err() == nil {
				w.poll(ctx, f, m)
			}
		})
	}
	wg.Go(func() {
		tick := time.NewTicker(2 * time.Second)
		defer tick.Stop()
		for ctx.Err() == nil {
			if _, failed := w.refetch.Invoke(w.t.Context(), []byte(`{}`), timeout); failed != nil {
				w.t.Logf("refetch: %v", failed)
			}
			select {
			case <-tick.C:
			case <-ctx.Done():
			}
		}
	})
	return func() { cancel(); wg.Wait() }
}

// poll takes a message and invokes the pull function with it: batch size 1, partial batch response.
func (w *cloud) poll(ctx context.Context, f *function, m mischief) {
	out, err := w.queue.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{
		QueueUrl: &w.url, MaxNumberOfMessages: 1, WaitTimeSeconds: 1,
		AttributeNames: []types.QueueAttributeName{types.QueueAttributeNameAll}, //nolint:staticcheck // what the test server knows
	})
	if err != nil || len(out.Messages) == 0 {
		return
	}
	msg := out.Messages[0]
	if m.happens(m.lose) {
		w.acknowledge(msg)
		return
	}
	if m.happens(m.double) {
		w.send(*msg.Body)
	}
	began := time.Now()
	data, failed := f.Invoke(w.t.Context(), sqsEvent(msg), timeout)
	w.mu.Lock()
	w.spans = append(w.spans, span{time.Since(began), *msg.Body})
	w.mu.Unlock()
	if failed != nil { // it comes again after the visibility time-out
		w.t.Logf("pull: %v", failed)
		return
	}
	var answer events.SQSEventResponse
	if err := json.Unmarshal(data, &answer); err != nil {
		w.t.Errorf("pull answered %q", data)
	}
	if len(answer.BatchItemFailures) == 0 {
		w.acknowledge(msg)
	}
}

func sqsEvent(msg types.Message) []byte {
	event, err := json.Marshal(events.SQSEvent{Records: []events.SQSMessage{{
		MessageId: *msg.MessageId, ReceiptHandle: *msg.ReceiptHandle, Body: *msg.Body, Attributes: msg.Attributes,
		EventSource: "aws:sqs", EventSourceARN: "arn:aws:sqs:us-east-1:123456789012:steps", AWSRegion: "us-east-1",
	}}})
	if err != nil {
		panic(err)
	}
	return event
}

func (w *cloud) acknowledge(msg types.Message) {
	if _, err := w.queue.DeleteMessage(context.WithoutCancel(w.t.Context()), &sqs.DeleteMessageInput{QueueUrl: &w.url, ReceiptHandle: msg.ReceiptHandle}); err != nil {
		w.t.Errorf("acknowledge: %v", err)
	}
}

func (w *cloud) send(body string) {
	if _, err := w.queue.SendMessage(context.WithoutCancel(w.t.Context()), &sqs.SendMessageInput{QueueUrl: &w.url, MessageBody: &body}); err != nil {
		w.t.Errorf("send: %v", err)
	}
}

// wait waits until every order is archived and no marker is left.
func (w *cloud) wait(within time.Duration, orders ...string) {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.t.Context(), within)
	defer cancel()
	vault := archive.New(w.bucket)
	q := kyc.Orders{Archive: vault}
	for _, o := range orders {
		for {
			st, err := q.Status(w.t.Context(), archive.Order(o))
			seen, markErr := vault.Markers(w.t.Context(), archive.Order(o))
			if err == nil && markErr == nil && st.State == kyc.StateArchived && len(seen.Marks()) == 0 {
				break
			}
			if ctx.Err() != nil {
				w.t.Fatalf("order %s is %q with markers %v: %v %v\n%s", o, st.State, seen.Marks(), err, markErr, w.logs())
			}
			time.Sleep(50 * time.Millisecond)
		}
	}
}

// verify judges the archive.
func (w *cloud) verify() {
	w.t.Helper()
	vault := archive.New(w.bucket)
	if _, err := vault.Verify(w.t.Context(), func(d archive.Damage) { w.t.Errorf("damage: %+v", d) }); err != nil {
		w.t.Error(err)
	}
	for _, where := range []string{archive.ScanPending, archive.ScanRetry, archive.ScanQuiet} {
		for l, err := range vault.Scan(w.t.Context(), where) {
			w.t.Errorf("left in %s: %v %v", where, l.Mark, err)
		}
	}
}

// depth counts the messages of a queue, those that wait, are delayed or are out.
func (w *cloud) depth(url string) string {
	w.t.Helper()
	out, err := w.queue.GetQueueAttributes(w.t.Context(), &sqs.GetQueueAttributesInput{QueueUrl: &url, AttributeNames: []types.QueueAttributeName{types.QueueAttributeNameAll}})
	if err != nil {
		w.t.Fatal(err)
	}
	return out.Attributes["ApproximateNumberOfMessages"]
}

// logs are what the functions have written, the ends only.
func (w *cloud) logs() string {
	var all bytes.Buffer
	for _, f := range w.functions() {
		text := f.Logs()
		lines := strings.Split(strings.TrimSpace(text), "\n")
		fmt.Fprintf(&all, "--- %s\n%s\n", f.name, strings.Join(lines[max(0, len(lines)-15):], "\n"))
	}
	return all.String()
}

// s3Calls are all requests that functions made to S3.
func (w *cloud) s3Calls() []call {
	var all []call
	for _, f := range w.functions() {
		all = append(all, f.s3.seen()...)
	}
	return all
}

// asIAM reads a function's requests as IAM judges them.
func (w *cloud) asIAM(f *function) (all []samtest.Call) {
	w.t.Helper()
	for _, c := range f.s3.seen() {
		calls, err := w.stack.S3Calls(c.method, c.url, c.header)
		if err != nil {
			w.t.Fatal(err)
		}
		all = append(all, calls...)
	}
	for _, c := range f.sqs.seen() {
		asked, err := w.stack.SQSCall(c.header.Get("X-Amz-Target"))
		if err != nil {
			w.t.Fatal(err)
		}
		all = append(all, asked)
	}
	return all
}
