package tencent_test

import (
	"bytes"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/kycvault/kycvault/pkg/archive"
	"github.com/kycvault/kycvault/pkg/bucket"
	"github.com/kycvault/kycvault/pkg/bucket/cosbucket/costest"
	"github.com/kycvault/kycvault/pkg/peertest"
	"github.com/kycvault/kycvault/pkg/seal"
	"github.com/kycvault/kycvault/pkg/seal/stamp"
	"github.com/kycvault/kycvault/pkg/secret"
)

// sealKey makes a private key, and its public one.
func sealKey(t *testing.T) (secret.Text, seal.PublicKey) {
	t.Helper()
	private, public, err := seal.NewKey("test.example/vault")
	if err != nil {
		t.Fatal(err)
	}
	key, err := seal.ParsePublicKey(public)
	if err != nil {
		t.Fatal(err)
	}
	return private, key
}

// past is the start of an hour, counted back from the one that the deployment was made in.
func (d *deployment) past(hours int) time.Time {
	return d.made.Truncate(time.Hour).Add(-time.Duration(hours) * time.Hour)
}

// archivedAt is an order that was archived then, with a photo, a manifest and its journal entry.
func (d *deployment) archivedAt(order archive.Order, at time.Time) {
	d.t.Helper()
	a, ctx := archive.New(d.bucket), d.t.Context()
	e, err := a.KeepEvidence(ctx, order, archive.Photo, "jpg", bucket.Bytes([]byte("photo of "+order), "image/jpeg"))
	if err != nil {
		d.t.Fatal(err)
	}
	s, err := a.CreateManifest(ctx, 1, archive.Manifest{
		Order: order, AppID: appID, State: archive.Archived, FirstSeen: at, ArchivedAt: at,
		Files: []archive.File{{Name: e.File(), Kind: e.Kind, Size: e.Size, SHA256: e.Digest}},
	})
	if err == nil {
		err = a.Journal(ctx, s)
	}
	if err != nil {
		d.t.Fatal(err)
	}
}

// sealing are the variables of a refetch function that seals the hours that ended before a time.
func sealing(key secret.Text, before time.Time) map[string]string {
	grace := time.Since(before).Truncate(time.Second)
	return map[string]string{"KYC_SEAL_KEY": key.Reveal(), "KYC_SEAL_EVERY": "1h", "KYC_SEAL_GRACE": grace.String()}
}

// reset gives the refetch function other variables, and a new instance with them, as an update of the function does.
func (d *deployment) reset(env map[string]string) {
	d.refetch.Set(env)
	d.refetch.Kill()
}

// passes makes a pass.
func (d *deployment) passes() {
	d.t.Helper()
	if err := d.pass(d.t.Context()); err != nil {
		d.t.Fatalf("%v\n%s", err, d.logs())
	}
}

// refetchLog gives all that refetch wrote. Its instances end for that: what they wrote last may still be on its way.
func (d *deployment) refetchLog() string {
	d.refetch.Kill()
	return d.refetch.Logs()
}

// sealed gives the leaves of each seal, "hour: order order(late)", where the hour is one of past.
func (d *deployment) sealed() string {
	d.t.Helper()
	var all strings.Builder
	a := archive.New(d.bucket)
	for s, err := range a.ScanSeals(d.t.Context(), time.Time{}) {
		if err != nil {
			d.t.Fatal(err)
		}
		if s.Object != archive.SealLeaves {
			continue
		}
		r, err := a.OpenSeal(d.t.Context(), s.Start, archive.SealLeaves)
		if err != nil {
			d.t.Fatal(err)
		}
		fmt.Fprintf(&all, "%d:", int(d.past(0).Sub(s.Start).Hours()))
		for l, err := range seal.ReadLeaves(r) {
			if err != nil {
				d.t.Fatal(err)
			}
			fmt.Fprintf(&all, " %s", l.Order)
			if l.Late {
				all.WriteString("(late)")
			}
		}
		_ = r.Close()
		all.WriteString("; ")
	}
	return all.String()
}

func (d *deployment) wantSealed(want string) {
	d.t.Helper()
	d.cos.Settle()
	if got := d.sealed(); got != want {
		d.t.Errorf("sealed is\n%s\nwant\n%s", got, want)
	}
}

