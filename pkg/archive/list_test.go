package archive_test

import (
	"context"
	"fmt"
	"iter"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kycvault/kycvault/pkg/archive"
	"github.com/kycvault/kycvault/pkg/bucket"
	"github.com/kycvault/kycvault/pkg/bucket/membucket"
)

// TestScanJournal reads parts of a journal of three days, and counts what it costs.
func TestScanJournal(t *testing.T) {
	store := membucket.New(nil)
	for _, at := range []string{"2026-11-22/235959", "2026-11-23/000000", "2026-11-23/120000", "2026-11-24/000000", "2026-11-24/000001"} {
		key := fmt.Sprintf("journal/%s.ok1.%s", at, strings.Repeat("0", 64))
		if err := store.Create(t.Context(), key, bucket.Bytes(nil, "")); err != nil {
			t.Fatal(err)
		}
	}
	day := func(d int) time.Time { return time.Date(2026, 11, d, 0, 0, 0, 0, time.UTC) }
	for name, test := range map[string]struct {
		from, to time.Time
		want     []string
		listed   int // keys that the store had to tell of
	}{
		"all":        {time.Time{}, time.Time{}, []string{"22 23:59:59", "23 00:00:00", "23 12:00:00", "24 00:00:00", "24 00:00:01"}, 5},
		"a day":      {day(23), day(24), []string{"23 00:00:00", "23 12:00:00"}, 3},
		"since":      {day(24).Add(time.Second), time.Time{}, []string{"24 00:00:01"}, 1},
		"other zone": {day(24).In(time.FixedZone("CST", 8*3600)), time.Time{}, []string{"24 00:00:00", "24 00:00:01"}, 2},
		"until":      {time.Time{}, day(23), []string{"22 23:59:59"}, 2},
		"later":      {day(25), time.Time{}, nil, 0},
	} {
		counted := &telling{Bucket: store}
		var got []string
		for e, err := range archive.New(counted).ScanJournal(t.Context(), test.from, test.to) {
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, e.At.Format("02 15:04:05"))
		}
		if diff := cmp.Diff(test.want, got); diff != "" {
			t.Errorf("%s, -want +got:\n%s", name, diff)
		}
		if counted.listed != test.listed {
			t.Errorf("%s: the store told of %d keys, want %d", name, counted.listed, test.listed)
		}
	}
}

// telling counts the keys that its listings tell of.
type telling struct {
	bucket.Bucket
	listed int
}

func (c *telling) List(ctx context.Context, prefix, after string) iter.Seq2[bucket.Object, error] {
	return func(yield func(bucket.Object, error) bool) {
		for obj, err := range c.Bucket.List(ctx, prefix, after) {
			c.listed++
			if !yield(obj, err) {
				return
			}
		}
	}
}
