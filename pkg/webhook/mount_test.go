package webhook

import "testing"

func TestWithoutMount(t *testing.T) {
	for path, want := range map[string]string{
		"/v1/completions":              "/v1/completions",
		"/release/v1/completions":      "/v1/completions",
		"/kyc/webhook/v1/orders/v1":    "/v1/orders/v1",
		"/release/v1/orders/a/v1/b":    "/v1/orders/a/v1/b",
		"/healthz":                     "/healthz",
		"/test/kycvault/healthz":       "/healthz",
		"/":                            "/",
		"":                             "",
		"/v1":                          "/v1",
		"/release/v2/completions":      "/release/v2/completions",
		"/healthz/more":                "/healthz/more",
		"/kycvault-webhook/nothealthz": "/kycvault-webhook/nothealthz",
	} {
		if got := WithoutMount(path); got != want {
			t.Errorf("%q without its mount is %q, want %q", path, got, want)
		}
	}
}

// TestEveryRouteIsFoundBehindAMount: a new route must be one that WithoutMount finds.
func TestEveryRouteIsFoundBehindAMount(t *testing.T) {
	for _, route := range []string{routeCompletions, routeOrder, routeTicket, routeHealth} {
		if got := WithoutMount("/release/kyc" + route); got != route {
			t.Errorf("%s behind a mount is %s", route, got)
		}
	}
}
