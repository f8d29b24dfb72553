package scf_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/kycvault/kycvault/pkg/archive"
	"github.com/kycvault/kycvault/pkg/delay/scf"
	"github.com/kycvault/kycvault/pkg/delay/scf/scftest"
	"github.com/kycvault/kycvault/pkg/kyc"
	"github.com/kycvault/kycvault/pkg/secret"
)

const (
	secretKey = "planted-secret-key"
	token     = "planted-session-token"
)

// direct is a transport without a network, so that fake time goes on; ErrAbortHandler is a broken connection.
type direct struct{ handler http.Handler }

func (d direct) RoundTrip(r *http.Request) (res *http.Response, err error) {
	defer func() {
		if thrown := recover(); thrown != nil {
			res, err = nil, errors.New("connection reset")
		}
	}()
	w := httptest.NewRecorder()
	d.handler.ServeHTTP(w, r)
	return w.Result(), r.Context().Err()
}

// bench is an API and a delayer that calls it.
type bench struct {
	*scf.Delayer
	t   *testing.T
	api *scftest.Server

	mu     sync.Mutex
	events []scftest.Event
}

// at makes a delayer for a stand-in; c may leave out Keys and Deliver.
func at(t *testing.T, c scftest.Config) *bench {
	t.Helper()
	b := &bench{t: t}
	if c.Keys == nil {
		c.Keys = func(id string) (scftest.Key, bool) {
			return scftest.Key{Secret: secretKey, Token: token}, id == "AKIDexample"
		}
	}
	c.Deliver = func(e scftest.Event) {
		b.mu.Lock()
		defer b.mu.Unlock()
		b.events = append(b.events, e)
	}
	b.api = scftest.New(c)
	b.Delayer = b.with(scf.Config{})
	return b
}

func (b *bench) with(c scf.Config) *scf.Delayer {
	b.t.Helper()
	if c.Function.Name == "" {
		c.Function = scf.Function{Name: "kycvault-pull"}
	}
	if c.Credentials == nil {
		c.Credentials = func(context.Context) (scf.Credential, error) {
			return scf.Credential{SecretID: "AKIDexample", SecretKey: secret.New(secretKey), SessionToken: secret.New(token)}, nil
		}
	}
	c.Region, c.Transport = "ap-guangzhou", direct{b.api}
	d, err := scf.New(c)
	if err != nil {
		b.t.Fatal(err)
	}
	return d
}

func messages(n int, single bool) (all []kyc.Message) {
	for i := range n {
		all = append(all, kyc.Message{V: 1, Order: archive.Order(fmt.Sprintf("order%07d", i)), Opening: "0123456789abcdef0123456789",
			Attempt: 1, NotBefore: time.Date(2026, 11, 25, 0, 0, 0, 0, time.UTC), Single: single})
	}
	return all
}

// TestLiveMessagesGoAlone: each live message is an event of its own, a step message as the contract has it.
func TestLiveMessagesGoAlone(t *testing.T) {
	b := at(t, scftest.Config{Functions: []string{"kycvault-pull"}, Region: "ap-guangzhou"})
	live := messages(3, false)
	if err := b.Delay(t.Context(), live...); err != nil {
		t.Fatal(err)
	}
	seen := map[archive.Order]bool{}
	for _, e := range b.events {
		if bytes.HasPrefix(e.Payload, []byte("[")) {
			t.Errorf("event %s is an array", e.Payload)
		}
		got, err := kyc.ParseMessages(e.Payload)
		if err != nil || len(got) != 1 {
			t.Fatalf("event %s: %v", e.Payload, err)
		}
		seen[got[0].Order] = true
	}
	if len(seen) != 3 {
		t.Errorf("orders %v", seen)
	}
}

// TestSinglesArePacked: many single tries make few events, none too large, and none is lost.
func TestSinglesArePacked(t *testing.T) {
	b := at(t, scftest.Config{})
	all := messages(1000, true)
	long := make([]string, 20)
	for i := range long {
		long[i] = strings.Repeat("f", 64)
	}
	for i := range all[:100] {
		all[i].Odd = long // a note may hold many digests
	}
	if err := b.Delay(t.Context(), all...); err != nil {
		t.Fatal(err)
	}
	orders := map[archive.Order]int{}
	for _, e := range b.events {
		got, err := kyc.ParseMessages(e.Payload)
		if err != nil || len(e.Payload) > 128_000 || e.Payload[0] != '[' {
			t.Errorf("an event of %d bytes: %v", len(e.Payload), err)
		}
		for _, m := range got {
			orders[m.Order]++
		}
	}
	if len(b.events) != 4 || len(orders) != 1000 {
		t.Errorf("%d events with %d orders, want 4 with 1000", len(b.events), len(orders))
	}
}