// chainHolds lets the checker of kycvault verify judge the seals, their signatures, and their timestamps if there is an authority.
// Each object of them was created once, and no pass had trouble with them.
func (d *deployment) chainHolds(key seal.PublicKey, before time.Time, roots *stamp.Roots) seal.Sealed {
	d.t.Helper()
	o := seal.VerifyOptions{Keys: []seal.PublicKey{key}, Grace: time.Since(before)}
	if roots != nil {
		o.Stamped = true
		o.CheckToken = func(signed, token []byte) (time.Time, error) {
			t, err := stamp.Check(signed, token, roots)
			return t.Time, err
		}
	}
	sum, err := seal.Verify(d.t.Context(), archive.New(d.bucket), func(damage archive.Damage) { d.t.Errorf("damage: %+v", damage) }, o)
	if err != nil {
		d.t.Error(err)
	}
	for key, n := range d.sealWrites() {
		if n != 1 {
			d.t.Errorf("%s was stored %d times", key, n)
		}
	}
	if log := d.refetchLog(); strings.Contains(log, "no seal could be made") {
		d.t.Errorf("a pass had trouble:\n%s", log)
	}
	return sum
}

// sealWrites counts how often each object of a seal was stored; it was to be created, and by refetch.
func (d *deployment) sealWrites() map[string]int {
	d.t.Helper()
	stored := map[string]int{}
	for _, c := range d.cos.History() {
		if !c.Changed || !strings.HasPrefix(c.Key, prefix+"seals/") {
			continue
		}
		if c.Action != costest.PutObject || !c.ForbidOverwrite || functionOf(c.SecretID) != "refetch" {
			d.t.Errorf("%s of %s by %s, create-once %t", c.Action, c.Key, functionOf(c.SecretID), c.ForbidOverwrite)
		}
		stored[c.Key]++
	}
	return stored
}

// TestRefetchSeals: the timer's passes close the hours that are over, once, in one chain that a third party believes; credentials
// rotate meanwhile, and variables change.
func TestRefetchSeals(t *testing.T) {
	t.Parallel()
	tsa := peertest.StartTSA(t)
	roots, err := stamp.ParseRoots(tsa.Chain)
	if err != nil {
		t.Fatal(err)
	}
	private, public := sealKey(t)
	d := deploy(t, options{})
	d.archivedAt("a", d.past(6).Add(time.Minute))
	d.archivedAt("b", d.past(6).Add(2*time.Minute))
	d.archivedAt("c", d.past(4))
	env := sealing(private, d.past(3))
	env["KYC_TSA_URL"], env["KYC_TSA_CA"] = tsa.URL, string(tsa.Chain)
	d.reset(env)
	d.passes()
	d.wantSealed("6: a b; 5:; 4: c; ")
	before := len(d.sealWrites())
	d.passes() // knows that there is nothing to do
	d.rotate("2")
	d.reset(nil)
	d.passes() // finds out that there is nothing to do
	if after := len(d.sealWrites()); before != 9 || after != before {
		t.Errorf("%d objects of seals, then %d; want leaves, checkpoint and timestamp of three windows", before, after)
	}

	d.archivedAt("late", d.past(5).Add(time.Minute)) // by a step that died, and was made again
	d.archivedAt("d", d.past(3).Add(time.Minute))
	d.rotate("3")
	d.reset(sealing(private, d.past(2)))
	d.passes()
	d.wantSealed("6: a b; 5:; 4: c; 3: d late(late); ")
	if sum := d.chainHolds(public, d.past(2), roots); sum.Seals != 4 || sum.Stamps != 4 || sum.Leaves != 5 {
		t.Errorf("the checker saw %+v", sum)
	}
	d.opensslAgrees(d.past(6), tsa.Chain)
	d.verify()
	d.hasItsRights()
	d.holdsSecrets()
	if log := d.refetchLog(); strings.Contains(log, "PRIVATE") || strings.Contains(log, private.Reveal()) {
		t.Errorf("the log has the key:\n%s", log)
	}
}

