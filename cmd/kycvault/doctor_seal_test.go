package main

import (
	"context"
	"errors"
	"iter"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/kycvault/kycvault/pkg/archive"
	"github.com/kycvault/kycvault/pkg/bucket"
	"github.com/kycvault/kycvault/pkg/bucket/membucket"
	"github.com/kycvault/kycvault/pkg/peertest"
	"github.com/kycvault/kycvault/pkg/platform"
	"github.com/kycvault/kycvault/pkg/seal"
	"github.com/kycvault/kycvault/pkg/secret"
)

// sealedStore is an archive whose clock a test sets.
type sealedStore struct {
	t     *testing.T
	store bucket.Bucket
	vault *archive.Archive
	now   time.Time
	cfg   platform.Config
}

func newSealedStore(t *testing.T) *sealedStore {
	s := &sealedStore{t: t, now: time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)}
	s.store = membucket.New(func() time.Time { return s.now })
	s.vault = archive.New(s.store)
	s.cfg = platform.Config{SealKey: newSealKey(t), SealEvery: 24 * time.Hour, SealGrace: 30 * time.Minute, RefetchEvery: 5 * time.Minute}
	return s
}

func newSealKey(t *testing.T) secret.Text {
	t.Helper()
	private, _, err := seal.NewKey("test.example/vault")
	if err != nil {
		t.Fatal(err)
	}
	return private
}

// pass seals what is over.
func (s *sealedStore) pass() {
	s.t.Helper()
	sealer, err := platform.NewSealer(s.cfg, s.vault, slog.New(slog.DiscardHandler))
	if err == nil {
		_, err = sealer.Pass(s.t.Context(), false)
	}
	if err != nil {
		s.t.Fatal(err)
	}
}

// look is what doctor finds of the seals, after some time: each as "level check". Whatever is not well says what to do.
func (s *sealedStore) look(after time.Duration) string {
	s.t.Helper()
	s.now = s.now.Add(after)
	var all []string
	d := &doctor{app: &app{now: time.Now}, report: func(f finding) error {
		if wants := f.Level == levelWarning || f.Level == levelBad; (f.Do != "") != wants || wants && f.Means == "" {
			s.t.Errorf("%+v", f)
		}
		all = append(all, f.Level+" "+f.Check)
		return nil
	}}
	d.seals(s.t.Context(), s.cfg, s.vault)
	return strings.Join(all, ", ")
}

func (s *sealedStore) wants(when, want string, after time.Duration) {
	s.t.Helper()
	if got := s.look(after); got != want {
		s.t.Errorf("%s: %s, want %s", when, got, want)
	}
}

// TestDoctorSeesWhetherSealingGoesOn: a seal is overdue when its window, the grace, and time for a pass are over.
func TestDoctorSeesWhetherSealingGoesOn(t *testing.T) {
	t.Parallel()
	s := newSealedStore(t)
	s.wants("nothing archived", "info seals", 0)
	archiveOrder(t, s.vault, "order1", s.now, nil)
	s.wants("the window is open", "ok seals", 15*time.Hour)                 // midnight
	s.wants("passes have had no time yet", "ok seals", 50*time.Minute)      // grace, a pass, and slack
	s.wants("nothing seals", "warning seals", time.Second)                  // no seal yet
	s.pass()                                                                // of the 23rd
	s.wants("sealed", "ok seals, ok seals' key", 0)                         // 0:50:01 of the 24th
	s.wants("before the next", "ok seals, ok seals' key", 24*time.Hour-1e9) // 0:50:00 of the 25th
	s.wants("sealing stopped", "warning seals, ok seals' key", time.Second) // overdue
	s.wants("for long", "warning seals, ok seals' key", 400*24*time.Hour)   // beyond the listing that is tried first
	s.cfg.SealKey = secret.Text{}
	s.wants("no key", "", 0)
}

