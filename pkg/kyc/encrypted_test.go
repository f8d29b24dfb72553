package kyc_test

import (
	"bytes"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kycvault/kycvault/pkg/archive"
	"github.com/kycvault/kycvault/pkg/bucket"
	"github.com/kycvault/kycvault/pkg/kyc"
)

// last gives the order's manifest that counts.
func (w *world) last(t *testing.T) archive.Stored {
	t.Helper()
	all, err := archive.New(w.mem).Manifests(t.Context(), order)
	if err != nil || len(all) == 0 {
		t.Fatalf("%d manifests, %v", len(all), err)
	}
	return all[len(all)-1]
}

// opened decrypts a stored file.
func (w *world) opened(t *testing.T, name string) []byte {
	t.Helper()
	r, _, err := w.mem.Get(t.Context(), archive.FileKey(order, name))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = r.Close() }()
	plain, err := theKeys().open.Decrypt(r)
	if err != nil {
		t.Fatal(err)
	}
	data, err := io.ReadAll(plain)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// TestEncryptedOrder: a whole order, of which nothing lies there in the plain.
func TestEncryptedOrder(t *testing.T) {
	w := encrypted()
	r := &recorder{Bucket: w.mem}
	if got := w.stepOn(t, r, w.open(t), whole); got.State != kyc.StateArchived || got.Bytes != int64(len(whole.photo)+len(whole.video)) {
		t.Errorf("%+v", got)
	}
	w.check(t)
	m := w.last(t)
	var names []string
	for _, f := range m.Files {
		names = append(names, strings.Replace(f.Name, f.SHA256, "DIGEST", 1)+" "+f.MediaType)
		if data := w.opened(t, f.Name); int64(len(data)) != f.Size {
			t.Errorf("%s has %d plain bytes, and the manifest says %d", f.Name, len(data), f.Size)
		}
	}
	want := []string{"photo.DIGEST.png.age image/png", "video.DIGEST.mp4.age video/mp4", "result.DIGEST.json.age application/json"}
	if diff := cmp.Diff(want, names); diff != "" || m.Result != (archive.Verdict{Code: "0", Occurred: "20180810150152"}) {
		t.Errorf("%s%+v", diff, m.Result)
	}
	if n := len(slices.DeleteFunc(r.calls, func(c string) bool { return !strings.HasPrefix(c, "create") })); n != 5 {
		t.Errorf("%d objects were written after the marker, want 5 as without encryption", n)
	}
	for _, o := range w.mem.Objects() {
		body, _, err := w.mem.Get(t.Context(), o.Key)
		if err != nil {
			t.Fatal(err)
		}
		data, _ := io.ReadAll(body)
		for _, plain := range []string{string(whole.photo[20:40]), "isomiso2", "liveRate"} {
			if bytes.Contains(data, []byte(plain)) {
				t.Errorf("%s holds plain bytes", o.Key)
			}
		}
	}
}

// TestEncryptedNextStepKnowsTheVerdict: no key is at hand, and yet a later step knows that it was final, and repeats it.
func TestEncryptedNextStepKnowsTheVerdict(t *testing.T) {
	w := encrypted()
	w.want = []kyc.State{kyc.StatePartial}
	m := w.open(t)
	final := answer{code: "66660004", class: kyc.Final}
	w.stepOn(t, &recorder{Bucket: w.mem}, m, final)
	w.mail.msgs = nil
	w.now = w.now.Add(2 * time.Hour)
	m.Single = true
	w.stepOn(t, &recorder{Bucket: w.mem}, m, final)
	w.check(t)
	if got := w.last(t).Result; got != (archive.Verdict{Code: "66660004", Occurred: "20180810150152"}) {
		t.Errorf("%+v", got)
	}
}

// TestEncryptedLostAnswer: a step whose create was done without its knowing, and one that another was ahead of, name what lies there.
func TestEncryptedLostAnswer(t *testing.T) {
	for _, key := range []string{"/photo", "/video", "/result"} {
		w := encrypted()
		w.stepOn(t, &recorder{Bucket: w.mem, lost: "orders/" + string(order) + key}, w.open(t), whole)
		w.mail.msgs = nil
		w.check(t)
	}
}

// TestEncryptedResume: a step that finds what a dead one stored names it with its size, digest and verdict.
func TestEncryptedResume(t *testing.T) {
	w := encrypted()
	m := w.open(t)
	w.stepOn(t, &recorder{Bucket: w.mem}, m, noVideo)
	w.mail.msgs = nil
	m.Attempt = 2
	w.stepOn(t, &recorder{Bucket: w.mem}, m, whole)
	w.check(t)
	if f := w.last(t).Files[0]; f.Size != int64(len(whole.photo)) || f.Stored == nil || f.Flag != "" {
		t.Errorf("%+v", f)
	}
}

