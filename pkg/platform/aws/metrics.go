package aws

import (
	"cmp"
	"encoding/json"
	"io"
	"math"
	"slices"
	"sync"
	"time"

	"github.com/kycvault/kycvault/pkg/kyc"
)

// The metrics; docs/metrics-aws.md tells what each one counts. Nothing is a dimension: an order number would be a metric of
// its own, with a price of its own.
const (
	metricAccepted  = "Accepted"
	metricArchived  = "Archived"
	metricPartial   = "Partial"
	metricUnavail   = "Unavailable"
	metricExpired   = "Expired"
	metricSeconds   = "SecondsToArchive"
	metricBytes     = "Bytes"
	metricRefreshes = "TicketRefreshes"
	metricWaiting   = "Waiting"
	metricAtRisk    = "AtRisk"
	metricOldest    = "OldestSeconds"
	metricDropped   = "Dropped"
)

// unit is a metric's unit, as CloudWatch names it ("MetricDatum").
func unit(name string) string {
	switch name {
	case metricSeconds, metricOldest:
		return "Seconds"
	case metricBytes:
		return "Bytes"
	}
	return "Count"
}

// metrics collects numbers and writes them as lines of CloudWatch's embedded metric format ("Specification: Embedded metric
// format"), which CloudWatch makes metrics of, without a request from here.
type metrics struct {
	out       io.Writer
	namespace string
	now       func() time.Time

	mu     sync.Mutex
	values map[string]float64
}

func newMetrics(out io.Writer, namespace string, now func() time.Time) *metrics {
	return &metrics{out: out, namespace: namespace, now: now, values: map[string]float64{}}
}

// add counts. What is 0 is left out of the line.
func (m *metrics) add(name string, n float64) {
	if n == 0 {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.values[name] += n
}

// set measures: 0 is a value too.
func (m *metrics) set(name string, value float64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.values[name] = value
}

// step takes what a step did. An order counts once, by the step that made its end.
func (m *metrics) step(r kyc.Report) {
	m.add(metricBytes, float64(r.Bytes))
	if !r.Committed {
		return
	}
	switch r.State {
	case kyc.StateArchived:
		m.add(metricArchived, 1)
		if r.Age > 0 {
			m.set(metricSeconds, seconds(r.Age))
		}
	case kyc.StatePartial:
		m.add(metricPartial, 1)
	case kyc.StateUnavailable:
		m.add(metricUnavail, 1)
	case kyc.StateExpired:
		m.add(metricExpired, 1)
	}
}

// pass takes what a pass found. Numbers of a pass that did not see every key would look like good news.
func (m *metrics) pass(r kyc.PassReport) {
	if !r.Whole {
		return
	}
	m.set(metricWaiting, float64(r.Waiting))
	m.set(metricAtRisk, float64(r.AtRisk))
	m.set(metricOldest, seconds(r.Oldest))
}

// seconds are a metric's, to the millisecond.
func seconds(d time.Duration) float64 { return math.Round(d.Seconds()*1000) / 1000 }

// definition names a metric in a line.
type definition struct {
	Name string
	Unit string
}

// directive tells CloudWatch which members of a line are metrics.
type directive struct {
	Namespace  string
	Dimensions [][]string
	Metrics    []definition
}

// flush writes one line with everything since the last one, or nothing.
func (m *metrics) flush() {
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.values) == 0 {
		return
	}
	line := make(map[string]any, len(m.values)+1)
	d := directive{Namespace: m.namespace, Dimensions: [][]string{{}}}
	for name, value := range m.values {
		line[name] = value
		d.Metrics = append(d.Metrics, definition{name, unit(name)})
	}
	slices.SortFunc(d.Metrics, func(a, b definition) int { return cmp.Compare(a.Name, b.Name) })
	line["_aws"] = map[string]any{"Timestamp": m.now().UnixMilli(), "CloudWatchMetrics": []directive{d}}
	clear(m.values)
	data, err := json.Marshal(line)
	if err != nil {
		return // numbers and our own words: it can not happen
	}
	_, _ = m.out.Write(append(data, '\n'))
}