// TestDoctorSeesWhoseTheSealsAre: the chain must go on from what the key, or a former one, has signed.
func TestDoctorSeesWhoseTheSealsAre(t *testing.T) {
	t.Parallel()
	s := newSealedStore(t)
	archiveOrder(t, s.vault, "order1", s.now.AddDate(0, 0, -1), nil)
	s.pass()
	former, err := seal.ParseKey(s.cfg.SealKey)
	if err != nil {
		t.Fatal(err)
	}
	s.cfg.SealKey = newSealKey(t) // of the same name
	s.wants("another key", "ok seals, bad seals' key", 0)
	s.cfg.SealFormer = []string{former.Public()}
	s.wants("the former one behind it", "ok seals, info seals' key", 0)
	key := archive.SealKey(time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC), archive.SealCheckpoint)
	for text, want := range map[string]string{"not a note": "bad seals", strings.Repeat(" ", 2<<20): "bad seals"} {
		if err := s.store.Put(t.Context(), key, bucket.Bytes([]byte(text), "")); err != nil {
			t.Fatal(err)
		}
		s.wants("the last one damaged", want, 0)
	}
	s.vault = archive.New(unlistable{s.store})
	s.wants("no right to look", "warning seals", 0)
}

// unlistable is a store that does not let itself be listed.
type unlistable struct{ bucket.Bucket }

func (unlistable) List(context.Context, string, string) iter.Seq2[bucket.Object, error] {
	return func(yield func(bucket.Object, error) bool) { yield(bucket.Object{}, errors.New("no right")) }
}

// TestDoctorAsksTheAuthority: it must answer, with what leads to KYC_TSA_CA, and seals must have their timestamps.
func TestDoctorAsksTheAuthority(t *testing.T) {
	t.Parallel()
	tsa, other := peertest.StartTSA(t), peertest.StartTSA(t)
	gone := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(gone.Close)
	s := newSealedStore(t)
	archiveOrder(t, s.vault, "order1", s.now.AddDate(0, 0, -1), nil)
	const well, authority = "ok seals, ok seals' key", "timestamp authority"
	s.pass()
	s.wants("no authority", well, 0)
	s.cfg.TSAURL = tsa.URL
	s.wants("a new authority", well+", info seals' timestamps, info "+authority, 0)
	s.now = time.Date(2026, 11, 24, 0, 45, 0, 0, time.UTC)
	s.cfg.TSAURL = gone.URL + "/?key=planted"
	s.pass()
	s.wants("no answer", well+", ok seals' timestamps, warning "+authority, 0)
	s.wants("none for long", well+", warning seals' timestamps, warning "+authority, 30*time.Minute)
	s.cfg.TSAURL = tsa.URL
	s.pass()
	s.cfg.TSACA = string(tsa.Chain)
	s.wants("all is well", well+", ok seals' timestamps, ok "+authority, 0)
	s.cfg.TSACA = string(other.Chain)
	s.wants("another's root", well+", warning seals' timestamps, warning "+authority, 0)
	s.cfg.TSACA = "/dev/zero"
	s.wants("no root", "bad timestamps' CA, "+well+", ok seals' timestamps, ok "+authority, 0)
	s.cfg.TSAURL = ""
	s.wants("no root, and no authority", "warning timestamps' CA, "+well+", ok seals' timestamps", 0)
}

// TestDoctorTellsASealsCAFromTheTicket: certificates that can not be read are no fault of the ticket.
func TestDoctorTellsASealsCAFromTheTicket(t *testing.T) {
	t.Parallel()
	dir, env := sealedDir(t)
	env = append(env, "KYC_APP_ID=IDAXXXXX", "KYC_SECRET=the-app-secret", "KYC_TICKET=own", "KYC_WEBHOOK_KEY=0123456789abcdef0123456789abcdef", "KYC_BASE_URL=http://127.0.0.1:1")
	said := mustEnd(t, exitNotDone, env, "doctor") // there is no service
	for _, want := range []string{"\nok       seals  ", "\nok       seals' key  ", "\nok       seals' timestamps  ", "\nok       timestamp authority  ", "\nwarning  ticket  "} {
		if !strings.Contains(said, want) {
			t.Errorf("no %q:\n%s", want, said)
		}
	}
	before := filesOf(t, dir)
	said = mustEnd(t, exitNotDone, env, "doctor", "--tsa-ca", filepath.Join(dir, "none.pem"))
	if !strings.Contains(said, "\nBAD      timestamps' CA         read KYC_TSA_CA: no such file or directory\n") || strings.Contains(said, "BAD      ticket") {
		t.Errorf("said\n%s", said)
	}
	if after := filesOf(t, dir); !slices.Equal(before, after) {
		t.Errorf("was %q, is %q", before, after)
	}
}

// filesOf lists the files below a folder.
func filesOf(t *testing.T, dir string) (all []string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, e os.DirEntry, err error) error {
		if err == nil && !e.IsDir() {
			all = append(all, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}
