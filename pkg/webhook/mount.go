package webhook

import "strings"

// WithoutMount drops what a gateway puts before the routes: a stage, a base path, a function's name. "/release/kyc/v1/ticket"
// is "/v1/ticket". Who asks and for what is proven by the rest of the request, never by the path. A path that holds none of
// the routes stays as it is.
func WithoutMount(path string) string {
	const version = "/v1/" // that all routes but one begin with
	if i := strings.Index(path, version); i >= 0 {
		return path[i:]
	}
	if strings.HasSuffix(path, routeHealth) {
		return routeHealth
	}
	return path
}
