package main

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/kycvault/kycvault/pkg/delay/sqs"
	"github.com/kycvault/kycvault/pkg/peertest"
	"github.com/kycvault/kycvault/pkg/platform"
)

// askSQS makes a call of the SQS server.
func askSQS(t *testing.T, server *peertest.SQS, action string, in map[string]any) (url string) {
	t.Helper()
	body, err := json.Marshal(in)
	if err != nil {
		t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, server.URL, strings.NewReader(string(body)))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-amz-json-1.0")
	req.Header.Set("X-Amz-Target", "AmazonSQS."+action)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	var out struct {
		QueueURL string `json:"QueueUrl"`
	}
	if err := json.NewDecoder(res.Body).Decode(&out); err != nil || res.StatusCode != http.StatusOK {
		t.Fatalf("%s: %d, %v", action, res.StatusCode, err)
	}
	return out.QueueURL
}

// TestDoctorLooksAtTheQueue asks a real SQS server, with the credentials that the operator's environment has.
func TestDoctorLooksAtTheQueue(t *testing.T) {
	server := peertest.StartSQS(t)
	for name, value := range map[string]string{
		"AWS_REGION": server.Region, "AWS_ACCESS_KEY_ID": "planted", "AWS_SECRET_ACCESS_KEY": "planted", "AWS_EC2_METADATA_DISABLED": "true", "HOME": t.TempDir(),
	} {
		t.Setenv(name, value)
	}
	dead := askSQS(t, server, "CreateQueue", map[string]any{"QueueName": "dead"})
	good := askSQS(t, server, "CreateQueue", map[string]any{"QueueName": "good", "Attributes": map[string]string{
		"VisibilityTimeout": "3600", "MessageRetentionPeriod": "86400",
		"RedrivePolicy": `{"deadLetterTargetArn":"arn:aws:sqs:us-east-1:000000000000:dead","maxReceiveCount":5}`,
	}})
	plain := askSQS(t, server, "CreateQueue", map[string]any{"QueueName": "plain"})
	look := func(url string, every time.Duration) []string {
		cfg := platform.Config{QueueURL: url, SQSEndpoint: server.URL, Workers: 2, RefetchEvery: every}
		return examined(func(d *doctor) { d.queue(t.Context(), cfg) })
	}
	want := func(name string, got []string, want ...string) {
		t.Helper()
		if !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	want("as the template has it", look(good, time.Minute), "ok queue", "ok queue's visibility", "ok queue's retention", "ok dead-letter queue", "ok dead letters")
	want("by its name alone", look(plain, time.Minute), "ok queue", "warning queue's visibility", "ok queue's retention", "warning dead-letter queue")
	want("not there", look(strings.Replace(good, "/good", "/gone", 1), time.Minute), "bad queue")
	want("none is set", look("", time.Minute))
	for range 2 {
		askSQS(t, server, "SendMessage", map[string]any{"QueueUrl": good, "MessageBody": "x"})
		askSQS(t, server, "SendMessage", map[string]any{"QueueUrl": dead, "MessageBody": "x"})
	}
	want("nobody takes messages", look(good, time.Second), "bad queue", "ok queue's visibility", "ok queue's retention", "ok dead-letter queue", "warning dead letters")
}

// TestDoctorJudgesAQueue: what the server here has no way to show.
func TestDoctorJudgesAQueue(t *testing.T) {
	t.Parallel()
	cfg := platform.Config{RefetchEvery: 5 * time.Minute, Workers: 10}
	for name, c := range map[string]struct {
		got  finding
		want string
	}{
		"pull does not keep up":  {depth(sqs.About{Ready: 5000, UnderWay: 10, Work: 1000 * time.Second}, cfg), levelWarning},
		"all is under way":       {depth(sqs.About{UnderWay: 5000}, cfg), levelOK},
		"shorter than six times": {visibility(sqs.About{Visibility: time.Hour - time.Second}), levelWarning},
		"shorter than a step":    {visibility(sqs.About{Visibility: 30 * time.Second}), levelWarning},
		"gone before it is due":  {retention(sqs.About{Retention: 15 * time.Minute, Visibility: time.Second}), levelBad},
		"gone before it is dead": {retention(sqs.About{Retention: 5 * time.Hour, Visibility: time.Hour, DeadLetters: sqs.DeadLetters{Receives: 5}}), levelWarning},
		"one try":                {redrive(sqs.About{DeadLetters: sqs.DeadLetters{Queue: "dead", Receives: 1}}), levelWarning},
		"dead letters not told":  {deadLetters(sqs.About{DeadLetters: sqs.DeadLetters{Queue: "dead", Unknown: sqs.ErrNoRight}}), levelInfo},
		"no right":               {unseen(sqs.ErrNoRight), levelWarning},
	} {
		if c.got.Level != c.want || c.want != levelOK && c.got.Means == "" || c.want == levelWarning && c.got.Do == "" {
			t.Errorf("%s: %+v, want %s", name, c.got, c.want)
		}
	}
}
