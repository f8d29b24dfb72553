package aws

import (
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kycvault/kycvault/pkg/kyc"
)

// epoch is when metrics are written in these tests.
var epoch = time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)

func testMetrics() (*metrics, *strings.Builder) {
	out := new(strings.Builder)
	return newMetrics(out, "kycvault/test", func() time.Time { return epoch }), out
}

// TestMetricsLine holds a line to the specification of the embedded metric format.
func TestMetricsLine(t *testing.T) {
	m, out := testMetrics()
	m.step(kyc.Report{State: kyc.StateArchived, Committed: true, Age: 2345678 * time.Microsecond, Bytes: 70000})
	m.flush()
	m.flush() // nothing since: no line
	want := `{"Archived":1,"Bytes":70000,"SecondsToArchive":2.346,"_aws":{"CloudWatchMetrics":[{"Namespace":"kycvault/test","Dimensions":[[]],` +
		`"Metrics":[{"Name":"Archived","Unit":"Count"},{"Name":"Bytes","Unit":"Bytes"},{"Name":"SecondsToArchive","Unit":"Seconds"}]}],"Timestamp":1795424400000}}` + "\n"
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// TestStepMetrics: an order counts once, by the step that made its end.
func TestStepMetrics(t *testing.T) {
	for name, c := range map[string]struct {
		report kyc.Report
		want   map[string]float64
	}{
		"nothing happened":   {kyc.Report{State: kyc.StatePending, Next: kyc.NextStep}, map[string]float64{}},
		"a photo came":       {kyc.Report{State: kyc.StatePending, Bytes: 9}, map[string]float64{"Bytes": 9}},
		"archived before":    {kyc.Report{State: kyc.StateArchived}, map[string]float64{}},
		"without a marker":   {kyc.Report{State: kyc.StateArchived, Committed: true}, map[string]float64{"Archived": 1}},
		"archived":           {kyc.Report{State: kyc.StateArchived, Committed: true, Age: time.Minute}, map[string]float64{"Archived": 1, "SecondsToArchive": 60}},
		"partial":            {kyc.Report{State: kyc.StatePartial, Committed: true, Age: time.Hour}, map[string]float64{"Partial": 1}},
		"unavailable":        {kyc.Report{State: kyc.StateUnavailable, Committed: true}, map[string]float64{"Unavailable": 1}},
		"expired":            {kyc.Report{State: kyc.StateExpired, Committed: true}, map[string]float64{"Expired": 1}},
		"unavailable before": {kyc.Report{State: kyc.StateUnavailable}, map[string]float64{}},
	} {
		m, _ := testMetrics()
		m.step(c.report)
		if diff := cmp.Diff(c.want, m.values); diff != "" {
			t.Errorf("%s: -want +got:\n%s", name, diff)
		}
	}
}

// TestPassMetrics: zero is told too, and a pass that did not see every key tells nothing.
func TestPassMetrics(t *testing.T) {
	m, _ := testMetrics()
	m.pass(kyc.PassReport{Waiting: 3, AtRisk: 1, Oldest: time.Hour})
	if len(m.values) > 0 {
		t.Errorf("half a pass: %v", m.values)
	}
	m.pass(kyc.PassReport{Whole: true})
	if diff := cmp.Diff(map[string]float64{"Waiting": 0, "AtRisk": 0, "OldestSeconds": 0}, m.values); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	m.pass(kyc.PassReport{Whole: true, Waiting: 3, AtRisk: 1, Oldest: time.Hour})
	if diff := cmp.Diff(map[string]float64{"Waiting": 3, "AtRisk": 1, "OldestSeconds": 3600}, m.values); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// TestMetricsAreDocumented: docs/metrics-aws.md has a row for each metric, with its unit, and no other.
func TestMetricsAreDocumented(t *testing.T) {
	text, err := os.ReadFile("../../../docs/metrics-aws.md")
	if err != nil {
		t.Fatal(err)
	}
	documented := map[string]string{}
	for _, row := range regexp.MustCompile("(?m)^\\| `(\\w+)` \\| (\\w+) \\|").FindAllStringSubmatch(string(text), -1) {
		documented[row[1]] = row[2]
	}
	want := map[string]string{}
	for _, name := range []string{metricAccepted, metricArchived, metricPartial, metricUnavail, metricExpired, metricSeconds, metricBytes,
		metricRefreshes, metricWaiting, metricAtRisk, metricOldest, metricDropped} {
		want[name] = unit(name)
	}
	if diff := cmp.Diff(want, documented); diff != "" {
		t.Errorf("-code +document:\n%s", diff)
	}
}
