package tencent

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/kycvault/kycvault/pkg/bucket"
	"github.com/kycvault/kycvault/pkg/kyc"
	"github.com/kycvault/kycvault/pkg/platform"
)

// TestMistakesAreListed: every invocation of every function tells all of them, the log once; then one without mistakes works.
func TestMistakesAreListed(t *testing.T) {
	live(t, nil, func(h *house) {
		good := maps.Clone(h.variables)
		h.variables["KYC_APP_ID"], h.variables["KYC_STEPS"], h.variables["KYC_PULL_FUNCTION"] = "planted", "planted", "planted//"
		h.variables["KYC_ARCHIVE"] = "file:///planted"
		all := []string{"KYC_APP_ID", "KYC_STEPS", "KYC_PULL_FUNCTION", "KYC_ARCHIVE: a function has no folder"}
		for range 3 {
			for f, event := range map[*Function][]byte{h.pull: []byte(`{}`), h.refetch: timer} {
				_, err := h.invoke(f, event, timeLimit)
				for _, want := range all {
					if err == nil || !strings.Contains(err.Error(), want) {
						t.Errorf("%v lacks %q", err, want)
					}
				}
				if err != nil && strings.Contains(err.Error(), "planted") {
					t.Errorf("%v repeats a value", err)
				}
			}
			answer, err := h.invoke(h.webhook, httpCall("/healthz", ""), timeLimit)
			wantProblem(t, answer, err, 500)
			if strings.Contains(string(answer), "KYC_") {
				t.Errorf("a stranger is told %s", answer)
			}
		}
		if n := strings.Count(h.logs.String(), "settings are wrong"); n != 3 {
			t.Errorf("the log has it %d times, want once a function", n)
		}
		h.variables = good
		h.warm()
		if answer, err := h.invoke(h.webhook, httpCall("/healthz", ""), timeLimit); err != nil || !strings.Contains(string(answer), `"statusCode":200`) {
			t.Errorf("after the mistakes were mended: %s, %v", answer, err)
		}
	})
}

// wantProblem checks that an answer is a problem document in SCF's form.
func wantProblem(t *testing.T, answer []byte, err error, status int) {
	t.Helper()
	var r response
	if err != nil || json.Unmarshal(answer, &r) != nil {
		t.Fatalf("%s, %v", answer, err)
	}
	var p struct{ Status int }
	if json.Unmarshal([]byte(r.Body), &p) != nil || r.Status != status || p.Status != status || r.Headers["Content-Type"] != "application/problem+json" {
		t.Errorf("%+v, want a problem of status %d", r, status)
	}
}

func TestOtherStoresAreRefused(t *testing.T) {
	for location, want := range map[string]string{
		"file:///var/kyc": "a function has no folder that outlives it",
		"s3://kyc-bucket": "this function was built without the driver for s3://; expected cos://bucket-appid/prefix",
		"":                "KYC_ARCHIVE: not set",
	} {
		live(t, func(o *Options, _ *house) { o.Bucket = nil }, func(h *house) {
			h.variables["KYC_ARCHIVE"] = location
			if _, err := h.invoke(h.refetch, timer, timeLimit); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%q: %v, want %q", location, err, want)
			}
		})
	}
}

const sealKey = "PRIVATE+KEY+test.example/vault+85a0ee6e+AQABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f"

// TestSealKeyIsRefused by those that do not seal: nobody would see that it lies there for nothing.
func TestSealKeyIsRefused(t *testing.T) {
	live(t, nil, func(h *house) {
		h.variables["KYC_SEAL_KEY"] = sealKey
		if _, err := h.invoke(h.pull, []byte(`[]`), timeLimit); err == nil || !strings.Contains(err.Error(), "KYC_SEAL_KEY: this function seals nothing") || strings.Contains(err.Error(), "PRIVATE") {
			t.Errorf("pull: %v", err)
		}
		answer, err := h.invoke(h.webhook, httpCall("/healthz", ""), timeLimit)
		wantProblem(t, answer, err, 500)
		if log := h.logs.String(); strings.Count(log, "KYC_SEAL_KEY: this function seals nothing") != 2 || strings.Contains(log, "PRIVATE") {
			t.Errorf("the log has: %s", log)
		}
		delete(h.variables, "KYC_SEAL_KEY")
		if _, err := h.invoke(h.pull, []byte(`[]`), timeLimit); err != nil {
			t.Errorf("pull without it: %v", err)
		}
	})
}

