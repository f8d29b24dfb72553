package samtest_test

import (
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/kycvault/kycvault/pkg/platform/aws/samtest"
)

// metrics are what the functions print, without dimensions, into KYC_METRICS.
var metrics = []string{
	"Accepted", "Archived", "Partial", "Unavailable", "Expired", "SecondsToArchive", "Bytes", "TicketRefreshes",
	"Waiting", "AtRisk", "OldestSeconds", "Dropped",
}

// cloud are Amazon's metrics that are used here ("Available CloudWatch metrics for Amazon SQS", "Types of metrics for Lambda
// functions", "Monitoring Lambda function URLs").
var cloud = map[string][]string{
	"AWS/SQS": {"ApproximateNumberOfMessagesVisible", "ApproximateAgeOfOldestMessage"},
	"AWS/Lambda": {"Invocations", "Errors", "Throttles", "Duration", "ConcurrentExecutions", "AsyncEventsDropped",
		"UrlRequestCount", "Url4xxCount", "Url5xxCount", "UrlRequestLatency"},
}

// exists tells whether something brings a metric: the functions, the stack's own filters, or Amazon.
func exists(s *samtest.Stack, namespace, name string) bool {
	if namespace != "kycvault/"+samtest.StackName {
		return slices.Contains(cloud[namespace], name)
	}
	return slices.Contains(metrics, name) || slices.Contains(filtered(s), name)
}

// filtered are the metrics that the stack counts from log lines.
func filtered(s *samtest.Stack) (names []string) {
	for _, r := range s.Resources {
		if r.Type == "AWS::Logs::MetricFilter" {
			names = append(names, samtest.At(r.Properties, "MetricTransformations", "0", "MetricName").(string))
		}
	}
	return names
}

// alarms are the stack's alarms by logical id.
func alarms(s *samtest.Stack) map[string]map[string]any {
	all := map[string]map[string]any{}
	for id, r := range s.Resources {
		if r.Type == "AWS::CloudWatch::Alarm" {
			all[id] = r.Properties
		}
	}
	return all
}

func TestAlarms(t *testing.T) {
	s := stack(t, everything())
	for id, p := range alarms(s) {
		if namespace, name := p["Namespace"].(string), p["MetricName"].(string); !exists(s, namespace, name) {
			t.Errorf("%s: nothing brings %s of %s", id, name, namespace)
		}
		if got := samtest.At(p, "AlarmActions", "0"); got != s.Parameters["AlarmTopicArn"] {
			t.Errorf("%s is told to %v", id, got)
		}
		missing, special := map[string]string{"RefetchSilent": "breaching", "OrdersAtRisk": "ignore"}[id]
		if !special {
			missing = "notBreaching"
		}
		if p["TreatMissingData"] != missing {
			t.Errorf("%s: without data it is %v", id, p["TreatMissingData"])
		}
		if text, _ := p["AlarmDescription"].(string); !strings.Contains(text, "docs/aws.md, "+id) {
			t.Errorf("%s does not say where its page is: %q", id, text)
		}
	}
	for id, p := range alarms(stack(t, least())) {
		if p["AlarmActions"] != nil || p["OKActions"] != nil {
			t.Errorf("%s is told to nobody's topic", id)
		}
	}
	if _, ok := alarms(stack(t, service()))["TicketContested"]; ok {
		t.Error("who does not refresh has no refreshes to count")
	}
}

// TestEveryFunctionIsWatched: each has its own log, with a filter for errors, and an alarm for its crashes.
func TestEveryFunctionIsWatched(t *testing.T) {
	s := stack(t, least())
	for _, function := range s.Functions() {
		name := strings.TrimSuffix(function, "Function")
		group := s.Resources[name+"Log"].Properties
		if group["RetentionInDays"] != s.Parameters["LogRetentionDays"] {
			t.Errorf("%s keeps its log for %v days", function, group["RetentionInDays"])
		}
		for place, got := range map[string]any{
			"log":    samtest.At(s.Resources[function].Properties, "LoggingConfig", "LogGroup"),
			"filter": s.Resources[name+"ErrorLines"].Properties["LogGroupName"],
		} {
			if got != group["LogGroupName"] {
				t.Errorf("%s: %s is of %v", function, place, got)
			}
		}
		if got := samtest.At(alarms(s)[name+"Errors"], "Dimensions", "0", "Value"); got != samtest.StackName+"-"+function {
			t.Errorf("%s: its errors are those of %v", function, got)
		}
	}
}

