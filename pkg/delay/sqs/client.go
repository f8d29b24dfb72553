package sqs

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
)

const (
	// A call is tried three times of at most three seconds, with pauses that grow: a webhook that waits for it can still
	// answer in time.
	callTime   = 3 * time.Second
	tries      = 3
	firstPause = 200 * time.Millisecond

	maxAnswer = 1 << 20 // answers are a few hundred bytes
	maxTrace  = 1 << 10 // a trace is some hundred
)

// client makes the three calls that are needed, in SQS's JSON protocol ("Amazon SQS API Reference", AWS JSON protocol). The
// SDK's own client knows thirty, and reads a schema of them all at each start of a process: an eighth of a cold start.
type client struct {
	endpoint    string // an origin
	region      string
	credentials aws.CredentialsProvider
	now         func() time.Time
	http        *http.Client
	signer      *v4.Signer
}

// newHTTP makes an HTTP client for one host. A frozen function finds its connections closed when it thaws: then a call is
// tried again on a new one.
func newHTTP() *http.Client {
	return &http.Client{Timeout: callTime, Transport: &http.Transport{
		Proxy:               http.ProxyFromEnvironment,
		DialContext:         (&net.Dialer{Timeout: 2 * time.Second, KeepAlive: 30 * time.Second}).DialContext,
		TLSHandshakeTimeout: 2 * time.Second,
		MaxIdleConnsPerHost: 4,
		IdleConnTimeout:     50 * time.Second, // below the minute after which many a gateway drops a silent connection
	}}
}

// answerError is an answer that is not a success. It has nothing of the other side's text, which may repeat a message.
type answerError struct {
	status int
	code   string // "" is none, or none that could be one
}

// Error implements error.
func (e *answerError) Error() string {
	return "answer " + strings.TrimSpace(fmt.Sprintf("%d %s", e.status, e.code))
}

// call makes a request, and again where that may help. out takes the answer.
func (c *client) call(ctx context.Context, action string, in, out any) error {
	body, err := json.Marshal(in)
	if err != nil {
		return fmt.Errorf("encode request: %w", err)
	}
	for try := 1; ; try++ {
		err := c.once(ctx, action, body, out)
		if err == nil || try == tries || !mayPass(err) || wait(ctx, firstPause<<(try-1)) != nil {
			return err
		}
	}
}

// mayPass tells whether the same request may go well the next time.
func mayPass(err error) bool {
	if errors.Is(err, errCredentials) {
		return false
	}
	answer, ok := errors.AsType[*answerError](err)
	return !ok || answer.status >= http.StatusInternalServerError || answer.status == http.StatusTooManyRequests || isThrottle(answer.code)
}

var errCredentials = errors.New("get credentials")

// once makes one request.
func (c *client) once(ctx context.Context, action string, body []byte, out any) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.endpoint+"/", bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("make request: %w", err)
	}
	req.Header.Set("Content-Type", "application/x-amz-json-1.0")
	req.Header.Set("X-Amz-Target", "AmazonSQS."+action)
	trace(ctx, req)
	if err := c.sign(ctx, req, body); err != nil {
		return err
	}
	res, err := c.http.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = res.Body.Close() }()
	answer, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer))
	if err != nil {
		return fmt.Errorf("read answer: %w", err)
	}
	if res.StatusCode != http.StatusOK {
		return &answerError{status: res.StatusCode, code: codeOf(answer)}
	}
	if err := json.Unmarshal(answer, out); err != nil {
		return errors.New("the answer is not what SQS says") // without a part of it
	}
	return nil
}

// trace passes on the trace that Lambda gave with the event, as the SDKs do: SQS puts it beside the message, and Lambda counts
// by it how long a chain is ("Use Lambda recursive loop detection"). So a fault of ours that never ended would end there, and
// not on the bill. It is not signed; a proxy may change it.
func trace(ctx context.Context, req *http.Request) {
	id, _ := ctx.Value("x-amzn-trace-id").(string) // where aws-lambda-go puts it
	if id != "" && len(id) <= maxTrace && !strings.ContainsFunc(id, notGraphic) {
		req.Header.Set("X-Amzn-Trace-Id", id)
	}
}

func notGraphic(c rune) bool { return c <= ' ' || c > '~' }

// sign signs a request ("Signature Version 4").
func (c *client) sign(ctx context.Context, req *http.Request, body []byte) error {
	who, err := c.credentials.Retrieve(ctx)
	if err != nil {
		return fmt.Errorf("%w: %w", errCredentials, err)
	}
	sum := sha256.Sum256(body)
	if err := c.signer.SignHTTP(ctx, who, req, hex.EncodeToString(sum[:]), "sqs", c.region, c.now()); err != nil {
		return fmt.Errorf("sign request: %w", err)
	}
	return nil
}

// codeOf reads the code of an error answer.
func codeOf(answer []byte) string {
	var e struct {
		Type string `json:"__type"`
	}
	_ = json.Unmarshal(answer, &e) // another shape has no code
	return plainCode(e.Type)
}

// wait waits for some time, or until ctx ends.
func wait(ctx context.Context, long time.Duration) error {
	t := time.NewTimer(long)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}