// TestRefetchSeals: with the key that came with an invocation, a pass closes a window; settings that can not be used are told by
// name, and those that come with a later invocation are taken.
func TestRefetchSeals(t *testing.T) {
	live(t, nil, func(h *house) {
		h.variables["KYC_SEAL_KEY"], h.variables["KYC_TSA_URL"], h.variables["KYC_TSA_CA"] = sealKey, "http://127.0.0.1:1", "no-such-file"
		if _, err := h.invoke(h.refetch, timer, timeLimit); err == nil || !strings.Contains(err.Error(), "KYC_TSA_CA") {
			t.Errorf("without the authority's file: %v", err)
		}
		delete(h.variables, "KYC_TSA_URL")
		delete(h.variables, "KYC_TSA_CA")
		h.warm()
		if got := h.seals(); len(got) != 2 {
			t.Errorf("a pass made %q, want leaves and a checkpoint", got)
		}
		h.warm()
		time.Sleep(24 * time.Hour)
		h.warm()
		if got := h.seals(); len(got) != 4 {
			t.Errorf("a day later there are %q", got)
		}
		if log := h.logs.String(); strings.Contains(log, "PRIVATE") || strings.Count(log, `"msg":"sealed"`) != 2 {
			t.Errorf("the log has: %s", log)
		}
	})
}

// TestNothingIsSealedWithoutKey: not one key below seals/.
func TestNothingIsSealedWithoutKey(t *testing.T) {
	live(t, nil, func(h *house) {
		h.variables["KYC_SEAL_KEY"] = "" // as a parameter that is not set may come
		h.warm()
		if got := h.seals(); len(got) != 0 {
			t.Errorf("%q", got)
		}
	})
}

// seals are the keys below seals/.
func (h *house) seals() (keys []string) {
	h.t.Helper()
	for o, err := range h.bucket.List(h.t.Context(), "seals/", "") {
		if err != nil {
			h.t.Fatal(err)
		}
		keys = append(keys, o.Key)
	}
	return keys
}

// TestRegionIsNeeded: from the location, its endpoint, or the runtime.
func TestRegionIsNeeded(t *testing.T) {
	for location, works := range map[string]bool{
		"cos://kyc-1250000000": false, "cos://kyc-1250000000?region=ap-guangzhou": true, "cos://kyc-1250000000?endpoint=https://kyc.example.com": true,
	} {
		vars := variables()
		vars["KYC_ARCHIVE"] = location
		lookup := func(name string) (string, bool) { v, ok := vars[name]; return v, ok }
		if _, err := load(special{}, place{lookup: lookup}); (err == nil) != works {
			t.Errorf("%s: %v", location, err)
		}
		if _, err := load(special{}, place{lookup: lookup, region: "ap-shanghai"}); err != nil {
			t.Errorf("%s, in a region: %v", location, err)
		}
	}
}

// TestPanicsStayInside: scf-go-lib would show them to the caller, and end the process.
func TestPanicsStayInside(t *testing.T) {
	live(t, nil, func(h *house) {
		thrown := func(context.Context, *system, platform.Times, []byte) ([]byte, error) {
			panic("planted: what was thrown")
		}
		h.webhook.run, h.refetch.run = thrown, thrown
		if _, err := h.invoke(h.refetch, timer, timeLimit); !errors.Is(err, errPanic) {
			t.Error(err)
		}
		answer, err := h.invoke(h.webhook, httpCall("/healthz", ""), timeLimit)
		wantProblem(t, answer, err, 500)
		if n := strings.Count(h.logs.String(), `"invocation panicked"`); n != 2 {
			t.Errorf("the log has it %d times", n)
		}
	})
}

