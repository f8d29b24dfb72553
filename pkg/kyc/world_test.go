package kyc_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"log/slog"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/kycvault/kycvault/pkg/archive"
	"github.com/kycvault/kycvault/pkg/bucket"
	"github.com/kycvault/kycvault/pkg/bucket/membucket"
	"github.com/kycvault/kycvault/pkg/kyc"
)

const order = archive.Order("orderNo19959248596551")

// epoch is when every world begins.
var epoch = time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)

// tinyPNG makes a real PNG of one pixel; shade tells one from another.
func tinyPNG(shade uint8) []byte {
	img := image.NewGray(image.Rect(0, 0, 1, 1))
	img.SetGray(0, 0, color.Gray{Y: shade})
	var buf bytes.Buffer
	if err := png.Encode(&buf, img); err != nil {
		panic(err)
	}
	return buf.Bytes()
}

// tinyMP4 makes the boxes of an MP4; tail tells one from another.
func tinyMP4(tail string) []byte {
	box := func(kind, body string) []byte {
		b := binary.BigEndian.AppendUint32(nil, uint32(8+len(body)))
		return append(append(b, kind...), body...)
	}
	return bytes.Join([][]byte{box("ftyp", "isom\x00\x00\x02\x00isomiso2"), box("moov", ""), box("mdat", tail)}, nil)
}

// answer is what the upstream says to one query. Media that were not asked for are not given.
type answer struct {
	code  string
	class kyc.Class
	photo []byte
	video []byte
	err   error
}

func (a answer) reply() kyc.Reply {
	return kyc.Reply{Code: a.code, Class: a.class, Msg: "msg", Result: map[string]any{"liveRate": "100", "occurredTime": "20180810150152"}, Occurred: "20180810150152"}
}

// whole is the answer for an order that is ready.
var whole = answer{code: "0", class: kyc.OK, photo: tinyPNG(1), video: tinyMP4("a")}

// noVideo is whole before the video comes.
var noVideo = answer{code: "0", class: kyc.OK, photo: tinyPNG(1)}

// none is what the upstream says of an order that it does not know.
var none = answer{code: kyc.NoSuchResult, class: kyc.Pending}

// upstream answers from a script; the last answer stays.
type upstream struct {
	script []answer
	asked  []kyc.Media
}

func (u *upstream) Query(_ context.Context, _ archive.Order, want kyc.Media, sink kyc.Sink) (kyc.Reply, error) {
	u.asked = append(u.asked, want)
	a := u.script[0]
	if len(u.script) > 1 {
		u.script = u.script[1:]
	}
	if a.err != nil {
		return kyc.Reply{}, a.err
	}
	for _, m := range []struct {
		kind  archive.Kind
		bit   kyc.Media
		bytes []byte
	}{{archive.Photo, kyc.Photo, a.photo}, {archive.Video, kyc.Video, a.video}} {
		if want&m.bit == 0 || len(m.bytes) == 0 {
			continue
		}
		w, err := sink(m.kind)
		if err != nil {
			return kyc.Reply{}, err
		}
		if _, err := w.Write(m.bytes); err != nil {
			return kyc.Reply{}, err
		}
	}
	return a.reply(), nil
}

// mailbox is a Delayer that keeps messages until the test delivers them.
type mailbox struct{ msgs []kyc.Message }

func (m *mailbox) Delay(_ context.Context, msgs ...kyc.Message) error {
	m.msgs = append(m.msgs, msgs...)
	return nil
}

func (m *mailbox) Room(context.Context, time.Duration) (int, error) { return 1000, nil }

// warm is a ticket that never needs a refresh.
type warm struct{}

func (warm) Warm(context.Context) error { return nil }

// world is an archive in memory with a clock, a mailbox and processes that come and go.
type world struct {
	mem       *membucket.Bucket
	old       *membucket.Bucket // what a stale listing shows; nil is the state before the race
	now       time.Time
	mail      mailbox
	later     answer // what the upstream says once the race is over
	settings  kyc.Settings
	seed      uint64
	weak      bool // listings may be stale
	encrypted bool // all evidence is stored encrypted
	threads   []func(b bucket.Bucket) error
	hints     []kyc.Message // what each thread was given, for redelivery; zero for one that was given none
	want      []kyc.State   // what the order may be, when all is done
	promised  bool          // a completion of the race was answered with 202: the order must be archived
}

func newWorld() *world {
	w := &world{now: epoch, later: whole, want: []kyc.State{kyc.StateArchived}, settings: kyc.Settings{
		AppID: "IDAXXXXX", Source: "upstream.test", Writer: "kycvault test", Media: kyc.Photo | kyc.Video,
		StepDelay: 2 * time.Second, Steps: 3, RefetchEvery: 5 * time.Minute, Deadline: 72 * time.Hour,
	}}
	w.mem = membucket.New(func() time.Time { return w.now })
	return w
}

// offset makes the clocks of the processes differ by a second.
func (w *world) offset(thread int) time.Duration { return time.Duration(thread) * time.Second }

// core wires a process of its own to a view of the bucket.
func (w *world) core(b bucket.Bucket) kyc.Core {
	w.seed++
	settings := w.settings
	if w.encrypted {
		settings.Encrypt = voice{w.seed}
	}
	return kyc.Core{
		Archive: archive.New(b), Delayer: &w.mail, Settings: settings, Now: func() time.Time { return w.now },
		Rand: randomBytes{rand.New(rand.NewPCG(w.seed, 1))}, Log: slog.New(slog.DiscardHandler),
	}
}

type randomBytes struct{ *rand.Rand }

func (r randomBytes) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = byte(r.Uint32())
	}
	return len(p), nil
}

