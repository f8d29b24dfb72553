package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/kycvault/kycvault/pkg/archive"
	"github.com/kycvault/kycvault/pkg/seal"
)

// What sealing 100,000 orders of one window may take (issue E).
const (
	sealedOrders = 100_000
	mostSealing  = time.Minute
	mostSealPeak = 128 * mebibyte
)

// sealPass measures a process that seals a day of 100,000 orders, from the journal's listing alone.
func sealPass(ctx context.Context, s settings, t *table) error {
	folder := filepath.Join(s.scratch, "sealed")
	orders := sealedOrders / s.scale
	if err := makeJournal(folder, orders); err != nil {
		return err
	}
	private, _, err := seal.NewKey("benchmark")
	if err != nil {
		return err
	}
	env := []string{"PATH=" + os.Getenv("PATH"), "TMPDIR=" + os.TempDir(), "KYC_ARCHIVE=file://" + folder, "KYC_SEAL_KEY=" + private.Reveal()}
	var ours usages
	for range min(3, s.rounds) {
		if err := os.RemoveAll(filepath.Join(folder, "seals")); err != nil {
			return err
		}
		if err := ours.add(runProcess(ctx, env, s.kycvault, "seal")); err != nil {
			return err
		}
		if err := sealed(folder, orders); err != nil {
			return err
		}
	}
	t.add(row{what: fmt.Sprintf("seal a day of %d orders: time", orders), ours: ours.wall(), hold: "≤ 1 minute", held: median(ours.walls) <= mostSealing})
	t.add(row{what: "… peak memory", ours: mebibytes(median(ours.peaks)), hold: "≤ 128 MiB", held: median(ours.peaks) <= mostSealPeak})
	return nil
}

// makeJournal writes the journal's entries of a day that is over.
func makeJournal(folder string, orders int) error {
	day := time.Now().UTC().Truncate(24*time.Hour).AddDate(0, 0, -2)
	for i := range orders {
		digest := sha256.Sum256([]byte{byte(i), byte(i >> 8), byte(i >> 16)})
		at := day.Add(time.Duration(i) * 24 * time.Hour / time.Duration(orders)).Truncate(time.Second)
		file := filepath.Join(folder, archive.JournalKey(at, archive.Order(fmt.Sprintf("orderNo%025d", i)), hex.EncodeToString(digest[:])))
		if i == 0 {
			if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
				return err
			}
		}
		if err := os.WriteFile(file, nil, 0o600); err != nil {
			return err
		}
	}
	return nil
}

// sealed makes sure that all of them are in a seal.
func sealed(folder string, orders int) error {
	files, err := filepath.Glob(filepath.Join(folder, "seals", "*", archive.SealLeaves))
	if err != nil {
		return err
	}
	for _, file := range files {
		leaves, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		orders -= strings.Count(string(leaves), "\n")
	}
	if orders != 0 {
		return fmt.Errorf("%d orders are in no seal", orders)
	}
	return nil
}
