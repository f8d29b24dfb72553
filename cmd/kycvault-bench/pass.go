package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/kycvault/kycvault/pkg/archive"
	"github.com/kycvault/kycvault/pkg/bucket/dirbucket"
	"github.com/kycvault/kycvault/pkg/kyc"
)

const (
	waitingOrders = 100_000
	dueOrders     = 100
	refetchEvery  = time.Hour
)

// pass measures a re-fetch pass over a bad day: 100,000 orders wait, each with a note of its tries, and 100 are due. What
// to compare with reads every order's record to find that out.
func pass(ctx context.Context, s settings, t *table) error {
	folder := filepath.Join(s.scratch, "waiting")
	waiting := waitingOrders / s.scale
	if err := makeWaiting(folder, waiting); err != nil {
		return err
	}
	b, err := dirbucket.Open(folder)
	if err != nil {
		return err
	}
	defer func() { _ = b.Close() }()
	r := &kyc.Refetcher{
		Core: kyc.Core{
			Archive: archive.New(b), Delayer: taker{}, Now: time.Now, Rand: rand.Reader, Log: slog.New(slog.DiscardHandler),
			Settings: kyc.Settings{AppID: appID, Media: kyc.Photo | kyc.Video, RefetchEvery: refetchEvery, Deadline: 72 * time.Hour},
		},
		Tickets: warm{}, Gate: &kyc.Gate{Bucket: b, Rand: rand.Reader, Log: slog.New(slog.DiscardHandler)},
	}
	took, err := takeTurns(min(3, s.rounds), func() error { return readAllByHand(folder, waiting) }, func() error {
		report, err := r.Pass(ctx, false)
		if err == nil && (report.Waiting != waiting || report.Handed != dueOrders) {
			err = fmt.Errorf("%d waiting, %d handed out", report.Waiting, report.Handed)
		}
		return err
	})
	if err != nil {
		return err
	}
	t.add(row{what: fmt.Sprintf("a pass over %d that wait, %d due", waiting, dueOrders), other: "reading each record " + shown(median(took[0])),
		ours: shown(median(took[1])), ratio: times(ratio(took[0], took[1]))})
	return nil
}

func shown(d time.Duration) string { return d.Round(10 * time.Millisecond).String() }

// makeWaiting writes markers and notes as they lie in an archive, but not synced. The first ones are due: two hours old.
func makeWaiting(folder string, waiting int) error {
	record, err := json.Marshal(archive.Marker{V: archive.MarkerVersion, By: "jwt", At: time.Now()})
	if err != nil {
		return err
	}
	for _, sub := range []string{"pending", "retry"} {
		if err := os.MkdirAll(filepath.Join(folder, sub), 0o700); err != nil {
			return err
		}
		for i := range waiting {
			path := filepath.Join(folder, sub, fmt.Sprintf("order%d.06h0jj61jg0i7k0tk96e9k3vfg", i))
			if err := os.WriteFile(path, record, 0o600); err != nil {
				return err
			}
			if i < dueOrders {
				long := time.Now().Add(-2 * refetchEvery)
				if err := os.Chtimes(path, long, long); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// readAllByHand is a pass as a team writes it: every record is read to see whether its order is due.
func readAllByHand(folder string, waiting int) error {
	entries, err := os.ReadDir(filepath.Join(folder, "pending"))
	if err != nil {
		return err
	}
	read := 0
	for _, e := range entries {
		for _, sub := range []string{"pending", "retry"} {
			data, err := os.ReadFile(filepath.Join(folder, sub, e.Name()))
			if err != nil {
				return err
			}
			var m archive.Marker
			if err := json.Unmarshal(data, &m); err != nil {
				return err
			}
		}
		read++
	}
	if read != waiting {
		return fmt.Errorf("%d records, want %d", read, waiting)
	}
	return nil
}

// taker is a kyc.Delayer that has room for everything, and does nothing with it.
type taker struct{}

// Delay implements kyc.Delayer.
func (taker) Delay(context.Context, ...kyc.Message) error { return nil }

// Room implements kyc.Delayer.
func (taker) Room(context.Context, time.Duration) (int, error) { return waitingOrders, nil }

// warm is a kyc.Warmer that has nothing to do.
type warm struct{}

// Warm implements kyc.Warmer.
func (warm) Warm(context.Context) error { return nil }