// opensslAgrees lets openssl check the timestamp of a window's checkpoint.
func (d *deployment) opensslAgrees(start time.Time, chain []byte) {
	d.t.Helper()
	dir, files := d.t.TempDir(), map[string][]byte{"chain": chain}
	for name, object := range map[string]string{"data": archive.SealCheckpoint, "token": archive.SealToken} {
		data, found, err := archive.New(d.bucket).ReadSeal(d.t.Context(), start, object)
		if err != nil || !found {
			d.t.Fatalf("%s of %s: %t, %v", object, start, found, err)
		}
		files[name] = data
	}
	for name, data := range files {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
			d.t.Fatal(err)
		}
	}
	cmd := exec.CommandContext(d.t.Context(), peertest.Program(d.t, "openssl"), "ts", "-verify", "-data", "data", "-in", "token", "-CAfile", "chain", "-untrusted", "chain")
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil || !bytes.Contains(out, []byte("Verification: OK")) {
		d.t.Errorf("openssl ts -verify: %v\n%s", err, out)
	}
}

// TestAuthorityIsDown: it holds no seal up, and a later pass gets the timestamps.
func TestAuthorityIsDown(t *testing.T) {
	t.Parallel()
	private, public := sealKey(t)
	d := deploy(t, options{})
	d.archivedAt("a", d.past(5))
	env := sealing(private, d.past(3))
	env["KYC_TSA_URL"] = "http://127.0.0.1:1/tsr?key=planted"
	d.reset(env)
	d.passes()
	d.wantSealed("5: a; 4:; ")
	if log := d.refetchLog(); !strings.Contains(log, "no timestamp could be had") {
		t.Errorf("the log says nothing of it:\n%s", log)
	}
	d.holdsSecrets()
	tsa := peertest.StartTSA(t)
	roots, err := stamp.ParseRoots(tsa.Chain)
	if err != nil {
		t.Fatal(err)
	}
	d.reset(map[string]string{"KYC_TSA_URL": tsa.URL})
	d.passes()
	if sum := d.chainHolds(public, d.past(3), roots); sum.Seals != 2 || sum.Stamps != 2 {
		t.Errorf("the checker saw %+v", sum)
	}
}

// TestTwoRefetchesMakeOneSeal: two instances are held until both want to create the same leaves.
func TestTwoRefetchesMakeOneSeal(t *testing.T) {
	t.Parallel()
	private, public := sealKey(t)
	d := deploy(t, options{refetches: 2})
	d.archivedAt("a", d.past(6).Add(time.Minute))
	d.archivedAt("b", d.past(4))
	d.reset(sealing(private, d.past(2)))
	d.meet(2, "/leaves")
	var wg sync.WaitGroup
	for range 2 {
		wg.Go(func() {
			if err := d.pass(t.Context()); err != nil {
				t.Errorf("pass: %v", err)
			}
		})
	}
	wg.Wait()
	d.wantSealed("6: a; 5:; 4: b; 3:; ")
	if sum := d.chainHolds(public, d.past(2), nil); sum.Seals != 4 {
		t.Errorf("the checker saw %+v", sum)
	}
	conflicts := d.cos.Count(func(c costest.Call) bool {
		return c.Status == http.StatusConflict && strings.HasSuffix(c.Key, "/leaves")
	})
	if conflicts == 0 || len(d.refetch.Starts()) != 2 {
		t.Errorf("%d conflicts, %d instances", conflicts, len(d.refetch.Starts()))
	}
}

// meet holds each put to a key of that end until so many are there.
func (d *deployment) meet(n int, end string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	var arrived sync.WaitGroup
	arrived.Add(n)
	var mu sync.Mutex
	d.cut = func(r *http.Request) {
		if r.Method != http.MethodPut || !strings.HasSuffix(r.URL.Path, end) {
			return
		}
		mu.Lock()
		waits := n > 0
		n--
		mu.Unlock()
		if waits {
			arrived.Done()
			arrived.Wait()
		}
	}
}