// TestFiltersFindLines looks in the code for the messages that the stack counts.
func TestFiltersFindLines(t *testing.T) {
	var code strings.Builder
	err := filepath.WalkDir(root+"/pkg", func(path string, _ fs.DirEntry, err error) error {
		if err == nil && strings.HasSuffix(path, ".go") && !strings.HasSuffix(path, "_test.go") {
			text, err := os.ReadFile(path)
			code.Write(text)
			return err
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	form := regexp.MustCompile(`\$\.msg = "([^*"]+)\*"`)
	messages := 0
	for id, r := range stack(t, least()).Resources {
		pattern, _ := r.Properties["FilterPattern"].(string)
		for _, m := range form.FindAllStringSubmatch(pattern, -1) {
			messages++
			if !strings.Contains(code.String(), `slog.LevelError, "`+m[1]) {
				t.Errorf("%s: nothing logs %q as an error", id, m[1])
			}
		}
	}
	if messages != 2 {
		t.Errorf("%d messages are counted", messages)
	}
}

// TestDashboard: its text is JSON, and each metric on it exists. ("Dashboard body structure and syntax": "." repeats the
// place above, "..." all of them.)
func TestDashboard(t *testing.T) {
	s := stack(t, least())
	var body struct {
		Widgets []struct {
			Type       string `json:"type"`
			Properties struct {
				Title, Region string
				Metrics       [][]any
			} `json:"properties"`
		} `json:"widgets"`
	}
	text, _ := s.Resources["Dashboard"].Properties["DashboardBody"].(string)
	if err := json.Unmarshal([]byte(text), &body); err != nil {
		t.Fatal(err)
	}
	shown := map[string]bool{}
	for _, w := range body.Widgets {
		var above []any
		for _, metric := range w.Properties.Metrics {
			above = expand(above, metric)
			namespace, name := above[0].(string), above[1].(string)
			shown[name] = true
			if !exists(s, namespace, name) {
				t.Errorf("%s: nothing brings %s of %s", w.Properties.Title, name, namespace)
			}
		}
		if w.Type != "metric" || w.Properties.Region != samtest.Region || len(w.Properties.Metrics) == 0 {
			t.Errorf("%s: %v", w.Properties.Title, w)
		}
	}
	for _, name := range append(filtered(s), metrics...) {
		if !shown[name] {
			t.Errorf("%s is not shown", name)
		}
	}
}

// expand puts a line of a widget in full.
func expand(above, line []any) []any {
	if len(line) > 0 && line[0] == "..." {
		return above
	}
	full := slices.Clone(line)
	for i, v := range full {
		if v == "." && i < len(above) {
			full[i] = above[i]
		}
	}
	return full
}

// TestOutputs are what the documents tell to use.
func TestOutputs(t *testing.T) {
	s := stack(t, everything())
	for name, want := range map[string]string{
		"WebhookUrl": "https://url-id.lambda-url.us-east-1.on.aws/", "BucketName": "kyc-evidence", "ArchiveUrl": "s3://kyc-evidence/kyc/prod/?lock=compliance&retain=36500d&kms=" + everything()["KmsKeyArn"] + "&storage_class=STANDARD_IA&region=us-east-1",
		"QueueUrl":           "https://sqs.us-east-1.amazonaws.com/111122223333/kycvault-Queue",
		"DeadLetterQueueUrl": "https://sqs.us-east-1.amazonaws.com/111122223333/kycvault-DeadLetters",
	} {
		if s.Outputs[name] != want {
			t.Errorf("%s is %q, want %q", name, s.Outputs[name], want)
		}
	}
	if name := s.Resources["Dashboard"].Properties["DashboardName"]; name != samtest.StackName+"-"+samtest.Region {
		t.Errorf("the dashboard %v would meet another region's", name)
	}
	if !strings.HasSuffix(s.Outputs["DashboardUrl"], "/kycvault-Dashboard") {
		t.Errorf("DashboardUrl is %q", s.Outputs["DashboardUrl"])
	}
}