// TestFunctionIsNamed: namespace and qualifier go along where they are given.
func TestFunctionIsNamed(t *testing.T) {
	b := at(t, scftest.Config{})
	for _, name := range []string{"kycvault-pull", "prod/kycvault-pull", "kycvault-pull:$LATEST", "prod/kycvault-pull:3"} {
		f, err := scf.ParseFunction(name)
		if err != nil || f.String() != name {
			t.Errorf("%q is read as %q, %v", name, f, err)
		}
		if err := b.with(scf.Config{Function: f}).Delay(t.Context(), messages(1, false)...); err != nil {
			t.Fatal(err)
		}
		e := b.events[len(b.events)-1]
		if got := (scf.Function{Namespace: e.Namespace, Name: e.Function, Qualifier: e.Qualifier}); got != f {
			t.Errorf("%q arrived as %q", name, got)
		}
	}
	for _, bad := range []string{"", "/name", "name:", "a/b/c", "a:b:c", "1name", "näme", "qcs::scf:ap-guangzhou:uin/1:name"} {
		if f, err := scf.ParseFunction(bad); err == nil {
			t.Errorf("%q is read as %q", bad, f)
		}
	}
}

// TestCredentialsAreReadForEachCall: they rotate during the life of a delayer.
func TestCredentialsAreReadForEachCall(t *testing.T) {
	generation := 1
	b := at(t, scftest.Config{Keys: func(id string) (scftest.Key, bool) {
		n := fmt.Sprint(generation)
		return scftest.Key{Secret: "key" + n, Token: "token" + n}, id == "id"+n
	}})
	d := b.with(scf.Config{Credentials: func(context.Context) (scf.Credential, error) {
		n := fmt.Sprint(generation)
		return scf.Credential{SecretID: "id" + n, SecretKey: secret.New("key" + n), SessionToken: secret.New("token" + n)}, nil
	}})
	for generation = range 3 {
		if err := d.Delay(t.Context(), messages(1, false)...); err != nil {
			t.Errorf("generation %d: %v", generation, err)
		}
	}
}

// TestRefusals: what can not pass ends at once, and says what to do; nothing secret is in it.
func TestRefusals(t *testing.T) {
	for name, c := range map[string]struct {
		config scftest.Config
		scf    scf.Config
		want   string
		calls  int
	}{
		"function": {config: scftest.Config{Functions: []string{"another"}}, want: "look at KYC_PULL_FUNCTION", calls: 1},
		"region":   {config: scftest.Config{Region: "ap-shanghai"}, want: "look at KYC_PULL_FUNCTION", calls: 1},
		"rights": {config: scftest.Config{Fault: func(int, scftest.Event) *scftest.Fault { return &scftest.Fault{Code: "UnauthorizedOperation.CAM"} }},
			want: "lacks the right", calls: 1},
		"key":   {scf: credentials("AKIDexample", "wrong", token), want: "credentials were refused", calls: 1},
		"token": {scf: credentials("AKIDexample", secretKey, "old"), want: "credentials were refused", calls: 1},
		"none":  {scf: credentials("", "", ""), want: "no credentials", calls: 0},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := at(t, c.config)
				err := b.with(c.scf).Delay(t.Context(), messages(1, false)...)
				if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "1 of 1 events") {
					t.Errorf("%v, want %q", err, c.want)
				}
				for _, planted := range []string{secretKey, token, "wrong", "order0"} {
					if err != nil && strings.Contains(err.Error(), planted) {
						t.Errorf("%v holds %q", err, planted)
					}
				}
				if n := len(b.api.Calls()); n != c.calls {
					t.Errorf("%d calls, want %d", n, c.calls)
				}
			})
		})
	}
}

func credentials(id, key, token string) scf.Config {
	return scf.Config{Credentials: func(context.Context) (scf.Credential, error) {
		return scf.Credential{SecretID: id, SecretKey: secret.New(key), SessionToken: secret.New(token)}, nil
	}}
}

// TestHopelessFailuresEndTheRest: a function that is not there is not asked for a thousand times.
func TestHopelessFailuresEndTheRest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := at(t, scftest.Config{Functions: []string{"another"}})
		err := b.Delay(t.Context(), messages(100, false)...)
		if err == nil || !strings.Contains(err.Error(), "100 of 100 events failed") || !strings.Contains(err.Error(), "KYC_PULL_FUNCTION") {
			t.Error(err)
		}
		if n := len(b.api.Calls()); n > 8 {
			t.Errorf("%d calls", n)
		}
	})
}

// TestPassingFaults: what passes by itself is tried again, also when the event was taken and only the answer lost.
func TestPassingFaults(t *testing.T) {
	for name, f := range map[string]scftest.Fault{
		"limit":    {Code: "RequestLimitExceeded"},
		"internal": {Code: "InternalError.Exception"},
		"gateway":  {Status: http.StatusBadGateway},
		"lost":     {Lost: true},
		"taken":    {Lost: true, Taken: true},
		"page":     {Status: http.StatusOK},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := at(t, scftest.Config{Fault: func(n int, _ scftest.Event) *scftest.Fault {
					if n <= 2 {
						return &f
					}
					return nil
				}})
				start := time.Now()
				if err := b.Delay(t.Context(), messages(1, false)...); err != nil {
					t.Error(err)
				}
				if len(b.events) == 0 || time.Since(start) > 2*time.Second {
					t.Errorf("%d events after %s", len(b.events), time.Since(start))
				}
			})
		})
	}
}

