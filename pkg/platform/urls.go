package platform

import (
	"net/netip"
	"net/url"
	"slices"
	"strings"
)

// origin reads a URL that is a scheme and a host only; plain http is accepted on this machine only, since secrets and
// evidence go over it. The slash at its end is dropped.
func (r *reader) origin(name string) string {
	const expected = "an origin such as https://host (http only on this machine), without path, query or user"
	v := r.value(name)
	if v == "" {
		return ""
	}
	u, problem := parseURL(v)
	switch {
	case problem != "":
	case !bare(u):
		problem = "holds more than scheme and host"
	case u.Scheme == "http" && !loopback(u):
		problem = "plain http to another machine"
	}
	if problem != "" {
		r.mistake(name, problem, expected)
		return ""
	}
	return originOf(u)
}

// endpoint reads an origin of a cloud's API. Plain http is accepted: inside a private network the customer may want it,
// and what goes there is signed.
func (r *reader) endpoint(name string) string {
	v := r.value(name)
	if v == "" {
		return ""
	}
	u, problem := parseURL(v)
	if problem == "" && !bare(u) {
		problem = "holds more than scheme and host"
	}
	if problem != "" {
		r.mistake(name, problem, "an origin such as https://host")
		return ""
	}
	return originOf(u)
}

// url reads an absolute http or https URL.
func (r *reader) url(name string) string {
	v := r.value(name)
	if v == "" {
		return ""
	}
	if _, problem := parseURL(v); problem != "" {
		r.mistake(name, problem, "an absolute http or https URL")
		return ""
	}
	return v
}

// safeURL checks a URL over which secrets go: https, or http on this machine.
func (r *reader) safeURL(name, v, expected string) string {
	u, problem := parseURL(v)
	if problem == "" && u.Scheme == "http" && !loopback(u) {
		problem = "plain http to another machine"
	}
	if problem != "" {
		r.mistake(name, problem, expected)
		return ""
	}
	return v
}

// parseURL parses an absolute http or https URL without a user; what is wrong is told without repeating it.
func parseURL(s string) (u *url.URL, problem string) {
	u, err := url.Parse(s)
	switch {
	case err != nil:
		return nil, "not a URL"
	case u.Scheme != "http" && u.Scheme != "https", u.Hostname() == "":
		return nil, "not an absolute http or https URL"
	case u.User != nil:
		return nil, "holds a user or a password"
	}
	return u, ""
}

// bare tells whether u is an origin: a lone slash may follow it.
func bare(u *url.URL) bool {
	return (u.Path == "" || u.Path == "/") && u.RawQuery == "" && !u.ForceQuery && u.Fragment == ""
}

func originOf(u *url.URL) string { return u.Scheme + "://" + strings.ToLower(u.Host) }

// loopback tells whether u stays on this machine. A name is not looked up: only localhost counts.
func loopback(u *url.URL) bool {
	host := u.Hostname()
	if strings.EqualFold(host, "localhost") {
		return true
	}
	addr, err := netip.ParseAddr(host)
	return err == nil && addr.Unmap().IsLoopback()
}

// withoutQuery is a URL as it may be logged: ticket services may take keys in the query.
func withoutQuery(s string) string {
	u, err := url.Parse(s)
	if err != nil || s == "" {
		return ""
	}
	u.RawQuery, u.ForceQuery, u.Fragment, u.RawFragment = "", false, "", ""
	return u.String()
}

// sortedKeys are a query's option names, sorted, so that messages do not change from run to run.
func sortedKeys(q url.Values) []string {
	names := make([]string, 0, len(q))
	for name := range q {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}