// unreachable is an archive that can not be listed.
type unreachable struct{ bucket.Bucket }

func (unreachable) Now(context.Context) (time.Time, error) { return time.Time{}, errArchive }

func (unreachable) Create(context.Context, string, bucket.Content) error { return errArchive }

// TestFailedPassIsAnError: for SCF to count; the log has why.
func TestFailedPassIsAnError(t *testing.T) {
	live(t, func(o *Options, h *house) { o.Bucket = unreachable{h.bucket} }, func(h *house) {
		if _, err := h.invoke(h.refetch, timer, timeLimit); !errors.Is(err, errPass) {
			t.Error(err)
		}
		if log := h.logs.String(); !strings.Contains(log, `"msg":"pass"`) || !strings.Contains(log, errArchive.Error()) {
			t.Errorf("the log says nothing of it: %s", log)
		}
	})
}

// TestUnwritableArchiveIsA503: the caller comes again; it is no 202 and no Go error.
func TestUnwritableArchiveIsA503(t *testing.T) {
	live(t, func(o *Options, h *house) { o.Bucket = unreachable{h.bucket} }, func(h *house) {
		answer, err := h.invoke(h.webhook, h.completion("ok1"), timeLimit)
		wantProblem(t, answer, err, 503)
	})
}

// TestLostMessageLosesNoOrder: the 202 stands, and a pass finds the marker.
func TestLostMessageLosesNoOrder(t *testing.T) {
	live(t, nil, func(h *house) {
		h.warm()
		h.lost = errors.New("SCF API: RequestLimitExceeded")
		h.complete("ok1")
		h.lost = nil
		time.Sleep(5 * time.Minute)
		h.warm()
		if last := h.sent[len(h.sent)-1]; last.Order != "ok1" || !last.Single {
			t.Fatalf("the pass handed out %+v", last)
		}
	})
}

// TestTypingMistakesAreTold, once.
func TestTypingMistakesAreTold(t *testing.T) {
	live(t, nil, func(h *house) {
		h.variables["KYC_WEBHOK_KEY"] = "planted"
		h.warm()
		h.warm()
		if n := strings.Count(h.logs.String(), "KYC_WEBHOK_KEY"); n != 1 {
			t.Errorf("told %d times", n)
		}
	})
}

// TestCredentialsRotate: those of the latest invocation count, as one set; one that brings none takes none away.
func TestCredentialsRotate(t *testing.T) {
	live(t, nil, func(h *house) {
		role := &h.pull.core.role
		if _, err := role.credentials(); err == nil || !strings.Contains(err.Error(), secretIDVariable) {
			t.Errorf("before the first invocation: %v", err)
		}
		for _, set := range []string{"1", "2", "2", "", "3"} {
			for _, name := range []string{secretIDVariable, secretKeyVariable, sessionTokenVariable} {
				if h.variables[name] = name + set; set == "" {
					delete(h.variables, name)
				}
			}
			if _, err := h.invoke(h.pull, []byte(`[]`), timeLimit); err != nil {
				t.Error(err)
			}
			got, err := role.credentials()
			if set == "" {
				set = "2"
			}
			if err != nil || got.SecretID != secretIDVariable+set || got.SecretKey.Reveal() != secretKeyVariable+set || got.SessionToken.Reveal() != sessionTokenVariable+set {
				t.Errorf("set %s: %s, %v", set, got.SecretID, err)
			}
		}
	})
}

// TestPullSendsNothing: its steps are its own.
func TestPullSendsNothing(t *testing.T) {
	if err := (none{}).Delay(t.Context(), kyc.Message{}); err == nil {
		t.Error("it sent a message")
	}
}
