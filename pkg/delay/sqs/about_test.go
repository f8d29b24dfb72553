package sqs_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	amazon "github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/google/go-cmp/cmp"

	"github.com/kycvault/kycvault/pkg/delay/sqs"
)

// create makes one more queue.
func (q *queue) create(name string, attributes map[string]string) (url string) {
	q.t.Helper()
	out, err := q.client.CreateQueue(q.t.Context(), &amazon.CreateQueueInput{QueueName: &name, Attributes: attributes})
	if err != nil {
		q.t.Fatal(err)
	}
	return *out.QueueUrl
}

// TestAbout: what the real server says of a queue as the template makes it, and of one that is made with a name alone.
func TestAbout(t *testing.T) {
	q := open(t)
	dead, body := q.create("dead", nil), "a dead letter"
	url := q.create("good", map[string]string{
		"VisibilityTimeout": "3600", "MessageRetentionPeriod": "86400",
		"RedrivePolicy": `{"deadLetterTargetArn":"arn:aws:sqs:us-east-1:000000000000:dead","maxReceiveCount":5}`,
	})
	if _, err := q.client.SendMessage(t.Context(), &amazon.SendMessageInput{QueueUrl: &dead, MessageBody: &body}); err != nil {
		t.Fatal(err)
	}
	d := q.delayer(func(c *sqs.Config) { c.QueueURL, c.Workers = url, 4 })
	if err := d.Delay(t.Context(), append(messages(6, false), message(7, epoch.Add(time.Hour)))...); err != nil {
		t.Fatal(err)
	}
	got, err := d.About(t.Context())
	for end := time.Now().Add(10 * time.Second); err == nil && got.Ready != 6 && time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		got, err = d.About(t.Context()) // the server makes messages without a delay ready a moment later
	}
	want := sqs.About{
		Ready: 6, Delayed: 1, Work: 3 * time.Second, Visibility: time.Hour, Retention: 24 * time.Hour,
		DeadLetters: sqs.DeadLetters{Queue: "dead", Receives: 5, Dead: 1},
	}
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("%v, -want +got:\n%s", err, diff)
	}
	got, err = q.delayer(nil).About(t.Context())
	want = sqs.About{Visibility: 30 * time.Second, Retention: 4 * 24 * time.Hour}
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("by default: %v, -want +got:\n%s", err, diff)
	}
}

// TestAboutDeadLettersUnknown: who may not ask the one queue hears of the other.
func TestAboutDeadLettersUnknown(t *testing.T) {
	q := open(t)
	url := q.create("good", map[string]string{"RedrivePolicy": `{"deadLetterTargetArn":"arn:aws:sqs:us-east-1:000000000000:steps","maxReceiveCount":"3"}`})
	q.harm = func(n int, w http.ResponseWriter, _ request) bool {
		if n == 1 {
			return false
		}
		w.WriteHeader(http.StatusBadRequest)
		_ = json.NewEncoder(w).Encode(map[string]string{"__type": "com.amazon.coral.service#AccessDeniedException"})
		return true
	}
	got, err := q.delayer(func(c *sqs.Config) { c.QueueURL = url }).About(t.Context())
	if err != nil || got.Queue != "steps" || got.Receives != 3 || !errors.Is(got.Unknown, sqs.ErrNoRight) || !strings.Contains(got.Unknown.Error(), "ask dead-letter queue steps:") {
		t.Errorf("%+v, %v", got, err)
	}
	if _, err := q.delayer(nil).About(t.Context()); !errors.Is(err, sqs.ErrNoRight) || !strings.Contains(err.Error(), "sqs:GetQueueAttributes") {
		t.Errorf("%v", err)
	}
}

// TestAboutUnreadable: an answer that lacks what it must have is no good news.
func TestAboutUnreadable(t *testing.T) {
	q := open(t)
	for answer, want := range map[string]string{
		`{}`: "it tells no ApproximateNumberOfMessages",
		`{"Attributes":{"ApproximateNumberOfMessages":"1","ApproximateNumberOfMessagesDelayed":"1","ApproximateNumberOfMessagesNotVisible":"1",
			"VisibilityTimeout":"30","MessageRetentionPeriod":"60","RedrivePolicy":"planted"}}`: "its RedrivePolicy can not be read",
	} {
		q.harm = func(_ int, w http.ResponseWriter, _ request) bool { _, _ = w.Write([]byte(answer)); return true }
		if _, err := q.delayer(nil).About(t.Context()); err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "planted") || errors.Is(err, sqs.ErrNoRight) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}

func TestRegionOf(t *testing.T) {
	for url, want := range map[string]string{
		"https://sqs.eu-west-1.amazonaws.com/123456789012/steps": "eu-west-1", "https://sqs.cn-north-1.amazonaws.com.cn/123456789012/steps": "cn-north-1",
		"http://127.0.0.1:9324/000000000000/steps": "", "https://sqs.example.com/1/steps": "", "https://queue.amazonaws.com/1/steps": "", "steps": "",
	} {
		if got := sqs.RegionOf(url); got != want {
			t.Errorf("%s is in %q, want %q", url, got, want)
		}
	}
}
