package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"github.com/kycvault/kycvault/pkg/archive"
	"github.com/kycvault/kycvault/pkg/platform"
	"github.com/kycvault/kycvault/pkg/seal"
	"github.com/kycvault/kycvault/pkg/seal/stamp"
	"github.com/kycvault/kycvault/pkg/smallfile"
)

// sealFlags are for subcommands that check or export seals.
type sealFlags struct {
	SealKey []string `name:"seal-key" placeholder:"KEY" help:"Public key that seals must be signed with, or a file with it; repeat it after a change of keys. Else that of $$KYC_SEAL_KEY."`
	TSACA   string   `name:"tsa-ca" sets:"KYC_TSA_CA" placeholder:"FILE" help:"PEM certificates that timestamps must lead to."`
}

// keys reads the public keys: those of the flag, or those of KYC_SEAL_KEY.
func (f sealFlags) keys(cfg platform.Config) (keys []seal.PublicKey, err error) {
	texts := f.SealKey
	if len(texts) == 0 && !cfg.SealKey.Empty() {
		own, err := seal.ParseKey(cfg.SealKey)
		if err != nil {
			return nil, err
		}
		texts = append([]string{own.Public()}, cfg.SealFormer...)
	}
	for _, text := range texts {
		if data, err := smallfile.Read(text); err == nil {
			text = string(data)
		} else if !errors.Is(err, fs.ErrNotExist) {
			return nil, usage(fmt.Errorf("read --seal-key: %w", err))
		}
		key, err := seal.ParsePublicKey(text)
		if err != nil {
			return nil, usage(fmt.Errorf("--seal-key is neither a file nor a key: %w", err))
		}
		keys = append(keys, key)
	}
	return keys, nil
}

// keptCheckpoints reads checkpoints that were kept, and gives their digests.
func keptCheckpoints(files []string) (digests []string, err error) {
	for _, file := range files {
		data, err := smallfile.Read(file)
		if err != nil {
			return nil, usage(fmt.Errorf("read --checkpoint: %w", err))
		}
		if _, err := seal.Peek(data); err != nil {
			return nil, usage(fmt.Errorf("read --checkpoint: %w", err))
		}
		digests = append(digests, seal.Digest(data))
	}
	return digests, nil
}

// sealOptions are what the seals are checked by. A KYC_SEAL_EVERY that nobody has set says nothing: its default would hide for a day that
// the seals of hours are gone.
func (c *verifyCmd) sealOptions(a *app, cfg platform.Config, o archive.VerifyOptions) (seal.VerifyOptions, error) {
	var every time.Duration
	if set, _ := a.lookup("KYC_SEAL_EVERY"); set != "" {
		every = cfg.SealEvery
	}
	keys, err := c.keys(cfg)
	if err != nil {
		return seal.VerifyOptions{}, err
	}
	roots, err := cfg.TSARoots()
	if err != nil {
		return seal.VerifyOptions{}, usage(err)
	}
	digests, err := keptCheckpoints(c.Checkpoint)
	return seal.VerifyOptions{
		Keys: keys, Grace: cfg.SealGrace, Every: every, Known: digests, Orders: o.Orders, From: o.From, To: o.To, Stamped: roots != nil,
		CheckToken: func(signed, token []byte) (time.Time, error) {
			t, err := stamp.Check(signed, token, roots)
			return t.Time, err
		},
	}, err
}

// checkSeals checks the seals, if there are any or if there should be.
func (v *verdict) checkSeals(ctx context.Context, a *app, vault *archive.Archive, o seal.VerifyOptions) error {
	sealed := len(o.Keys)+len(o.Known) > 0
	for _, err := range vault.ScanSeals(ctx, time.Time{}) {
		if err != nil && !archive.Strange(err) {
			return err
		}
		sealed = true
		break
	}
	if !sealed {
		return nil
	}
	if len(o.Keys) == 0 {
		a.tell("the signatures of the seals are not checked: --seal-key says whose they must be")
	}
	sum, err := seal.Verify(ctx, vault, func(d archive.Damage) { v.Damage = append(v.Damage, d) }, o)
	v.Seals = &sum
	if v.part = partly(o); v.part && err == nil {
		v.yet, err = unsealedYet(ctx, vault, o, sum.Until)
	}
	switch {
	case o.Stamped && sum.Seals > 0 && sum.Stamps == 0:
		a.tell("no seal has a timestamp by the certificates of --tsa-ca: nobody but who holds the seal key says when they were made")
	case !o.Stamped && sum.Stamps > 0:
		a.tell("the timestamps were checked by the certificates within them, and anyone can make such: --tsa-ca says whose they must be")
	}
	return err
}

// partly tells whether something less than the whole archive is checked.
func partly(o seal.VerifyOptions) bool {
	return len(o.Orders) > 0 || !o.From.IsZero() || !o.To.IsZero()
}

// unsealedYet counts the manifests of what was asked for that came after the last window that is sealed.
func unsealedYet(ctx context.Context, vault *archive.Archive, o seal.VerifyOptions, until time.Time) (n int, err error) {
	for _, order := range o.Orders {
		all, err := vault.Manifests(ctx, order)
		if err != nil && !errors.Is(err, archive.ErrDamaged) && !errors.Is(err, archive.ErrNewer) { // those are told already
			return 0, err
		}
		for _, m := range all {
			if !m.ArchivedAt.Truncate(time.Second).Before(until) {
				n++
			}
		}
	}
	if len(o.Orders) > 0 {
		return n, nil
	}
	if until.Before(o.From) {
		until = o.From
	}
	for _, err := range vault.ScanJournal(ctx, until, o.To) {
		if err != nil && !archive.Strange(err) {
			return 0, err
		} else if err == nil {
			n++
		}
	}
	return n, nil
}

// sealLine says what was checked, how far that goes, and what the timestamps are worth.
func (v verdict) sealLine() string {
	s := v.Seals
	line := fmt.Sprintf("%d seals, %d timestamps, %d leaves read: %s", s.Seals, s.Stamps, s.Leaves, v.reach())
	if s.Stamps > 0 {
		line += fmt.Sprintf("\nthe first timestamp is of %s, the slowest of %s after its window: seals made anew would have later ones",
			s.FirstStamp.Format(time.RFC3339), time.Duration(s.Slowest).Round(time.Second))
	}
	return line
}

// reach says what is sealed, and no more than was seen: of a part, of that part; with damage, nothing but how far the seals go.
func (v verdict) reach() string {
	if v.Seals.Until.IsZero() {
		return "nothing is sealed"
	}
	until := v.Seals.Until.Format(time.RFC3339)
	last := "the last window that is sealed ends at " + until
	switch {
	case v.yet > 0:
		return fmt.Sprintf("%s, and %d manifests that were asked for are not sealed yet", last, v.yet)
	case v.Stopped != "" || len(v.Damage)+len(v.Mended) > 0:
		return last
	case v.part:
		return last + ", and all that was asked for is sealed"
	}
	return "all until " + until + " is sealed"
}