// TestEncryptedOddIsFlagged, also by a step that can not look at its bytes any more.
func TestEncryptedOddIsFlagged(t *testing.T) {
	odd := noVideo
	odd.photo = append(tinyPNG(1), "tail"...)
	flags := func(w *world) (flags []string) {
		for _, f := range w.last(t).Files {
			if f.Kind == archive.Photo && strings.HasSuffix(f.Name, ".bin.age") && f.MediaType == "application/octet-stream" && f.Size == int64(len(odd.photo)) {
				flags = append(flags, f.Flag)
			}
		}
		return flags
	}
	t.Run("seen", func(t *testing.T) {
		w := encrypted()
		m := w.open(t)
		both := odd
		both.video = whole.video
		w.stepOn(t, &recorder{Bucket: w.mem}, m, both)
		m.Attempt, m.Odd = 2, w.mail.msgs[0].Odd
		w.mail.msgs = nil
		w.stepOn(t, &recorder{Bucket: w.mem}, m, both) // the same bytes again: they count as there
		w.check(t)
		if diff := cmp.Diff([]string{"PNG with 4 bytes after its end"}, flags(w)); diff != "" {
			t.Error(diff)
		}
	})
	t.Run("not seen", func(t *testing.T) {
		w := encrypted()
		m := w.open(t)
		w.stepOn(t, &recorder{Bucket: w.mem}, m, odd)
		w.mail.msgs = nil
		m.Attempt = 2
		w.stepOn(t, &recorder{Bucket: w.mem}, m, whole)
		w.check(t)
		if diff := cmp.Diff([]string{"looked odd when it was stored"}, flags(w)); diff != "" {
			t.Error(diff)
		}
	})
}

// TestEncryptedDamageIsNotNamed: what is no file of age any more, no manifest vouches for.
func TestEncryptedDamageIsNotNamed(t *testing.T) {
	w := encrypted()
	m := w.open(t)
	w.stepOn(t, &recorder{Bucket: w.mem}, m, noVideo)
	photo := w.keys("orders/" + string(order) + "/photo")[0]
	if err := w.mem.Put(t.Context(), photo, bucket.Bytes([]byte("cut"), "")); err != nil {
		t.Fatal(err)
	}
	m.Attempt = 2
	if _, err := w.puller(w.mem, &upstream{script: []answer{whole}}).Step(t.Context(), m); !errors.Is(err, archive.ErrDamaged) {
		t.Errorf("error is %v", err)
	}
	if len(w.keys("orders/"+string(order)+"/manifest")) > 0 {
		t.Error("a manifest names a damaged photo")
	}
}

// TestEncryptionBegins while an order is under way, or ends: what is there counts.
func TestEncryptionBegins(t *testing.T) {
	for _, before := range []bool{false, true} {
		w := newWorld()
		w.encrypted = before
		m := w.open(t)
		w.stepOn(t, &recorder{Bucket: w.mem}, m, noVideo)
		w.mail.msgs = nil
		m.Attempt, w.encrypted = 2, !before
		up := &upstream{script: []answer{whole}}
		if _, err := w.puller(w.mem, up).Step(t.Context(), m); err != nil {
			t.Fatal(err)
		}
		w.encrypted = true // for the key
		w.check(t)
		if len(up.asked) != 1 || up.asked[0] != kyc.Video || w.last(t).Result.Code != "0" {
			t.Errorf("encrypted before %t: asked for %v", before, up.asked)
		}
	}
}

// mute is encryption that has no randomness, or whose place is full.
type mute struct{ at string }

func (f mute) Encrypt(io.Writer, []byte) (io.WriteCloser, error) {
	if f.at == "begin" {
		return nil, errors.New("no randomness")
	}
	return f, nil
}

func (f mute) Write(p []byte) (int, error) {
	if f.at == "write" {
		return 0, errors.New("no space")
	}
	return len(p), nil
}

func (f mute) Close() error { return errors.New("no space at the end") }

// TestEncryptionFails: then nothing is stored, in the plain least of all, and the message comes again.
func TestEncryptionFails(t *testing.T) {
	for _, at := range []string{"begin", "write", "close"} {
		w := newWorld()
		m := w.open(t)
		w.settings.Encrypt = mute{at}
		if _, err := w.puller(w.mem, &upstream{script: []answer{whole}}).Step(t.Context(), m); err == nil || !strings.Contains(err.Error(), "no ") {
			t.Errorf("%s: error %v", at, err)
		}
		if keys := w.keys("orders/"); len(keys) > 0 {
			t.Errorf("%s: stored %v", at, keys)
		}
	}
}
