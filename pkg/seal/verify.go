package seal

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/kycvault/kycvault/pkg/archive"
)

// The kinds of damage that only seals show; missing and unknown are those of package archive.
const (
	Unsealed     = "unsealed"      // a journal entry that no seal has, although its window is over and its grace too
	Removed      = "removed"       // a seal names a manifest that is not there any more
	BadSeal      = "bad-seal"      // leaves or a checkpoint are not what was signed, or do not follow the seal before
	BadTimestamp = "bad-timestamp" // a timestamp is not one of its checkpoint, or is of a time that can not be
)

// VerifyOptions say what Verify goes by.
type VerifyOptions struct {
	Keys  []PublicKey   // each checkpoint must be signed by one of them; none: signatures are not checked
	Grace time.Duration // KYC_SEAL_GRACE
	Every time.Duration // KYC_SEAL_EVERY, where it is set: the window after the last seal may be as long; zero is not known
	// CheckToken gives the time of a timestamp that is good; nil: timestamps are not looked at.
	CheckToken func(signed, token []byte) (time.Time, error)
	// Stamped says that CheckToken knows whom to trust: once a checkpoint wanted a timestamp, all later ones must.
	Stamped bool
	Known   []string        // SHA-256 of checkpoints that somebody keeps elsewhere: they must be in the chain
	Orders  []archive.Order // the manifests of these alone; the chain is checked whole
	// From and To bound the windows whose leaves are compared with the journal; a zero time is no bound. The chain is checked whole.
	From, To time.Time
}

// Sealed sums up a Verify.
type Sealed struct {
	Seals  int       `json:"seals"`
	Leaves int       `json:"leaves"`
	Stamps int       `json:"timestamps"`
	Until  time.Time `json:"until,omitzero"` // the end of the last window
	// FirstStamp is the earliest time of a timestamp, zero when there is none. Nobody vouches that a seal, or what is in it, was there
	// before that: a chain that was made anew from its first seal on has it of then.
	FirstStamp time.Time `json:"firstTimestamp,omitzero"`
	// Slowest is the longest time from a window's end to its timestamp, of those that ended after FirstStamp: within it, and not later,
	// a seal may have been made anew.
	Slowest Delay `json:"slowestTimestamp"`
}

// Delay is a time that JSON has in seconds.
type Delay time.Duration

// MarshalJSON implements json.Marshaler.
func (d Delay) MarshalJSON() ([]byte, error) {
	return strconv.AppendInt(nil, int64(time.Duration(d)/time.Second), 10), nil
}

// slack is what a pass may come late by before its absence is told.
const slack = 15 * time.Minute

// Verify checks the seals of an archive: that they form one chain, each signed and stamped, that what they name is there, and
// that what is there is named. It goes by the journal; that the journal and the manifests agree, and files with both, is for
// archive.Verify to see. Memory is bounded by the orders of the largest window. It writes nothing.
func Verify(ctx context.Context, a *archive.Archive, report func(archive.Damage), o VerifyOptions) (Sealed, error) {
	v := &verifier{a: a, o: o, report: report, open: make(map[Leaf]string), digests: make(map[string]bool)}
	err := v.run(ctx)
	return v.sum, err
}

// verifier is a check under way.
type verifier struct {
	a      *archive.Archive
	o      VerifyOptions
	report func(archive.Damage)
	sum    Sealed

	now     time.Time
	named   []archive.JournalEntry // of o.Orders
	lost    bool                   // one of o.Orders has no manifest: any window may have had it
	last    Checkpoint             // the one before, as far as it could be read
	period  time.Duration          // how long windows are
	digest  string                 // its digest; "" before the first, unknown after one that can not be read
	open    map[Leaf]string        // entries that no seal has had yet, with their journal keys
	digests map[string]bool        // of all checkpoints
	stamps  []stamped
	wanted  bool // a checkpoint has wanted a timestamp
}

// unknown is the digest of a checkpoint that can not be read: any will do for what follows it.
const unknown = "?"

func (v *verifier) tell(key, kind, what string) {
	v.report(archive.Damage{Key: key, Kind: kind, What: what})
}

func (v *verifier) run(ctx context.Context) (err error) {
	if v.now, err = v.a.Now(ctx); err != nil {
		return err
	}
	if err := v.readNamed(ctx); err != nil {
		return err
	}
	seals, err := v.list(ctx)
	if err != nil {
		return err
	}
	if len(seals) > 0 {
		if err := v.openBetween(ctx, time.Time{}, seals[0].start); err != nil {
			return err
		}
	}
	for i, s := range seals {
		if err := v.one(ctx, s, i == len(seals)-1); err != nil {
			return err
		}
	}
	if err := v.after(ctx); err != nil {
		return err
	}
	for _, digest := range v.o.Known {
		if !v.digests[digest] {
			v.tell("seals/", BadSeal, "the checkpoint with SHA-256 "+digest+", which is kept elsewhere, is not in the chain")
		}
	}
	v.judgeStamps()
	return nil
}

