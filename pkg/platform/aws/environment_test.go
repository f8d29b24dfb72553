package aws

import (
	"bytes"
	"encoding/json"
	"io"
	"log"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/kycvault/kycvault/pkg/platform"
)

// settings are good ones, with planted secrets; with gives a copy in which some have other values.
type settings map[string]string

func (s settings) lookup(name string) (string, bool) { v, ok := s[name]; return v, ok }

func (s settings) with(pairs ...string) settings {
	changed := settings{}
	for name, value := range s {
		changed[name] = value
	}
	for i := 0; i < len(pairs); i += 2 {
		changed[pairs[i]] = pairs[i+1]
	}
	return changed
}

func good() settings {
	return settings{
		"KYC_APP_ID": "TIDA0001", "KYC_SECRET": "planted-secret", "KYC_TICKET": "own", "KYC_TICKET_TOKEN": "planted-ticket-token",
		"KYC_ARCHIVE": "s3://vault/kyc", "KYC_WEBHOOK_KEY": "planted-webhook-key-0123456789abcdef",
		"KYC_QUEUE_URL": "https://sqs.eu-west-1.amazonaws.com/123456789012/steps",
		"AWS_REGION":    "eu-west-1", "AWS_ACCESS_KEY_ID": "planted-id", "AWS_SECRET_ACCESS_KEY": "planted-key", "AWS_SESSION_TOKEN": "planted-session",
	}
}

// functions are all of them.
func functions() []Function { return []Function{Webhook(), Pull(), Refetch()} }

// TestNewReachesNothing: with settings that are good for it each function is made, without a network, and logs them once without a secret.
func TestNewReachesNothing(t *testing.T) {
	for _, f := range functions() {
		log := new(bytes.Buffer)
		h, err := New(f, Options{Lookup: good().lookup, Version: "1.2.3", Metrics: io.Discard, Log: slog.New(slog.NewJSONHandler(log, nil)), Level: new(slog.LevelVar)})
		if err != nil {
			t.Fatalf("%s: %v", f.name, err)
		}
		s := h.(*starting)
		<-s.made
		if s.err != nil {
			t.Errorf("%s: %v", f.name, s.err)
		}
		if text := log.String(); strings.Contains(text, "planted") || strings.Count(text, "\n") != 1 || !strings.Contains(text, `"KYC_SECRET":"set"`) {
			t.Errorf("%s: log %s", f.name, text)
		}
	}
}

// TestSettingsThatAreWrong: all that is wrong is told at once, and no value is repeated.
func TestSettingsThatAreWrong(t *testing.T) {
	for name, c := range map[string]struct {
		set   settings
		wrong []string // of every function, and "webhook:" of the webhook alone
	}{
		"good":               {good(), nil},
		"nothing":            {settings{}, []string{"AWS_ACCESS_KEY_ID", "AWS_REGION", "AWS_SECRET_ACCESS_KEY", "KYC_APP_ID", "KYC_ARCHIVE", "KYC_QUEUE_URL", "KYC_TICKET", "webhook:KYC_WEBHOOK_KEY"}},
		"no webhook key":     {good().with("KYC_WEBHOOK_KEY", ""), []string{"webhook:KYC_WEBHOOK_KEY"}},
		"no secret":          {good().with("KYC_SECRET", ""), []string{"KYC_SECRET"}},
		"an open webhook":    {good().with("KYC_WEBHOOK_AUTH", "none"), []string{"KYC_WEBHOOK_AUTH"}},
		"a folder":           {good().with("KYC_ARCHIVE", "file:///planted"), []string{"KYC_ARCHIVE"}},
		"COS":                {good().with("KYC_ARCHIVE", "cos://planted-1250000000?region=ap-guangzhou"), []string{"KYC_ARCHIVE"}},
		"no location at all": {good().with("KYC_ARCHIVE", "planted"), []string{"KYC_ARCHIVE"}},
		"a FIFO queue":       {good().with("KYC_QUEUE_URL", "https://sqs.eu-west-1.amazonaws.com/123456789012/steps.fifo"), []string{"KYC_QUEUE_URL"}},
		"a folder, and more": {good().with("KYC_ARCHIVE", "file:///planted", "KYC_STEPS", "11", "KYC_METRICS", "AWS/planted"), []string{"KYC_ARCHIVE", "KYC_METRICS", "KYC_STEPS"}},
	} {
		for _, f := range functions() {
			_, err := New(f, Options{Lookup: c.set.lookup, Metrics: io.Discard, Log: slog.New(slog.DiscardHandler), Level: new(slog.LevelVar)})
			var want, got []string
			for _, name := range c.wrong {
				name, webhookOnly := strings.CutPrefix(name, "webhook:")
				if !webhookOnly || f.name == "webhook" {
					want = append(want, name)
				}
			}
			if err != nil {
				for _, m := range platform.Mistakes(err) {
					name, _, _ := strings.Cut(m, ":")
					got = append(got, name)
				}
				if strings.Contains(err.Error(), "planted") {
					t.Errorf("%s, %s: it repeats a value: %v", f.name, name, err)
				}
			}
			slices.Sort(got)
			if !slices.Equal(got, want) {
				t.Errorf("%s, %s: wrong are %q, want %q: %v", f.name, name, got, want, err)
			}
		}
	}
}

