package samtest_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestFunctionUrl: one function has a URL, open to everyone since each request is proven by the function; answers come whole.
// There is no Cors: the function answers itself, and browsers refuse headers that come twice ("Lambda function URLs").
func TestFunctionUrl(t *testing.T) {
	s := stack(t, everything())
	want := map[string]any{"AuthType": "NONE", "InvokeMode": "BUFFERED"}
	for _, function := range s.Functions() {
		got := s.Resources[function].Properties["FunctionUrlConfig"]
		if function != "WebhookFunction" {
			if got != nil {
				t.Errorf("%s has a URL", function)
			}
			continue
		}
		if diff := cmp.Diff(any(want), got); diff != "" {
			t.Errorf("the webhook's URL -want +got:\n%s", diff)
		}
	}
}
