package webhook

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
)

// CheckOrigins refuses what no browser sends as an Origin: anything but scheme://host[:port] in lower case, without the
// scheme's own port. "*" is refused on purpose, since completions carry tokens.
func CheckOrigins(origins []string) error {
	var errs []error
	for _, origin := range origins {
		if err := checkOrigin(origin); err != nil {
			errs = append(errs, fmt.Errorf("check origin %q: %w", origin, err))
		}
	}
	return errors.Join(errs...)
}

func checkOrigin(origin string) error {
	u, err := url.Parse(origin)
	switch {
	case strings.Contains(origin, "*") || origin == "null":
		return errors.New("name each origin")
	case err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Hostname() == "":
		return errors.New("must be scheme://host[:port]")
	case u.Scheme+"://"+u.Host != origin:
		return errors.New("must be scheme://host[:port] and nothing more")
	case strings.ToLower(origin) != origin || strings.ContainsFunc(origin, func(r rune) bool { return r > '~' }):
		return errors.New("must be in lower case, other letters as xn--")
	case u.Scheme == "https" && u.Port() == "443", u.Scheme == "http" && u.Port() == "80", strings.HasSuffix(u.Host, ":"):
		return errors.New("browsers leave out the scheme's own port")
	}
	return nil
}

// shared lets the pages of the configured origins call a route: they see its answers, refusals too. Other pages' calls get
// no such headers; that is no protection of ours (proofs are), only their browsers' rule.
func (h *Handler) shared(next http.Handler) http.Handler {
	if len(h.origins) == 0 {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Add("Vary", "Origin")
		if origin, ok := h.origin(r); ok {
			w.Header().Set("Access-Control-Allow-Origin", origin)
			w.Header().Set("Access-Control-Expose-Headers", "Location, Retry-After")
		}
		next.ServeHTTP(w, r)
	})
}

// origin gives a request's origin when it is one of the configured.
func (h *Handler) origin(r *http.Request) (string, bool) {
	values := r.Header.Values("Origin")
	if len(values) != 1 || !h.origins[values[0]] {
		return "", false
	}
	return values[0], true
}

// options answers an OPTIONS request, preflight or not, for a route with these methods.
func (h *Handler) options(allow string) endpoint {
	return func(r *http.Request, _ *note) (reply, error) {
		rep := reply{status: http.StatusNoContent, header: map[string]string{"Allow": allow}}
		if _, ok := h.origin(r); ok {
			rep.header["Access-Control-Allow-Methods"] = allow
			rep.header["Access-Control-Allow-Headers"] = "Authorization, Content-Type"
			rep.header["Access-Control-Max-Age"] = "600" // seconds
		}
		return rep, nil
	}
}
