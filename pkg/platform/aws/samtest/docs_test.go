package samtest_test

import (
	"flag"
	"fmt"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kycvault/kycvault/pkg/platform/aws/samtest"
)

// The tests in this file keep docs/aws.md true to the template; go test ./pkg/platform/aws/samtest -run Docs -update writes the
// parts that are made from it.

var update = flag.Bool("update", false, "write the parts of docs/aws.md that are made from the template")

const page = root + "/docs/aws.md"

func pageText(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// part gives what stands between the markers of a name.
func part(t *testing.T, text, name string) string {
	t.Helper()
	_, rest, begun := strings.Cut(text, "<!-- begin "+name+" -->\n")
	inside, _, ended := strings.Cut(rest, "<!-- end "+name+" -->\n")
	if !begun || !ended {
		t.Fatalf("there is no part %q", name)
	}
	return inside
}

func TestDocsTables(t *testing.T) {
	text := pageText(t)
	changed := text
	for name, want := range map[string]string{
		"parameters": parametersTable(t), "rights": rightsTable(t), "silent rights": silentTable(),
		"requests": requestsTable(t), "cost": costTable(t),
	} {
		got := part(t, text, name)
		switch {
		case got == want:
		case *update:
			begin := "<!-- begin " + name + " -->\n"
			changed = strings.Replace(changed, begin+got, begin+want, 1)
		default:
			t.Errorf("the part %q is not what the template says; write it with: go test ./pkg/platform/aws/samtest -run Docs -update\n%s", name, cmp.Diff(got, want))
		}
	}
	if changed != text {
		if err := os.WriteFile(page, []byte(changed), 0o644); err != nil { //nolint:gosec // it is public
			t.Fatal(err)
		}
	}
}

// parametersTable lists the parameters in the order in which they are asked for.
func parametersTable(t *testing.T) string {
	groups, err := template(t).Parameters()
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	for i, g := range groups {
		if i > 0 {
			b.WriteString("\n")
		}
		fmt.Fprintf(&b, "| %s | | default |\n|---|---|---|\n", strings.ToLower(g.Label))
		for _, p := range g.Parameters {
			shown := "`" + p.Default + "`"
			switch {
			case p.Required:
				shown = "you choose"
			case p.Default == "":
				shown = "empty"
			}
			if others := slices.DeleteFunc(slices.Clone(p.Values), func(v string) bool { return v == p.Default }); len(others) > 0 {
				shown += "; or `" + strings.Join(others, "`, `") + "`"
			}
			fmt.Fprintf(&b, "| `%s` | %s | %s |\n", p.Name, p.Description, shown)
		}
	}
	return b.String()
}

// places are the rows of the table of rights.
var places = []string{
	"pending/", "retry/", "quiet/", "closed/", "orders/", "journal/", "seals/", "system/ticket/", "system/lease/", "system/backoff", "system/probe/", "queue",
}

// rightsTable shows who may do what where.
func rightsTable(t *testing.T) string {
	var b strings.Builder
	b.WriteString("| | webhook | pull | refetch |\n|---|---|---|---|\n")
	shown := 0
	for _, place := range places {
		fmt.Fprintf(&b, "| `%s` |", place)
		for _, function := range []string{"WebhookFunction", "PullFunction", "RefetchFunction"} {
			var words []string
			for _, r := range samtest.Rights() {
				if r.For(function) && strings.HasPrefix(strings.TrimPrefix(r.Where, "prefix "), place) {
					words = append(words, word(r))
					shown++
				}
			}
			slices.SortFunc(words, func(a, b string) int { return slices.Index(order, a) - slices.Index(order, b) })
			fmt.Fprintf(&b, " %s |", strings.Join(slices.Compact(words), ", "))
		}
		b.WriteString("\n")
	}
	elsewhere := 0
	for _, r := range samtest.Rights() {
		if slices.Contains([]string{"log", "key", "no prefix"}, r.Where) {
			continue
		}
		elsewhere += len(strings.Fields(r.Functions))
	}
	if shown != elsewhere {
		t.Errorf("%d rights are shown, there are %d", shown, elsewhere)
	}
	return b.String()
}

// order is that of the words in a cell.
var order = []string{"list all", "list one order's", "read", "read manifests", "create", "write", "lock", "delete", "send", "receive", "count"}

// word is a right in the table.
func word(r samtest.Right) string {
	once := slices.ContainsFunc([]string{"pending/", "closed/", "orders/", "journal/", "seals/", "system/ticket/", "system/lease/", "system/probe/"},
		func(p string) bool { return strings.HasPrefix(r.Where, p) })
	switch r.Action {
	case "s3:ListBucket":
		if strings.Contains(r.Where, "*") {
			return "list one order's"
		}
		return "list all"
	case "s3:GetObject":
		if strings.Contains(r.Where, "manifest") {
			return "read manifests"
		}
		return "read"
	case "s3:PutObject":
		if once {
			return "create"
		}
		return "write"
	}
	return map[string]string{
		"s3:DeleteObject": "delete", "s3:PutObjectRetention": "lock", "sqs:SendMessage": "send", "sqs:GetQueueAttributes": "count",
		"sqs:ReceiveMessage": "receive", "sqs:DeleteMessage": "receive", // to receive a message is to delete it, too
	}[r.Action]
}

// silentTable lists the rights that no call of a function's shows, with their reasons.
func silentTable() string {
	var b strings.Builder
	b.WriteString("| right | whose | on | with | because |\n|---|---|---|---|---|\n")
	why := ""
	for _, r := range samtest.Rights() {
		if r.Why != "the same" {
			why = r.Why
		}
		if r.Shows == samtest.Never || r.Action == "s3:PutObjectRetention" {
			fmt.Fprintf(&b, "| `%s` | %s | %s | %s | %s |\n", r.Action, r.Functions, r.Where, r.When, why)
		}
	}
	return b.String()
}

// TestDocsAlarms: the page tells what to do about every alarm, and shows every output.
func TestDocsAlarms(t *testing.T) {
	text := pageText(t)
	s := stack(t, everything())
	for name, want := range map[string][]string{
		"alarms": slices.Sorted(maps.Keys(alarms(s))), "outputs": slices.Sorted(maps.Keys(s.Outputs)),
		"metrics": slices.Sorted(slices.Values(append(distinct(filtered(s)), metrics...))),
	} {
		var told []string
		for _, row := range regexp.MustCompile("(?m)^\\| ((?:`[^`]+`(?:, )?)+) \\|").FindAllStringSubmatch(part(t, text, name), -1) {
			for _, id := range regexp.MustCompile("`([^`]+)`").FindAllStringSubmatch(row[1], -1) {
				told = append(told, id[1])
			}
		}
		slices.Sort(told)
		if diff := cmp.Diff(want, told); diff != "" {
			t.Errorf("%s (-template +page):\n%s", name, diff)
		}
	}
}

func distinct(names []string) []string {
	slices.Sort(names)
	return slices.Compact(names)
}

// TestDocsBlocksAreMarked: each block of commands says why no test runs it.
func TestDocsBlocksAreMarked(t *testing.T) {
	text := pageText(t)
	marked := len(regexp.MustCompile("(?m)^<!-- not run: [^\n]+ -->\n```sh$").FindAllString(text, -1))
	if all := strings.Count(text, "```sh\n"); all != marked || all == 0 {
		t.Errorf("%d blocks of commands, %d of them say why they are not run", all, marked)
	}
}

// TestDocsNumbers looks for the template's fixed numbers where the page's sentences use them.
func TestDocsNumbers(t *testing.T) {
	text := pageText(t)
	s := stack(t, least())
	for _, sentence := range []string{
		fmt.Sprintf("%d s", property(t, s, "PullFunction", "Timeout")),
		fmt.Sprintf("%d s", property(t, s, "Queue", "VisibilityTimeout")),
		fmt.Sprintf("%d times", property(t, s, "Queue", "RedrivePolicy", "maxReceiveCount")),
	} {
		if !strings.Contains(text, sentence) {
			t.Errorf("the page does not say %q", sentence)
		}
	}
}