// TestInitError: what is wrong goes into one log line, and to Lambda with a type that it takes.
func TestInitError(t *testing.T) {
	var path, kind string
	var body map[string]any
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		path, kind = r.Method+" "+r.URL.Path, r.Header.Get("Lambda-Runtime-Function-Error-Type")
		_ = json.NewDecoder(r.Body).Decode(&body)
		w.WriteHeader(http.StatusAccepted)
	}))
	defer server.Close()
	_, wrong := load(needs, good().with("KYC_APP_ID", "", "KYC_ARCHIVE", "file:///x").lookup)
	out := new(bytes.Buffer)
	initError(slog.New(slog.NewJSONHandler(out, nil)), strings.TrimPrefix(server.URL, "http://"), wrong)
	if path != "POST /2018-06-01/runtime/init/error" || kind != "Runtime.ConfigInvalid" || body["errorType"] != kind {
		t.Errorf("%s, type %q, body %v", path, kind, body)
	}
	message, _ := body["errorMessage"].(string)
	for _, want := range []string{"KYC_APP_ID: not set; expected", "KYC_ARCHIVE: a function has no folder that outlives it; expected s3://bucket/prefix"} {
		if !strings.Contains(message, want) || !strings.Contains(out.String(), want) {
			t.Errorf("it does not tell %q: %q, log %s", want, message, out)
		}
	}
	if strings.Count(out.String(), "\n") != 1 {
		t.Errorf("not one line: %s", out)
	}
	out.Reset()
	initError(slog.New(slog.NewJSONHandler(out, nil)), "127.0.0.1:1", wrong)
	if !strings.Contains(out.String(), "Lambda could not be told of it") {
		t.Errorf("nobody there: %s", out)
	}
}

// TestRuntimeLog: an error that a handler returned is not logged twice; what only the library knows is.
func TestRuntimeLog(t *testing.T) {
	out := new(bytes.Buffer)
	l := log.New(runtimeLog{slog.New(slog.NewJSONHandler(out, nil))}, "", 0)
	l.Printf("%s", `{"errorMessage":"list pending/: no store","errorType":"Refetch.PassFailed"}`)
	if out.Len() > 0 {
		t.Errorf("twice: %s", out)
	}
	l.Printf("%s", `{"errorMessage":"x","errorType":"string","stackTrace":[{"path":"a.go"}]}`)
	l.Printf("failed to get the next invoke")
	if n := strings.Count(out.String(), `"level":"ERROR"`); n != 2 {
		t.Errorf("%d lines: %s", n, out)
	}
}

// TestUnknownVariables: names only.
func TestUnknownVariables(t *testing.T) {
	out := new(bytes.Buffer)
	warnUnknown(platform.NewLogger(out, new(slog.LevelVar), false), append(os.Environ(), "KYC_ARCHIV=planted"))
	if text := out.String(); !strings.Contains(text, `"variable":"KYC_ARCHIV"`) || strings.Contains(text, "planted") {
		t.Errorf("log: %s", text)
	}
}
