package webhook_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/kycvault/kycvault/pkg/archive"
)

// judgeAccepted checks a body that was taken with a reader of its own: every order number that it names at the top is the
// one that went through.
func judgeAccepted(t *testing.T, body []byte, calls string) {
	t.Helper()
	var members map[string]any
	dec := json.NewDecoder(bytes.NewReader(body))
	dec.UseNumber()
	if err := dec.Decode(&members); err != nil {
		t.Fatalf("took what is no object: %v", err)
	}
	through := strings.Fields(calls)
	if len(through) != 3 {
		t.Fatalf("core saw %q", calls)
	}
	if _, err := archive.ParseOrder(through[1]); err != nil {
		t.Fatalf("took %q: %v", through[1], err)
	}
	found := false
	for _, key := range []string{"orderNo", "order_no"} {
		if value, ok := members[key]; ok {
			found = true
			if value != through[1] {
				t.Fatalf("body says %v, core got %q", value, through[1])
			}
		}
	}
	if !found {
		t.Fatal("took a body without an order number")
	}
}