// readNamed reads the manifests of the orders that are asked for.
func (v *verifier) readNamed(ctx context.Context) error {
	for _, o := range v.o.Orders {
		all, err := v.a.Manifests(ctx, o)
		if err != nil && !errors.Is(err, archive.ErrDamaged) && !errors.Is(err, archive.ErrNewer) {
			return err
		}
		v.lost = v.lost || len(all) == 0
		for _, m := range all {
			v.named = append(v.named, archive.JournalEntry{At: m.ArchivedAt.Truncate(time.Second), Order: o, ManifestDigest: m.Digest})
		}
	}
	return nil
}

// parts are the objects of a seal that there are.
type parts struct {
	start                     time.Time
	leaves, checkpoint, token bool
	stored                    time.Time // the last of them
}

// list lists all seals; keys that are none are reported.
func (v *verifier) list(ctx context.Context) (all []parts, err error) {
	for s, err := range v.a.ScanSeals(ctx, time.Time{}) {
		if archive.Strange(err) {
			v.tell(s.Key, archive.Unknown, "not a name that this version makes")
			continue
		} else if err != nil {
			return nil, err
		}
		if n := len(all); n == 0 || !all[n-1].start.Equal(s.Start) {
			all = append(all, parts{start: s.Start})
		}
		p := &all[len(all)-1]
		p.leaves = p.leaves || s.Object == archive.SealLeaves
		p.checkpoint = p.checkpoint || s.Object == archive.SealCheckpoint
		p.token = p.token || s.Object == archive.SealToken
		p.stored = s.Modified
	}
	return all, nil
}

// one checks one seal.
func (v *verifier) one(ctx context.Context, s parts, last bool) error {
	key := archive.SealKey(s.start, archive.SealCheckpoint)
	if !s.checkpoint {
		if !last || s.token || v.now.Sub(s.stored) > time.Hour { // else it is being made
			v.tell(key, archive.Missing, "there are other objects of this seal")
			v.digest = unknown
		}
		return nil
	}
	signed, found, err := v.a.ReadSeal(ctx, s.start, archive.SealCheckpoint)
	if errors.Is(err, archive.ErrDamaged) { // too large: what follows is to be looked at all the same
		v.tell(key, BadSeal, err.Error())
		v.digest = unknown
		return nil
	}
	if err != nil || !found {
		return fmt.Errorf("read %s: %w", key, err)
	}
	v.digests[Digest(signed)] = true
	c, err := v.openCheckpoint(signed)
	if err == nil && !c.Window.Start.Equal(s.start) {
		err = fmt.Errorf("it is about the window %s", c.Window)
	}
	if err != nil {
		v.tell(key, BadSeal, err.Error())
		v.digest = unknown
		return nil
	}
	v.follows(key, c)
	if err := c.Window.future(v.now); err != nil {
		v.tell(key, BadSeal, err.Error())
	}
	if err := v.token(ctx, s, c, signed); err != nil {
		return err
	}
	v.last, v.digest = c, Digest(signed)
	if length := c.Window.End.Sub(c.Window.Start); c.Window.whole() || length > v.period { // else it was cut short
		v.period = length
	}
	v.sum.Seals++
	v.sum.Until = c.Window.End
	return v.window(ctx, s, c)
}

func (v *verifier) openCheckpoint(signed []byte) (Checkpoint, error) {
	if len(v.o.Keys) == 0 {
		return Peek(signed)
	}
	return Open(signed, v.o.Keys)
}

// follows checks that a checkpoint names the one before it.
func (v *verifier) follows(key string, c Checkpoint) {
	before := archive.SealKey(c.PreviousStart, archive.SealCheckpoint)
	switch {
	case v.digest == unknown:
	case c.Previous == "" && v.digest != "":
		v.tell(key, BadSeal, "it says that it is the first one, and is not")
	case c.Previous == v.digest && (v.digest == "" || c.Window.Start.Equal(v.last.Window.End)):
	case v.digest == "" || c.PreviousStart.After(v.last.Window.Start):
		v.tell(before, archive.Missing, "the checkpoint of "+archive.SealName(c.Window.Start)+" names it as the one before")
	default:
		v.tell(key, BadSeal, "it does not follow the checkpoint of "+archive.SealName(v.last.Window.Start)+" as that is")
	}
}

// after looks at what comes after the last seal, and reports what no seal has.
func (v *verifier) after(ctx context.Context) error {
	from, due := v.last.Window.End, floor(v.now.Add(-v.o.Grace-slack), 24*time.Hour)
	if v.sum.Seals > 0 { // windows go on as long as the last ones were, or as they are to be now
		period := max(v.period, v.o.Every)
		due = from.Add(v.now.Add(-v.o.Grace - slack).Sub(from).Truncate(period))
	}
	if err := v.openBetween(ctx, from, due); err != nil {
		return err
	}
	if v.sum.Seals > 0 && due.After(from) {
		v.tell(archive.SealKey(from, archive.SealCheckpoint), archive.Missing, "this window is over, and not sealed: sealing has stopped, or seals were removed")
	}
	for _, l := range slices.SortedFunc(keysOf(v.open), compareLeaves) {
		v.report(archive.Damage{Order: l.Order, Key: v.open[l], Kind: Unsealed, What: "no seal has this manifest, although its window is over; kycvault seal puts it into the next one"})
	}
	return nil
}
