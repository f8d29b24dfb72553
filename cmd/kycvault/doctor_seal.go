package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/kycvault/kycvault/pkg/archive"
	"github.com/kycvault/kycvault/pkg/platform"
	"github.com/kycvault/kycvault/pkg/seal"
	"github.com/kycvault/kycvault/pkg/seal/stamp"
)

// seals looks whether what is archived is sealed, where there is a key for it. vault may be nil.
func (d *doctor) seals(ctx context.Context, cfg platform.Config, vault *archive.Archive) {
	if cfg.SealKey.Empty() {
		return
	}
	roots, err := cfg.TSARoots()
	if err != nil {
		d.add(badRoots(err, cfg))
	}
	if vault != nil {
		d.chain(ctx, cfg, vault, roots)
	}
	if cfg.TSAURL != "" {
		d.authority(ctx, cfg, roots, err == nil)
	}
}

// chain looks at the end of the chain of seals. The whole of it is verify's.
func (d *doctor) chain(ctx context.Context, cfg platform.Config, vault *archive.Archive, roots *stamp.Roots) {
	now, err := vault.Now(ctx)
	if err != nil {
		d.add(unseenSeals(err))
		return
	}
	list, err := lastSeals(ctx, vault, now.Add(-2*cfg.SealEvery-cfg.SealGrace))
	switch {
	case err != nil:
		d.add(unseenSeals(err))
		return
	case len(list) == 0:
		d.add(neverSealed(ctx, cfg, vault, now))
		return
	}
	last, err := readSealed(ctx, vault, list[len(list)-1])
	if err != nil {
		d.add(lastUnread(err))
		return
	}
	d.add(sealedUntil(last.Window.End, cfg, now))
	d.add(signedBy(last.signed, cfg))
	d.timestamps(ctx, cfg, vault, list, now, roots)
}

// sealSeen is a seal that a listing shows.
type sealSeen struct {
	start time.Time
	token bool
}

// lastSeals lists the seals of a time and those after it; all, if there are none.
func lastSeals(ctx context.Context, vault *archive.Archive, from time.Time) (list []sealSeen, err error) {
	for s, err := range vault.ScanSeals(ctx, from) {
		switch n := len(list); {
		case archive.Strange(err): // verify tells of it
		case err != nil:
			return nil, err
		case s.Object == archive.SealCheckpoint:
			list = append(list, sealSeen{start: s.Start})
		case s.Object == archive.SealToken && n > 0 && list[n-1].start.Equal(s.Start):
			list[n-1].token = true
		}
	}
	if len(list) == 0 && !from.IsZero() {
		return lastSeals(ctx, vault, time.Time{})
	}
	return list, nil
}

// sealed is a checkpoint that was read, whoever has signed it.
type sealed struct {
	seal.Checkpoint
	signed []byte
	token  bool
}

func readSealed(ctx context.Context, vault *archive.Archive, s sealSeen) (sealed, error) {
	key := archive.SealKey(s.start, archive.SealCheckpoint)
	signed, found, err := vault.ReadSeal(ctx, s.start, archive.SealCheckpoint)
	switch {
	case err != nil:
		return sealed{}, err
	case !found:
		return sealed{}, fmt.Errorf("read %s: it was listed, and is not there", key)
	}
	c, err := seal.Peek(signed)
	switch {
	case err != nil:
		return sealed{}, fmt.Errorf("%s: %w", key, err)
	case !c.Window.Start.Equal(s.start):
		return sealed{}, fmt.Errorf("%s is about the window %s: %w", key, c.Window, archive.ErrDamaged)
	}
	return sealed{Checkpoint: c, signed: signed, token: s.token}, nil
}

func unseenSeals(err error) finding {
	return finding{Check: "seals", Level: levelWarning, Found: err.Error(), Means: "whether what is archived is sealed is not known", Do: "let this user list and read seals/ and journal/"}
}

