package samtest_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/kycvault/kycvault/pkg/archive"
	"github.com/kycvault/kycvault/pkg/kyc"
)

// List prices in us-east-1 as AWS's pricing pages gave them in November 2026, in dollars. Free tiers are left out.
const (
	perInvocation = 0.20 / 1e6     // Lambda
	perGBSecond   = 0.0000133334   // Lambda, arm64, first tier
	perTmpSecond  = 0.0000000309   // Lambda, a GB of /tmp beyond 512 MB for a second
	perMessage    = 0.40 / 1e6     // SQS, a request to a standard queue
	perPut        = 0.005 / 1000   // S3 Standard, PUT and LIST
	perGet        = 0.0004 / 1000  // S3 Standard
	perGBMonth    = 0.023          // S3 Standard, first 50 TB
	perLogGB      = 0.50           // CloudWatch Logs, taken in
	perMetric     = 0.30           // CloudWatch, a month
	perAlarm      = 0.10           // CloudWatch, a month
	perDashboard  = 3.00           // CloudWatch, a month
	perSchedule   = 1.00 / 1e6     // EventBridge Scheduler
	perSecret     = 0.40           // Secrets Manager, a month
	month         = 30 * 24 * 3600 // seconds
)

// What the sum supposes, and nobody measured: the reader puts in what the log shows (docs/aws.md).
const (
	webhookSeconds = 0.15
	pullSeconds    = 1.5 // two queries and six writes
	passSeconds    = 2.0
	megabytes      = 3.0  // of an order's photo and video
	logKB          = 2.0  // of an order, Lambda's own lines included
	pollers        = 5    // of the event source, each of which asks every 20 s
	memoryGB       = 0.5  // of each function
	tmpGB          = 0.5  // of pull's /tmp, beyond what is free
	passes         = 8640 // a month, every five minutes
)

// costRow is a line of the table.
type costRow struct {
	what, sum string
	dollars   float64
}

// oneOrder counts the S3 requests of an order that goes well, in processes that are warm: the second order of each.
func oneOrder(t *testing.T) (webhook, pull [4]int) {
	w := newWorld(t, least())
	door, worker := w.process("WebhookFunction"), w.process("PullFunction")
	in := &kyc.Intake{Core: door.core()}
	puller := &kyc.Puller{Core: worker.core(), Upstream: worker, Gate: worker.gate()}
	w.pass(0)
	for _, order := range []archive.Order{"ok1", "ok2"} {
		clear(w.calls)
		if _, err := in.Complete(t.Context(), order, "jwt"); err != nil {
			t.Fatal(err)
		}
		w.now = w.now.Add(20 * time.Second) // what is known of the ticket, and of a back-off, is read anew
		r, err := puller.Step(t.Context(), w.queue[len(w.queue)-1])
		if err != nil || r.State != kyc.StateArchived {
			t.Fatalf("order %s is %s: %v", order, r.State, err)
		}
	}
	return w.requests("WebhookFunction"), w.requests("PullFunction")
}

// requests are a function's PUTs, LISTs, GETs and DELETEs.
func (w *world) requests(function string) (n [4]int) {
	for _, c := range w.calls[function] {
		for i, operation := range []string{"PutObject", "ListBucket", "GetObject", "DeleteObject"} {
			if strings.TrimPrefix(c.Action, "s3:") == operation {
				n[i]++
			}
		}
	}
	return n
}

// requestsTable is what docs/aws.md shows of oneOrder.
func requestsTable(t *testing.T) string {
	webhook, pull := oneOrder(t)
	var b strings.Builder
	b.WriteString("| S3 requests of an order that goes well | PUT | LIST | GET | DELETE |\n|---|---|---|---|---|\n")
	row := func(name string, n [4]int) {
		fmt.Fprintf(&b, "| %s | %d | %d | %d | %d |\n", name, n[0], n[1], n[2], n[3])
	}
	row("webhook", webhook)
	row("pull, in one step", pull)
	row("together", [4]int{webhook[0] + pull[0], webhook[1] + pull[1], webhook[2] + pull[2], webhook[3] + pull[3]})
	return b.String()
}

