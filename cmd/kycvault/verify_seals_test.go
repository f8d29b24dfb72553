package main

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/kycvault/kycvault/pkg/archive"
	"github.com/kycvault/kycvault/pkg/bucket"
	"github.com/kycvault/kycvault/pkg/bucket/dirbucket"
	"github.com/kycvault/kycvault/pkg/peertest"
	"github.com/kycvault/kycvault/pkg/seal"
	"github.com/kycvault/kycvault/pkg/secret"
)

// TestVerifyTellsWhatItDidNotCheck: whoever makes all seals anew, with the key and without an authority, makes a chain that fits
// together. What was not given, or is not there, is told.
func TestVerifyTellsWhatItDidNotCheck(t *testing.T) {
	t.Parallel()
	peertest.Program(t, "openssl")
	dir, env := sealedDir(t)
	without := func(name string) []string {
		return slices.DeleteFunc(slices.Clone(env), func(v string) bool { return strings.HasPrefix(v, name+"=") })
	}
	const noKey, noCA, noStamp = "the signatures of the seals are not checked", "anyone can make such: --tsa-ca", "no seal has a timestamp"
	tells := func(env []string, what string) {
		t.Helper()
		said := mustEnd(t, exitDone, env, "verify", "--read-only")
		for _, warning := range []string{noKey, noCA, noStamp} {
			if strings.Contains(said, warning) != (warning == what) {
				t.Errorf("want %q and nothing else:\n%s", what, said)
			}
		}
	}
	tells(env, "")
	tells(without("KYC_SEAL_KEY"), noKey)
	tells(without("KYC_TSA_CA"), noCA)
	if err := os.RemoveAll(filepath.Join(dir, "vault", "seals")); err != nil {
		t.Fatal(err)
	}
	mustEnd(t, exitDone, without("KYC_TSA_URL"), "seal")
	tells(env, noStamp)
}

// TestVerifySaysWhatIsSealed: "all until then" is said of a whole archive that is well, and of nothing else.
func TestVerifySaysWhatIsSealed(t *testing.T) {
	t.Parallel()
	peertest.Program(t, "openssl")
	dir, env := sealedDir(t)
	i := insider{t: t, vault: filepath.Join(dir, "vault"), env: env}
	day := time.Now().UTC().Truncate(24 * time.Hour)
	archiveOrder(t, i.open(), "today1", day.Add(-time.Nanosecond+24*time.Hour), nil) // its window is not over before tomorrow
	const last, yet, asked = "the last window that is sealed ends at ", "manifests that were asked for are not sealed yet", ", and all that was asked for is sealed"
	says := func(code int, want []string, args ...string) {
		t.Helper()
		said := mustEnd(t, code, env, append([]string{"verify"}, args...)...)
		for _, sentence := range []string{"read: all until ", last, yet, asked} {
			if strings.Contains(said, sentence) != slices.Contains(want, sentence) {
				t.Errorf("%q: want %q:\n%s", args, want, said)
			}
		}
	}
	says(exitDone, []string{"read: all until "})
	says(exitDone, []string{last, asked}, "order3")
	says(exitDone, []string{last, yet}, "order3", "today1")
	says(exitDone, []string{last, asked}, "--day", day.AddDate(0, 0, -2).Format(time.DateOnly))
	says(exitDone, []string{last, yet}, "--since", "3d")

	// An order's journal entry has gone: mended, though it is sealed. It is said of the next look that all is.
	if err := os.Remove(i.file("journal/*/*.order5.*")); err != nil {
		t.Fatal(err)
	}
	says(exitDone, []string{last})
	says(exitDone, []string{"read: all until "})

	// A sealed manifest, altered, with its journal entry gone: only the seals tell, and it gets no other.
	manifest := i.file("orders/order4/manifest.2.json")
	i.write(manifest, append(i.read(manifest), '\n'))
	entries, err := filepath.Glob(filepath.Join(i.vault, "journal/*/*.order4.*"))
	if err != nil || len(entries) != 2 {
		t.Fatalf("%q, %v", entries, err)
	}
	if err := os.Remove(entries[1]); err != nil { // that of the second manifest: they ascend
		t.Fatal(err)
	}
	says(exitNotDone, []string{last})
	if said := mustEnd(t, exitNotDone, env, "verify"); !strings.Contains(said, "damaged unjournaled: orders/order4/manifest.2.json") || !strings.Contains(said, ": 2 damaged, 0 mended") {
		t.Errorf("an altered manifest:\n%s", said)
	}
}

// TestVerifyGoesByTheSetPeriod: the window after the last seal may be as long as KYC_SEAL_EVERY says, if anything does.
func TestVerifyGoesByTheSetPeriod(t *testing.T) {
	t.Parallel()
	peertest.Program(t, "openssl")
	dir, env := sealedDir(t)
	folder := filepath.Join(dir, "vault", "seals")
	if err := os.RemoveAll(folder); err != nil {
		t.Fatal(err)
	}
	env = slices.DeleteFunc(env, func(v string) bool { return strings.HasPrefix(v, "KYC_TSA_URL=") })
	mustEnd(t, exitDone, append(slices.Clone(env), "KYC_SEAL_EVERY=1h"), "seal")
	seals, err := filepath.Glob(filepath.Join(folder, "*"))
	if err != nil || len(seals) < 20 {
		t.Fatalf("%q, %v", seals, err)
	}
	for _, s := range seals[len(seals)-3:] {
		if err := os.RemoveAll(s); err != nil {
			t.Fatal(err)
		}
	}
	if got := found(t, env); !slices.Equal(got, []string{"missing: checkpoint"}) {
		t.Errorf("not set: %q", got)
	}
	if got := found(t, append(slices.Clone(env), "KYC_SEAL_EVERY=720h")); len(got) > 0 {
		t.Errorf("set to a month: %q", got)
	}
}

// aheadBucket is a folder as a process sees it whose clock is ten days ahead.
type aheadBucket struct{ bucket.Bucket }

// Now implements bucket.Bucket.
func (aheadBucket) Now(context.Context) (time.Time, error) { return time.Now().AddDate(0, 0, 10), nil }

// TestSealsOfAClockThatWasAhead: seal and verify end with 1, and name the last window.
func TestSealsOfAClockThatWasAhead(t *testing.T) {
	t.Parallel()
	peertest.Program(t, "openssl")
	dir, env := sealedDir(t)
	b, err := dirbucket.Open(filepath.Join(dir, "vault"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = b.Close() }()
	private, _ := strings.CutPrefix(env[1], "KYC_SEAL_KEY=")
	key, err := seal.ParseKey(secret.New(private))
	if err != nil {
		t.Fatal(err)
	}
	ahead := seal.Sealer{Archive: archive.New(aheadBucket{b}), Key: key, Every: 24 * time.Hour, Grace: time.Minute, Log: slog.New(slog.DiscardHandler)}
	r, err := ahead.Pass(t.Context(), false)
	if err != nil || r.Windows < 9 {
		t.Fatalf("%+v, %v", r, err)
	}
	last := "window " + archive.SealName(r.Until.AddDate(0, 0, -1)) + " " + archive.SealName(r.Until) + ": its window is not over"
	for _, args := range [][]string{{"seal"}, {"verify", "--read-only"}} {
		if said := mustEnd(t, exitNotDone, env, args...); !strings.Contains(said, last) {
			t.Errorf("%q: %s", args, said)
		}
	}
}