// TestStaleListingsMakeNoWrongSeal: a journal entry that no listing shows when its window is sealed is in the next seal; seals that no
// listing shows are taken as they are, and their orders are not sealed again.
func TestStaleListingsMakeNoWrongSeal(t *testing.T) {
	t.Parallel()
	private, public := sealKey(t)
	d := deploy(t, options{cos: costest.Config{StaleFor: 24 * time.Hour}})
	d.archivedAt("a", d.past(8).Add(time.Minute))
	d.archivedAt("b", d.past(7))
	d.archivedAt("c", d.past(5))
	d.cos.Settle()
	d.archivedAt("hidden", d.past(7).Add(time.Minute))
	d.reset(sealing(private, d.past(6)))
	d.passes()
	for range 2 { // sees no seal, neither time
		d.reset(sealing(private, d.past(4)))
		d.passes()
	}
	d.wantSealed("8: a; 7: b; 6:; 5: c; ")
	d.reset(sealing(private, d.past(2)))
	d.passes()
	d.wantSealed("8: a; 7: b; 6:; 5: c; 4: hidden(late); 3:; ")
	d.chainHolds(public, d.past(2), nil)
	d.verify()
}

// TestWrongSealKey: with a key that did not sign what is there nothing is sealed, the log says what to do, and orders go on; done so,
// the chain goes on.
func TestWrongSealKey(t *testing.T) {
	t.Parallel()
	private, public := sealKey(t)
	other, _ := sealKey(t)
	d := deploy(t, options{})
	d.archivedAt("a", d.past(5))
	d.reset(sealing(private, d.past(4)))
	d.passes()
	d.reset(sealing(other, d.past(3)))
	if err := d.pass(t.Context()); err != nil {
		t.Errorf("the pass failed: %v", err)
	}
	log := d.refetchLog()
	for _, want := range []string{"no seal could be made", "seals/" + archive.SealName(d.past(5)) + "/checkpoint", "if KYC_SEAL_KEY was changed, put the former public key behind it"} {
		if !strings.Contains(log, want) {
			t.Errorf("the log lacks %q:\n%s", want, log)
		}
	}
	if strings.Contains(log, "PRIVATE") {
		t.Errorf("the log has a key:\n%s", log)
	}
	d.wantSealed("5: a; ")
	d.reset(map[string]string{"KYC_SEAL_KEY": other.Reveal() + "," + public.String()})
	if err := d.pass(t.Context()); err != nil {
		t.Error(err)
	}
	d.wantSealed("5: a; 4:; ")

	d.reset(map[string]string{"KYC_SEAL_KEY": "planted"})
	if err := d.pass(t.Context()); err == nil || !strings.Contains(err.Error(), "KYC_SEAL_KEY: ") || strings.Contains(err.Error(), "planted") {
		t.Errorf("no key at all: %v", err)
	}
	d.holdsSecrets()
}

// TestSealKeyElsewhere: webhook and pull have no use for the key, and say so by name.
func TestSealKeyElsewhere(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	private, _ := sealKey(t)
	w.set(map[string]string{"KYC_SEAL_KEY": private.Reveal()})
	if _, err := w.replay("pull-one.json"); err == nil || !strings.Contains(err.Error(), "KYC_SEAL_KEY: this function seals nothing") {
		t.Errorf("pull: %v", err)
	}
	if r := w.response(w.replay("webhook-url-completion.json")); r.StatusCode != http.StatusInternalServerError || strings.Contains(r.Body, "KYC_") {
		t.Errorf("webhook: %d %s", r.StatusCode, r.Body)
	}
	w.fn("webhook").Kill() // what it wrote last may still be on its way
	w.fn("pull").Kill()
	if log := w.fn("webhook").Logs() + w.fn("pull").Logs(); strings.Count(log, "KYC_SEAL_KEY: this function seals nothing") != 2 || strings.Contains(log, "PRIVATE") {
		t.Errorf("the logs have:\n%s", log)
	}
	if _, err := w.replay("refetch-timer.json"); err != nil {
		t.Errorf("refetch: %v", err)
	}
	w.check()
}

// TestSealerIsLinkedOnce: the other functions carry no code that seals.
func TestSealerIsLinkedOnce(t *testing.T) {
	dir, err := binaries()
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"webhook", "pull", "refetch"} {
		program, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		for _, symbol := range []string{"kycvault/pkg/platform.NewSealer", "kycvault/pkg/seal.(*Sealer).Seal"} {
			if has := bytes.Contains(program, []byte(symbol)); has != (name == "refetch") {
				t.Errorf("%s has %s: %t", name, symbol, has)
			}
		}
	}
}