// costTable is the bill of a million orders, with its arithmetic.
func costTable(t *testing.T) string {
	webhook, pull := oneOrder(t)
	puts, gets := webhook[0]+pull[0]+webhook[1]+pull[1], webhook[2]+pull[2]
	s := stack(t, least())
	var b strings.Builder
	total := table(&b, "for a million orders", []costRow{
		{"Lambda, requests", "2 M × $0.20 / M", 2e6 * perInvocation},
		{"Lambda, webhook", fmt.Sprintf("1 M × %g s × %g GB × $0.0000133334", webhookSeconds, memoryGB), 1e6 * webhookSeconds * memoryGB * perGBSecond},
		{"Lambda, pull", fmt.Sprintf("1 M × %g s × %g GB × $0.0000133334", pullSeconds, memoryGB), 1e6 * pullSeconds * memoryGB * perGBSecond},
		{"Lambda, pull's /tmp", fmt.Sprintf("1 M × %g s × %g GB × $0.0000000309", pullSeconds, tmpGB), 1e6 * pullSeconds * tmpGB * perTmpSecond},
		{"SQS, to send, receive and delete", "3 M × $0.40 / M", 3e6 * perMessage},
		{"S3, PUT and LIST", fmt.Sprintf("%d M × $0.005 / 1,000", puts), float64(puts) * 1e6 * perPut},
		{"S3, GET", fmt.Sprintf("%d M × $0.0004 / 1,000", gets), float64(gets) * 1e6 * perGet},
		{"CloudWatch, log lines", fmt.Sprintf("%g GB × $0.50", logKB), logKB * perLogGB},
	})
	fmt.Fprintf(&b, "| **together** | | **%.2f** |\n", total)
	fixed := table(&b, "for a month, however many orders", []costRow{
		{"Lambda, refetch", fmt.Sprintf("%d × (%g s × %g GB × $0.0000133334 + $0.20 / M)", passes, passSeconds, memoryGB), passes * (passSeconds*memoryGB*perGBSecond + perInvocation)},
		{"SQS, polling an idle queue", fmt.Sprintf("%d pollers × 3 a minute × 43,200 × $0.40 / M", pollers), pollers * 3 * month / 60 * perMessage},
		{"Scheduler", fmt.Sprintf("%d × $1.00 / M", passes), passes * perSchedule},
		{"CloudWatch, metrics", fmt.Sprintf("%d × $0.30", len(metrics)+2), float64(len(metrics)+2) * perMetric},
		{"CloudWatch, alarms", fmt.Sprintf("%d × $0.10", len(alarms(s))), float64(len(alarms(s))) * perAlarm},
		{"CloudWatch, dashboard", "1 × $3.00", perDashboard},
		{"Secrets Manager", "1 × $0.40", perSecret},
	})
	fmt.Fprintf(&b, "| **together** | | **%.2f** |\n", fixed)
	table(&b, "for each month that a million orders are kept", []costRow{
		{"S3 Standard", fmt.Sprintf("%g MB × 1 M × $0.023 / GB", megabytes), megabytes * 1e6 / 1000 * perGBMonth},
	})
	return b.String()
}

// table writes rows below a heading, and gives their sum.
func table(b *strings.Builder, heading string, rows []costRow) (total float64) {
	if b.Len() > 0 {
		b.WriteString("\n")
	}
	fmt.Fprintf(b, "| %s | | $ |\n|---|---|---|\n", heading)
	for _, r := range rows {
		fmt.Fprintf(b, "| %s | %s | %.2f |\n", r.what, r.sum, r.dollars)
		total += r.dollars
	}
	return total
}

// TestSixWrites: an order that goes well writes six objects (DESIGN section 4).
func TestSixWrites(t *testing.T) {
	webhook, pull := oneOrder(t)
	if n := webhook[0] + pull[0]; n > 6 {
		t.Errorf("%d writes", n)
	}
}