// TestLastingFaultEnds: three tries, then the error says why; other events are not held up by it.
func TestLastingFaultEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := at(t, scftest.Config{Fault: func(_ int, e scftest.Event) *scftest.Fault {
			if bytes.Contains(e.Payload, []byte("order0000001")) {
				return &scftest.Fault{Lost: true}
			}
			return nil
		}})
		err := b.Delay(t.Context(), messages(3, false)...)
		if err == nil || !strings.Contains(err.Error(), "1 of 3 events failed: reach SCF API: connection reset") {
			t.Error(err)
		}
		if len(b.events) != 2 || len(b.api.Calls()) != 5 {
			t.Errorf("%d events, %d calls", len(b.events), len(b.api.Calls()))
		}
	})
}

// TestSilentAPI: one that never answers costs a message, and so the webhook's caller, five seconds once.
func TestSilentAPI(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		calls := 0
		d, err := scf.New(scf.Config{Function: scf.Function{Name: "f"}, Region: "r", Credentials: credentials("a", "b", "").Credentials,
			Transport: direct{http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { calls++; <-r.Context().Done() })}})
		if err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		if err := d.Delay(t.Context(), messages(1, false)...); err == nil || !strings.Contains(err.Error(), "reach SCF API") {
			t.Error(err)
		}
		if took := time.Since(start); calls != 1 || took > 6*time.Second {
			t.Errorf("%d calls in %s", calls, took)
		}
	})
}

// TestAnswersThatAreNone: an answer without a result or with a bad one is no success.
func TestAnswersThatAreNone(t *testing.T) {
	for _, body := range []string{`{}`, `{"Response":{}}`, `{"Response":{"RequestId":"r"}}`, `{"Response":{"RequestId":"r","Result":{"InvokeResult":1}}}`, `[]`, ``} {
		synctest.Test(t, func(t *testing.T) {
			d, err := scf.New(scf.Config{Function: scf.Function{Name: "f"}, Region: "r", Credentials: credentials("a", "b", "").Credentials,
				Transport: direct{http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(body)) })}})
			if err != nil {
				t.Fatal(err)
			}
			if err := d.Delay(t.Context(), messages(1, false)...); err == nil {
				t.Errorf("%q was taken for success", body)
			}
		})
	}
}

// TestRateIsKept: 60 calls take four seconds, whoever makes them.
func TestRateIsKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := at(t, scftest.Config{PerSecond: 16})
		start := time.Now()
		var wg sync.WaitGroup
		for range 3 {
			wg.Go(func() {
				if err := b.Delay(t.Context(), messages(20, false)...); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if took := time.Since(start); took < 3900*time.Millisecond || took > 4100*time.Millisecond {
			t.Errorf("60 calls took %s", took)
		}
	})
}

// TestEndedContextEndsDelay: who waits for a turn does not outlast its caller.
func TestEndedContextEndsDelay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := at(t, scftest.Config{})
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		err := b.Delay(ctx, messages(100, false)...)
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
		if n := len(b.events); n < 14 || n > 16 {
			t.Errorf("%d events in a second", n)
		}
	})
}

func TestRoom(t *testing.T) {
	b := at(t, scftest.Config{})
	for within, want := range map[time.Duration]int{5 * time.Minute: 9000, 0: 4} {
		if got, err := b.Room(t.Context(), within); err != nil || got != want {
			t.Errorf("%d within %s, %v", got, within, err)
		}
	}
}

func TestNewListsMistakes(t *testing.T) {
	_, err := scf.New(scf.Config{Endpoint: "ftp://x"})
	for _, want := range []string{"no function", "no region", "no credentials", "endpoint"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v lacks %q", err, want)
		}
	}
}

// TestOverARealConnection: the endpoint's port is part of what is signed.
func TestOverARealConnection(t *testing.T) {
	api := scftest.New(scftest.Config{Keys: func(string) (scftest.Key, bool) { return scftest.Key{Secret: secretKey}, true }})
	server := httptest.NewServer(api)
	defer server.Close()
	c := credentials("AKIDexample", secretKey, "")
	c.Function, c.Region, c.Endpoint = scf.Function{Name: "f"}, "ap-guangzhou", server.URL
	d, err := scf.New(c)
	if err != nil {
		t.Fatal(err)
	}
	if err := d.Delay(t.Context(), messages(5, false)...); err != nil {
		t.Error(err)
	}
	if n := len(api.Calls()); n != 5 {
		t.Errorf("%d calls", n)
	}
}
