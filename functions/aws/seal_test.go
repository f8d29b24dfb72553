package aws_test

import (
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/kycvault/kycvault/pkg/archive"
	"github.com/kycvault/kycvault/pkg/faceid/faceidtest"
	"github.com/kycvault/kycvault/pkg/peertest"
	"github.com/kycvault/kycvault/pkg/seal"
	"github.com/kycvault/kycvault/pkg/secret"
)

const (
	sealKey   = "PRIVATE+KEY+test.example/vault+85a0ee6e+AQABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f"
	sealGrace = 30 * time.Minute // of the template
)

// TestSeals: refetch seals the windows that are over, whether or not the authority answers, and gets the timestamps when it does
// again; each object is written once, all of it within the role's rights, and what lies there satisfies the command and openssl.
func TestSeals(t *testing.T) {
	t.Parallel()
	tsa, other := startAuthority(t), peertest.StartTSA(t)
	w := newCloudWith(t, sealing(map[string]string{
		"TsaUrl": tsa.url, "TsaCa": base64.StdEncoding.EncodeToString(tsa.root(t).Bytes), "ObjectLock": "governance", "RetainDays": "1",
	}), faceidtest.Config{MediaAfter: -1})
	windows := w.ordersOfTwoWindows()

	tsa.shut.Store(true)
	w.pass(w.refetch)
	w.wantSeals(windows, archive.SealCheckpoint, archive.SealLeaves)
	if logs := w.refetch.Logs(); !strings.Contains(logs, "no timestamp could be had") {
		t.Errorf("the log does not tell that there is no timestamp:\n%s", logs)
	}
	tsa.shut.Store(false)
	stranger := w.start("refetch", []string{"KYC_TSA_CA=" + string(other.Chain)})
	w.pass(stranger)
	w.wantSeals(windows, archive.SealCheckpoint, archive.SealLeaves) // this authority's timestamps are not taken
	w.pass(w.refetch)
	w.wantSeals(windows, archive.SealCheckpoint, archive.SealToken, archive.SealLeaves)
	w.opensslAgrees(tsa.root(t))
	w.satisfiesTheCommand(tsa)

	before := len(w.sealPuts(w.refetch))
	w.pass(w.refetch)
	w.promised("walkaway1")
	w.longAgo(10*time.Minute, "pending/walkaway1.*") // it is handed out
	w.passMakesTheTicket()                           // by a new process
	if after := len(w.sealPuts(w.refetch)); after != before {
		t.Errorf("%d more puts below seals/ by passes that have nothing to seal", after-before)
	}
	if n := writtenOnce(t, append(w.refetch.s3.seen(), stranger.s3.seen()...), "/seals/"); n != 6 {
		t.Errorf("%d objects were written below seals/", n)
	}
	w.rightsAreLeast(w.refetch)
	w.holdsSecrets()
}

// TestTwoFunctionsSealAtOnce: both have seen that there is no seal, and want to write the same one.
func TestTwoFunctionsSealAtOnce(t *testing.T) {
	t.Parallel()
	w := newCloudWith(t, sealing(nil), faceidtest.Config{MediaAfter: -1})
	windows := w.ordersOfTwoWindows()
	both := []*function{w.refetch, w.start("refetch", nil)}
	var ready, done sync.WaitGroup
	ready.Add(len(both))
	for _, f := range both {
		var first sync.Once
		f.s3.make(func(c call) trouble {
			if !c.puts("/seals/") {
				return nil
			}
			return func(rw http.ResponseWriter, r *http.Request) {
				first.Do(ready.Done)
				ready.Wait()
				f.s3.proxy.ServeHTTP(rw, r)
			}
		})
		done.Go(func() { w.pass(f) })
	}
	done.Wait()
	w.wantSeals(windows, archive.SealCheckpoint, archive.SealLeaves)
	puts := w.sealPuts(both...)
	if n := writtenOnce(t, puts, "/seals/"); n != 4 || !slices.ContainsFunc(puts, func(c call) bool { return c.status == http.StatusPreconditionFailed }) {
		t.Errorf("%d objects were written below seals/, with the puts %v", n, puts)
	}
	for _, f := range both {
		if logs := f.Logs(); strings.Contains(logs, `"level":"ERROR"`) {
			t.Errorf("not both went well:\n%s", logs)
		}
	}
	w.callsAreAllowed(both...)
	w.satisfiesTheCommand(nil)
}

// sealing are the parameters of a stack that seals, with more. No window is over within the next minutes.
func sealing(more map[string]string) map[string]string {
	every := 24 * time.Hour
	for time.Now().Add(10*time.Minute-sealGrace).Sub(lastEnd(every)) >= every {
		every += time.Hour
	}
	all := map[string]string{"Seal": "yes", "SealEvery": fmt.Sprintf("%dh", every/time.Hour)}
	maps.Copy(all, more)
	return all
}

// lastEnd is where the last window that is over ends: windows start at multiples of their length.
func lastEnd(every time.Duration) time.Time {
	period := int64(every / time.Second)
	return time.Unix(time.Now().Add(-sealGrace).Unix()/period*period, 0).UTC()
}

// ordersOfTwoWindows archives an order in each of the last two windows that are over, and gives the windows' names.
func (w *cloud) ordersOfTwoWindows() (windows []string) {
	w.t.Helper()
	every, err := time.ParseDuration(w.stack.Parameters["SealEvery"])
	if err != nil {
		w.t.Fatal(err)
	}
	end := lastEnd(every)
	for i, order := range []string{"own1", "png1"} {
		start := end.Add(time.Duration(i-2) * every)
		w.archivedAt(start.Add(every-time.Hour), order)
		windows = append(windows, archive.SealName(start))
	}
	return windows
}

