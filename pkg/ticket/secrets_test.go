package ticket

import (
	"context"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/kycvault/kycvault/pkg/bucket/membucket"
	"github.com/kycvault/kycvault/pkg/faceid"
	"github.com/kycvault/kycvault/pkg/faceid/faceidtest"
	"github.com/kycvault/kycvault/pkg/peertest"
	"github.com/kycvault/kycvault/pkg/secret"
)

// TestNothingSecretIsShown goes through the ways in which an owner succeeds and fails, and looks for secret, tokens and
// tickets in its log, its errors and all that it stored.
func TestNothingSecretIsShown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fake, api := newBubbleUpstream(t, faceidtest.Config{Now: time.Now})
		b := membucket.New(time.Now)
		var seen peertest.Log
		note := func(v any, err error) { _, _ = fmt.Fprintf(&seen, "%v %+v %#v %v\n", v, v, v, err) }
		all := func(o *Own) {
			k, err := o.Current(t.Context())
			note(k, err)
			note(o.Refused(t.Context(), k))
			note(o.Recent(t.Context()))
			note(o.Newest(t.Context()))
			note(nil, o.Warm(t.Context()))
			time.Sleep(refreshAge)
		}
		o := newOwn(t, b, api, logTo(&seen))
		all(o)
		for _, f := range []faceidtest.Fault{
			{Route: faceidtest.AccessToken, Status: 502, Times: -1, Body: "<html>"},
			{Route: faceidtest.APITicket, Reset: true, Times: -1},
			{Route: faceidtest.APITicket, Code: "400101", Times: -1},
		} {
			if err := fake.AddFault(f); err != nil {
				t.Fatal(err)
			}
			all(o)
			fake.ClearFaults()
		}
		plantBytes(t, b, 1000, []byte("damaged"))
		all(newOwn(t, b, api, logTo(&seen)))
		fake.ChangeSecret(secret.New("planted-new-secret"))
		all(newOwn(t, b, api, logTo(&seen)))
		u := &upset{Bucket: b, create: func(string, func() error) error { return errBroken }}
		all(newOwn(t, u, api, logTo(&seen)))

		if !strings.Contains(seen.String(), "WARN") || !strings.Contains(seen.String(), "config") {
			t.Errorf("the test went through too little:\n%s", seen.String())
		}
		search(t, "log and errors", seen.String(), append(fake.Sensitive(), testSecret))
		for _, object := range b.Objects() {
			search(t, object.Key, read(t, b, object.Key), append(fake.Sensitive(), testSecret))
		}
	})
}

// search looks for each of the values in text, as it is and as an encoder may have written it.
func search(t *testing.T, where, text string, values []string) {
	t.Helper()
	for i, v := range values {
		for _, form := range []string{v, hex.EncodeToString([]byte(v)), base64.StdEncoding.EncodeToString([]byte(v))} {
			if v != "" && strings.Contains(text, form) {
				t.Errorf("%s: holds sensitive value %d of %d", where, i+1, len(values))
			}
		}
	}
}

func read(t *testing.T, b *membucket.Bucket, key string) string {
	t.Helper()
	body, _, err := b.Get(t.Context(), key)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = body.Close() }()
	text, err := io.ReadAll(body)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestRemoteShowsNothing lets a ticket service echo what it was sent in every way that could end up in an error.
func TestRemoteShowsNothing(t *testing.T) {
	const token, query, ticket = "planted-bearer-token", "planted-query-value", "planted ticket value" // a blank: no ticket
	echoes := map[string]http.HandlerFunc{
		"status": func(w http.ResponseWriter, _ *http.Request) { http.Error(w, token+query, http.StatusForbidden) },
		"body":   func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, token+query+ticket) },
		"value": func(w http.ResponseWriter, _ *http.Request) {
			_, _ = fmt.Fprintf(w, `{"ticket":%q,"expiresIn":%q}`, ticket, token)
		},
		"life": func(w http.ResponseWriter, _ *http.Request) {
			_, _ = fmt.Fprintf(w, `{"ticket":"x","expiresIn":%q}`, token)
		},
		"redirect": func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Location", "http://[%"+token+query)
			w.WriteHeader(http.StatusFound)
		},
		"no HTTP": func(w http.ResponseWriter, _ *http.Request) {
			conn, _, err := http.NewResponseController(w).Hijack()
			if err == nil {
				_, _ = io.WriteString(conn, "HTTP/1.1 "+token+" "+query+"\r\n\r\n")
				_ = conn.Close()
			}
		},
		"closed": func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
	}
	for name, h := range echoes {
		t.Run(name, func(t *testing.T) {
			var log peertest.Log
			r := newRemote(t, serve(t, h)+"/?key="+query, func(c *RemoteConfig) { c.Token = secret.New(token) })
			_, err := r.Current(t.Context())
			_, err2 := r.Refused(t.Context(), faceid.Ticket{})
			if err == nil || err2 == nil {
				t.Fatalf("errors: %v, %v", err, err2)
			}
			text := fmt.Sprintf("%v %+v %#v %v %s", err, err, err, errors.Unwrap(err), log.String())
			search(t, "error", text, []string{token, query, ticket})
		})
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := newRemote(t, serve(t, echoes["body"])+"/?key="+query).Current(ctx); !errors.Is(err, context.Canceled) || strings.Contains(err.Error(), query) {
		t.Errorf("cancelled: %v", err)
	}
}
