package platform

import (
	"net/url"
	"strings"

	"github.com/kycvault/kycvault/pkg/secret"
	"github.com/kycvault/kycvault/pkg/webhook"
)

// keys reads the comma-separated webhook keys; so a key can not hold a comma.
func (r *reader) keys(name string, auth webhook.Auth) []secret.Text {
	var keys []secret.Text
	for _, item := range split(r.value(name)) {
		keys = append(keys, secret.New(item))
	}
	if len(keys) > 0 {
		r.note(name, webhook.CheckKeys(auth, keys), "HS256 keys of 32 bytes or more, or, for standard-webhooks, whsec_… keys, comma-separated")
	}
	return keys
}

// redirect reads the URL that browsers are sent on to; nil when there is none.
func (r *reader) redirect(name string) *url.URL {
	const expected = "an absolute http or https URL"
	v := r.value(name)
	if v == "" {
		return nil
	}
	u, problem := parseURL(v)
	if problem != "" {
		r.mistake(name, problem, expected)
		return nil
	}
	r.note(name, webhook.CheckRedirect(u), expected)
	return u
}

// origins reads the pages that may call the webhook. A slash at the end and upper case are mended.
func (r *reader) origins(name string) []string {
	const expected = "origins such as https://www.example.com, comma-separated"
	var all []string
	for _, item := range split(r.value(name)) {
		u, problem := parseURL(item)
		if problem != "" || !bare(u) {
			r.mistake(name, "one of the list is not an origin", expected)
			return nil
		}
		all = append(all, originOf(u))
	}
	r.note(name, webhook.CheckOrigins(all), expected)
	return all
}

// note takes an error of another package's check for one mistake.
func (r *reader) note(name string, err error, expected string) {
	if err != nil {
		r.mistake(name, strings.ReplaceAll(err.Error(), "\n", ", "), expected)
	}
}