func (w *world) gate(b bucket.Bucket, c kyc.Core) *kyc.Gate {
	return &kyc.Gate{Bucket: b, Rand: c.Rand, Log: c.Log}
}

func (w *world) puller(b bucket.Bucket, up kyc.Upstream) *kyc.Puller {
	c := w.core(b)
	return &kyc.Puller{Core: c, Upstream: up, Gate: w.gate(b, c)}
}

func (w *world) refetcher(b bucket.Bucket) *kyc.Refetcher {
	c := w.core(b)
	return &kyc.Refetcher{Core: c, Tickets: warm{}, Gate: w.gate(b, c)}
}

// open takes a completion before the race, and gives its first step.
func (w *world) open(t *testing.T) kyc.Message {
	t.Helper()
	in := kyc.Intake{Core: w.core(w.mem)}
	before := len(w.mail.msgs)
	if _, err := in.Complete(t.Context(), order, "test"); err != nil {
		t.Fatal(err)
	}
	m := w.mail.msgs[before]
	w.mail.msgs = w.mail.msgs[:before]
	return m
}

// mark opens the order by hand, even where a completion would not: a second marker from a stale listing.
func (w *world) mark(t *testing.T, opening string) kyc.Message {
	t.Helper()
	m := kyc.Message{V: 1, Order: order, Opening: opening, Attempt: 1, NotBefore: w.now}
	if err := archive.New(w.mem).OpenMarker(t.Context(), m.Mark(), archive.Marker{By: "test", At: w.now}); err != nil {
		t.Fatal(err)
	}
	return m
}

// step adds a thread that makes one step, with its own upstream.
func (w *world) step(m kyc.Message, script ...answer) {
	w.hints = append(w.hints, m)
	w.threads = append(w.threads, func(b bucket.Bucket) error {
		_, err := w.puller(b, &upstream{script: script}).Step(context.Background(), m)
		return err
	})
}

// complete adds a thread that takes a completion; one that returns is a promise.
func (w *world) complete() {
	w.hints = append(w.hints, kyc.Message{})
	w.threads = append(w.threads, func(b bucket.Bucket) error {
		out, err := (&kyc.Intake{Core: w.core(b)}).Complete(context.Background(), order, "test")
		w.promised = w.promised || out.Created
		return err
	})
}

// refetch adds a thread that makes a pass.
func (w *world) refetch() {
	w.hints = append(w.hints, kyc.Message{})
	w.threads = append(w.threads, func(b bucket.Bucket) error {
		_, err := w.refetcher(b).Pass(context.Background(), false)
		return err
	})
}

// judge brings everything to its end as the platforms would, and then looks whether the promises hold.
func (w *world) judge(t *testing.T) {
	for range 200 {
		w.deliver(t)
		if !w.waiting() {
			break
		}
		w.now = w.now.Add(time.Hour)
		if _, err := w.refetcher(w.mem).Pass(t.Context(), false); err != nil {
			t.Fatalf("pass: %v", err)
		}
	}
	w.check(t)
}

// deliver makes a step for every message in the mailbox, and for those that come of it.
func (w *world) deliver(t *testing.T) {
	for len(w.mail.msgs) > 0 {
		m := w.mail.msgs[0]
		w.mail.msgs = w.mail.msgs[1:]
		if m.NotBefore.After(w.now) {
			w.now = m.NotBefore
		}
		if _, err := w.puller(w.mem, &upstream{script: []answer{w.later}}).Step(t.Context(), m); err != nil {
			t.Errorf("step %+v: %v", m, err)
		}
	}
}

func (w *world) keys(prefixes ...string) (keys []string) {
	for _, o := range w.mem.Objects() {
		for _, p := range prefixes {
			if strings.HasPrefix(o.Key, p) {
				keys = append(keys, o.Key)
			}
		}
	}
	return keys
}

func (w *world) waiting() bool { return len(w.keys("pending/", "retry/", "quiet/")) > 0 }

// check is the judge of every test here: the state, no marker left, and nothing that Verify finds.
func (w *world) check(t *testing.T) {
	a := archive.New(w.mem)
	if left := w.keys("pending/", "retry/", "quiet/"); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
	st, err := (kyc.Orders{Archive: a}).Status(t.Context(), order)
	want := w.want
	if w.promised {
		want = []kyc.State{kyc.StateArchived}
	}
	if err != nil || !slices.Contains(want, st.State) {
		t.Errorf("state is %q, %v; want %q", st.State, err, want)
	}
	options := archive.VerifyOptions{}
	if w.encrypted {
		options.Keys = theKeys().open
	}
	if _, err := a.VerifyWith(t.Context(), func(d archive.Damage) { t.Errorf("damage: %+v", d) }, options); err != nil {
		t.Errorf("verify: %v", err)
	}
	if t.Failed() {
		for _, o := range w.mem.Objects() {
			t.Log(o.Key)
		}
	}
}

func (a answer) String() string {
	return fmt.Sprintf("%s photo %d video %d", a.code, len(a.photo), len(a.video))
}

// note leaves the note of an earlier try.
func (w *world) note(t *testing.T, m kyc.Message) {
	t.Helper()
	if err := archive.New(w.mem).WriteNote(t.Context(), archive.Retry, m.Mark(), archive.Note{Attempts: 3}); err != nil {
		t.Fatal(err)
	}
}

// partial gives the order up before the race: its video never came.
func (w *world) partial(t *testing.T) {
	t.Helper()
	m := w.open(t)
	w.now = w.now.Add(w.settings.Deadline)
	if _, err := w.puller(w.mem, &upstream{script: []answer{noVideo}}).Step(t.Context(), m); err != nil {
		t.Fatal(err)
	}
}
