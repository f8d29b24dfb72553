package faceid_test

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/kycvault/kycvault/pkg/faceid"
	"github.com/kycvault/kycvault/pkg/kyc"
)

func TestReach(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		header string
		status int
		want   time.Time
	}{
		"nothing there": {"Mon, 23 Nov 2026 09:00:00 GMT", 404, time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)},
		"broken":        {"Mon, 23 Nov 2026 09:00:00 GMT", 502, time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)},
		"no clock":      {"noon", 200, time.Time{}},
	} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.RawQuery != "" || r.URL.Path != "/" {
				t.Errorf("%s: it asked for %s", name, r.URL)
			}
			w.Header().Set("Date", test.header)
			w.WriteHeader(test.status)
		}))
		api, err := faceid.New(faceid.Config{AppID: "IDAXXXXX", BaseURL: server.URL})
		if err != nil {
			t.Fatal(err)
		}
		if got, err := api.Reach(t.Context()); err != nil || !got.Equal(test.want) {
			t.Errorf("%s: %s, %v; want %s", name, got, err, test.want)
		}
		server.Close()
		if _, err := api.Reach(t.Context()); kyc.ClassOf(err) != kyc.Transient || err == nil {
			t.Errorf("%s: a closed service gives %v", name, err)
		}
	}
}