// archivedAt lets pull archive an order, and then sets it back: its manifest and journal entry are made anew, as if pull had made
// them then.
func (w *cloud) archivedAt(at time.Time, order string) {
	w.t.Helper()
	w.promised(order)
	for len(w.files("journal/*/*."+order+".*")) == 0 {
		w.poll(w.t.Context(), w.pulls[0], mischief{})
	}
	vault := archive.New(w.bucket)
	all, err := vault.Manifests(w.t.Context(), archive.Order(order))
	if err != nil || len(all) != 1 {
		w.t.Fatalf("%d manifests, %v", len(all), err)
	}
	for _, file := range append(w.files("orders/"+order+"/manifest.json"), w.files("journal/*/*."+order+".*")...) {
		if err := os.Remove(file); err != nil {
			w.t.Fatal(err)
		}
	}
	m := all[0].Manifest
	m.FirstSeen, m.ArchivedAt = at, at
	s, err := vault.CreateManifest(w.t.Context(), 1, m)
	if err == nil {
		err = vault.Journal(w.t.Context(), s)
	}
	if err != nil {
		w.t.Fatal(err)
	}
}

// pass gives a refetch function the schedule's event.
func (w *cloud) pass(f *function) {
	w.t.Helper()
	event, err := os.ReadFile(filepath.Join("..", "..", "events", "aws", "refetch-schedule.json"))
	if err != nil {
		w.t.Fatal(err)
	}
	if answer, failed := f.Invoke(w.t.Context(), event, timeout); failed != nil || string(answer) != "null" {
		w.t.Errorf("pass: %s, %v\n%s", answer, failed, f.Logs())
	}
}

// wantSeals wants these objects in the store for each window, and no others below seals/.
func (w *cloud) wantSeals(windows []string, objects ...string) {
	w.t.Helper()
	var want, got []string
	for _, window := range windows {
		for _, object := range objects {
			want = append(want, window+"/"+object)
		}
	}
	for _, file := range w.files("seals/*/*") {
		got = append(got, filepath.Base(filepath.Dir(file))+"/"+filepath.Base(file))
	}
	if !slices.Equal(got, want) {
		w.t.Fatalf("below seals/ lie %q, want %q\n%s", got, want, w.refetch.Logs())
	}
}

// sealPuts are the functions' puts below seals/, those too that were refused.
func (w *cloud) sealPuts(functions ...*function) (puts []call) {
	for _, f := range functions {
		for _, c := range f.s3.seen() {
			if c.puts("/seals/") {
				puts = append(puts, c)
			}
		}
	}
	return puts
}

// satisfiesTheCommand: kycvault verify finds nothing with the right key, and all seals bad with another one.
func (w *cloud) satisfiesTheCommand(tsa *authority) {
	w.t.Helper()
	key, err := seal.ParseKey(secret.New(sealKey))
	if err != nil {
		w.t.Fatal(err)
	}
	_, foreign, err := seal.NewKey("test.example/vault")
	if err != nil {
		w.t.Fatal(err)
	}
	args, says := []string{"verify", "--read-only"}, "2 seals, 0 timestamps, 2 leaves read"
	if tsa != nil {
		args, says = append(args, "--tsa-ca", w.file("tsa-ca.pem", pem.EncodeToMemory(tsa.root(w.t)))), "2 seals, 2 timestamps, 2 leaves read"
	}
	if code, output := w.kycvault(append(args, "--seal-key", w.file("seal-key.pub", []byte(key.Public())))...); code != 0 || !strings.Contains(output, says) {
		w.t.Errorf("kycvault verify ends with %d:\n%s", code, output)
	}
	if code, output := w.kycvault(append(args, "--seal-key", foreign)...); code != 1 || strings.Count(output, seal.BadSeal) < 2 {
		w.t.Errorf("with another key, kycvault verify ends with %d:\n%s", code, output)
	}
}

// opensslAgrees runs what docs/evidence.md says on each checkpoint and its timestamp.
func (w *cloud) opensslAgrees(root *pem.Block) {
	w.t.Helper()
	ca := w.file("tsa-ca.pem", pem.EncodeToMemory(root))
	for _, token := range w.files("seals/*/" + archive.SealToken) {
		cmd := exec.CommandContext(w.t.Context(), peertest.Program(w.t, "openssl"), "ts", "-verify", "-data", "checkpoint", "-in", "checkpoint.tsr", "-CAfile", ca)
		cmd.Dir = filepath.Dir(token)
		if out, err := cmd.CombinedOutput(); err != nil || !strings.Contains(string(out), "Verification: OK") {
			w.t.Errorf("openssl ts -verify: %v\n%s", err, out)
		}
	}
}

// authority is a real timestamp authority that can be shut.
type authority struct {
	tsa  *peertest.TSA
	url  string
	shut atomic.Bool
}

func startAuthority(t *testing.T) *authority {
	a := &authority{tsa: peertest.StartTSA(t)}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if a.shut.Load() {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		a.tsa.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	a.url = server.URL
	return a
}

// root is the certificate that all others lead to: the last of the chain.
func (a *authority) root(t *testing.T) (root *pem.Block) {
	t.Helper()
	for block, rest := pem.Decode(a.tsa.Chain); block != nil; block, rest = pem.Decode(rest) {
		root = block
	}
	if root == nil {
		t.Fatal("the authority has no certificate")
	}
	return root
}
