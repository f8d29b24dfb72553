package main

import (
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

const (
	orderMiB  = 64
	mostPeak  = 32 * mebibyte
	mostShare = 1.0 / 4
)

// largeOrder measures one order with a video of 64 MB, from the command line to the files, in a process of its own; then
// reading all of that again.
func largeOrder(ctx context.Context, s settings, t *table) error {
	v, theirs := newVault(s, "large"), newVault(s, "by-hand") // a service each: one's refresh would break the other's ticket
	defer v.close()
	defer theirs.close()
	self, err := os.Executable()
	if err != nil {
		return fmt.Errorf("find myself: %w", err)
	}
	if err := os.Mkdir(theirs.folder, 0o700); err != nil {
		return fmt.Errorf("make folder: %w", err)
	}
	var other, ours usages
	for i := range s.rounds {
		order := fmt.Sprintf("big%dmb%d", max(1, orderMiB/s.scale), i)
		if err := ours.add(runProcess(ctx, v.env(), s.kycvault, "pull", order)); err != nil {
			return err
		}
		if err := other.add(runProcess(ctx, v.env(), self, "by-hand", theirs.URL, appID, appSecret, theirs.folder, order)); err != nil {
			return err
		}
	}
	t.add(row{what: "an order of 64 MB: CPU", other: "by hand " + other.cpu(), ours: ours.cpu(),
		ratio: fraction(ratio(ours.cpus, other.cpus)), hold: "≤ 1/4", held: ratio(ours.cpus, other.cpus) <= mostShare})
	t.add(row{what: "… peak memory", other: "by hand " + mebibytes(median(other.peaks)), ours: mebibytes(median(ours.peaks)),
		ratio: fraction(ratio(ours.peaks, other.peaks)), hold: "≤ 32 MiB", held: median(ours.peaks) <= mostPeak})
	t.add(row{what: "… time, synced to the disk", other: "by hand, unsynced, " + other.wall(), ours: ours.wall(), ratio: times(ratio(other.walls, ours.walls))})
	return verifyLarge(ctx, s, t, v)
}

// usages collects what several processes took.
type usages struct {
	walls, cpus []time.Duration
	peaks       []int64
}

func (u *usages) add(one usage, err error) error {
	u.walls, u.cpus, u.peaks = append(u.walls, one.wall), append(u.cpus, one.cpu), append(u.peaks, one.peak)
	return err
}

func (u *usages) cpu() string  { return median(u.cpus).Round(time.Millisecond).String() }
func (u *usages) wall() string { return median(u.walls).Round(time.Millisecond).String() }

// verifyLarge compares verify with hashing the same files one after another.
func verifyLarge(ctx context.Context, s settings, t *table, v *vault) error {
	var size int64
	hashAll := func() (err error) {
		size, err = hashFiles(v.folder)
		return err
	}
	took, err := takeTurns(s.rounds, hashAll, func() error {
		_, err := runProcess(ctx, v.env(), s.kycvault, "verify", "--read-only")
		return err
	})
	if err != nil {
		return err
	}
	speed := func(times []time.Duration) string {
		return fmt.Sprintf("%.0f MB/s", float64(size)/1e6/median(times).Seconds())
	}
	t.add(row{what: "verify large orders", other: "SHA-256 of the files " + speed(took[0]), ours: speed(took[1]),
		ratio: fmt.Sprintf("%.0f %%", 100*ratio(took[0], took[1]))})
	return nil
}

// hashFiles hashes every file below a folder.
func hashFiles(folder string) (size int64, err error) {
	err = filepath.WalkDir(folder, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		f, err := os.Open(path)
		if err != nil {
			return err
		}
		defer func() { _ = f.Close() }()
		n, err := io.Copy(sha256.New(), f)
		size += n
		return err
	})
	return size, err
}
