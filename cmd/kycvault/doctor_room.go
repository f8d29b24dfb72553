package main

import (
	"errors"
	"io/fs"
	"os"
	"syscall"

	"github.com/kycvault/kycvault/pkg/platform"
)

// Below the first there is no room for the next orders, below the second there soon is none.
const (
	archiveFull, archiveTight = 256 << 20, 5 << 30
	spoolFull, spoolTight     = 64 << 20, 1 << 30
)

// room looks for room where evidence goes, and where large media lie until they are archived.
func (d *doctor) room(cfg platform.Config) {
	if cfg.Archive.Scheme == platform.SchemeFile {
		d.space("space for the archive", cfg.Archive.Path, archiveFull, archiveTight)
	}
	folder := os.TempDir()
	f, err := os.CreateTemp(folder, "kycvault-*")
	if err == nil {
		err = errors.Join(f.Close(), os.Remove(f.Name()))
	}
	if err != nil {
		d.add(finding{Check: "temporary files", Level: levelBad, Found: err.Error(), Means: "a medium larger than a megabyte can not be fetched", Do: "point TMPDIR to a folder that this user can write to"})
		return
	}
	d.space("space in TMPDIR", folder, spoolFull, spoolTight)
}

func (d *doctor) space(check, folder string, full, tight uint64) {
	var st syscall.Statfs_t
	err := syscall.Statfs(folder, &st)
	if errors.Is(err, fs.ErrNotExist) {
		return // a finding of its own
	}
	if err != nil {
		d.add(finding{Check: check, Level: levelWarning, Found: err.Error(), Means: "how much room there is is not known", Do: "look at the disk by other means"})
		return
	}
	d.add(roomLeft(check, st.Bavail*uint64(st.Bsize), full, tight)) //nolint:gosec // a block's size is positive
}

// roomLeft judges how many bytes are free.
func roomLeft(check string, free, full, tight uint64) finding {
	f := finding{Check: check, Level: levelOK, Found: bytesText(int64(min(free, 1<<62))) + " free"}
	switch {
	case free < full:
		f.Level, f.Means, f.Do = levelBad, "the next videos may find no room; their orders wait, and the service forgets them after 72 hours", "make room"
	case free < tight:
		f.Level, f.Means, f.Do = levelWarning, "it may not last long", "make room, or watch it"
	}
	return f
}