// lastUnread is a last checkpoint that can not be read. Damaged, it stops every pass.
func lastUnread(err error) finding {
	switch {
	case errors.Is(err, archive.ErrNewer):
		return finding{Check: "seals", Level: levelWarning, Found: err.Error(), Means: "this version neither judges the seals nor goes on from them", Do: "use the newer version, here and where passes are made"}
	case errors.Is(err, archive.ErrDamaged), errors.Is(err, seal.ErrFormat):
		return finding{Check: "seals", Level: levelBad, Found: err.Error(), Means: "no pass seals any more: nothing archived from now on can be proven or exported",
			Do: "find out who wrote it (docs/evidence.md), and look for the object in a backup or an older version"}
	}
	return unseenSeals(err)
}

// Passes come every KYC_REFETCH_EVERY; the first of them that could seal may still be under way for so long.
const sealSlack = 15 * time.Minute

func overdue(due time.Time, cfg platform.Config, now time.Time) bool {
	return now.Sub(due) > cfg.RefetchEvery+sealSlack
}

// startSealing is what to do where nothing seals.
const startSealing = `start serve, or the re-fetch function, with KYC_SEAL_KEY; if one runs, look in its log for "no seal could be made". kycvault seal makes a pass by hand`

// sealedUntil judges whether sealing goes on: the next window is over, and its grace too.
func sealedUntil(end time.Time, cfg platform.Config, now time.Time) finding {
	due := seal.Due(end, cfg.SealEvery, cfg.SealGrace)
	f := finding{Check: "seals", Level: levelOK, Found: fmt.Sprintf("the last window ends at %s; the next seal is due at %s", end.Format(time.RFC3339), due.Format(time.RFC3339))}
	if overdue(due, cfg, now) {
		f.Level, f.Found = levelWarning, fmt.Sprintf("the last window ends at %s; the next seal is overdue by %s", end.Format(time.RFC3339), roughly(now.Sub(due)))
		f.Means, f.Do = "sealing has stopped, is catching up, or seals were removed; what was archived since can be changed unseen, and not be exported", startSealing
	}
	return f
}

// neverSealed judges an archive without a seal by its first order.
func neverSealed(ctx context.Context, cfg platform.Config, vault *archive.Archive, now time.Time) finding {
	for e, err := range vault.ScanJournal(ctx, time.Time{}, time.Time{}) {
		if archive.Strange(err) {
			continue
		} else if err != nil {
			return unseenSeals(err)
		}
		due := seal.Due(e.At, cfg.SealEvery, cfg.SealGrace)
		if overdue(due, cfg, now) {
			return finding{Check: "seals", Level: levelWarning, Found: "there is none, although orders have been archived since " + e.At.Format(time.RFC3339),
				Means: "nothing seals, or all seals were removed; what is archived can be changed unseen, and not be exported", Do: startSealing}
		}
		return finding{Check: "seals", Level: levelOK, Found: "none yet; the first is due at " + due.Format(time.RFC3339)}
	}
	return finding{Check: "seals", Level: levelInfo, Found: "none yet", Means: "nothing is archived either; the next pass makes the first"}
}

// signedBy tells whether the chain goes on with the key: it, or one that stands behind it, must have signed the last checkpoint.
func signedBy(signed []byte, cfg platform.Config) finding {
	const check = "seals' key"
	own, err := seal.ParseKey(cfg.SealKey)
	if err != nil {
		return finding{Check: check, Level: levelBad, Found: err.Error(), Means: "serve does not start with it", Do: "set KYC_SEAL_KEY as kycvault seal keygen prints it"}
	}
	for i, text := range append([]string{own.Public()}, cfg.SealFormer...) {
		key, err := seal.ParsePublicKey(text)
		if err == nil {
			_, err = seal.Open(signed, []seal.PublicKey{key})
		}
		switch {
		case err != nil:
		case i == 0:
			return finding{Check: check, Level: levelOK, Found: "it has signed the last seal"}
		default:
			return finding{Check: check, Level: levelInfo, Found: "a former key has signed the last seal", Means: "the next one is signed with the new key: who checks needs both public keys"}
		}
	}
	return finding{Check: check, Level: levelBad, Found: "the last seal is signed neither with it nor with a former key behind it",
		Means: "no pass seals: nothing archived from now on can be proven or exported",
		Do:    "if KYC_SEAL_KEY was changed, put the former public key behind it, after a comma; else find out who wrote the seal (docs/evidence.md)"}
}
