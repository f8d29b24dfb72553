package archive

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/kycvault/kycvault/pkg/bucket"
)

// The promises of a store that Try puts to the test (package bucket says them in full).
const (
	TrialPut    = "put and get"    // what is put is read back, and replaces what was there
	TrialCreate = "create-once"    // a second create is refused and changes nothing
	TrialRace   = "racing creates" // of many at the same time one wins
	TrialDigest = "digest"         // bytes that are not those that were announced are refused
	TrialList   = "list"           // a listing shows what is there
	TrialDelete = "delete"         // what is deleted is gone
)

// Trial is how one promise fared.
type Trial struct {
	Promise string
	Err     error // nil: it was kept
}

// Tried is what Try found.
type Tried struct {
	Trials []Trial
	Skew   time.Duration // how far the times of objects are ahead of the store's clock
}

const (
	racers     = 16
	trialAge   = time.Hour        // what an earlier run left is removed when it is older
	trialClean = 10 * time.Second // for the removal, also after an interruption
)

// Try puts the store's promises to the test, on keys below system/doctor/ that hold the run's id (letters and digits) and
// nothing of any order. It removes them again, and what a run that died left behind. An error means that the store can not
// be used at all, or that something could not be removed.
func (a *Archive) Try(ctx context.Context, id string) (Tried, error) {
	t := trials{b: a.b, id: id}
	err := t.put(ctx)
	t.add(TrialPut, err)
	if err == nil {
		t.add(TrialCreate, t.create(ctx))
		t.add(TrialRace, t.race(ctx))
		t.add(TrialDigest, t.digest(ctx))
		t.add(TrialList, t.list(ctx))
		t.add(TrialDelete, t.remove(ctx))
	}
	clean, cancel := context.WithTimeout(context.WithoutCancel(ctx), trialClean)
	defer cancel()
	return t.found, errors.Join(ctx.Err(), t.clean(clean))
}

// trials is one run of Try.
type trials struct {
	b     bucket.Bucket
	id    string
	found Tried
}

func (t *trials) add(promise string, err error) {
	t.found.Trials = append(t.found.Trials, Trial{Promise: promise, Err: err})
}

func (t *trials) key(name string) string { return trialKey(t.id, name) }

func (t *trials) names() []string { return []string{"put", "create", "race", "digest"} }

func content(text string) bucket.Content { return bucket.Bytes([]byte(text), "text/plain") }

// put also measures the clock that objects get their times from: every age in the archive is between the two.
func (t *trials) put(ctx context.Context) error {
	for _, text := range []string{"first", "second"} {
		if err := t.b.Put(ctx, t.key("put"), content(text)); err != nil {
			return err
		}
		if err := t.holds(ctx, "put", text); err != nil {
			return err
		}
	}
	now, err := t.b.Now(ctx)
	if err != nil {
		return fmt.Errorf("read store's clock: %w", err)
	}
	r, obj, err := t.b.Get(ctx, t.key("put"))
	if err != nil {
		return err
	}
	t.found.Skew = obj.Modified.Sub(now)
	return r.Close()
}

// holds reads a key back.
func (t *trials) holds(ctx context.Context, name string, want ...string) error {
	r, obj, err := t.b.Get(ctx, t.key(name))
	if err != nil {
		return err
	}
	defer func() { _ = r.Close() }()
	data, err := io.ReadAll(io.LimitReader(r, 1<<10))
	switch {
	case err != nil:
		return fmt.Errorf("read back: %w", err)
	case !slices.Contains(want, string(data)) || obj.Size != int64(len(data)):
		return errors.New("other bytes came back than were written")
	}
	return nil
}

func (t *trials) create(ctx context.Context) error {
	if err := t.b.Create(ctx, t.key("create"), content("first")); err != nil {
		return err
	}
	switch err := t.b.Create(ctx, t.key("create"), content("second")); {
	case err == nil:
		return errors.New("a second create of the same key went through")
	case !errors.Is(err, bucket.ErrExists):
		return err
	}
	return t.holds(ctx, "create", "first")
}

// race lets many create one key at the same time.
func (t *trials) race(ctx context.Context) error {
	errs := make([]error, racers)
	var wg sync.WaitGroup
	start := make(chan struct{})
	for i := range racers {
		wg.Go(func() {
			<-start
			errs[i] = t.b.Create(ctx, t.key("race"), content(fmt.Sprint("racer ", i)))
		})
	}
	close(start)
	wg.Wait()
	var winners []string
	for i, err := range errs {
		switch {
		case err == nil:
			winners = append(winners, fmt.Sprint("racer ", i))
		case !errors.Is(err, bucket.ErrExists):
			return err
		}
	}
	if len(winners) != 1 {
		return fmt.Errorf("%d of %d creates of one key went through", len(winners), racers)
	}
	return t.holds(ctx, "race", winners...)
}

// digest announces other bytes than it sends.
func (t *trials) digest(ctx context.Context) error {
	c := content("announced")
	c.Body = bytes.NewReader([]byte("delivered"))
	if err := t.b.Create(ctx, t.key("digest"), c); err == nil {
		return errors.New("bytes went through that are not those announced")
	}
	return t.gone(ctx, "digest")
}

func (t *trials) gone(ctx context.Context, name string) error {
	r, _, err := t.b.Get(ctx, t.key(name))
	switch {
	case errors.Is(err, bucket.ErrNotFound):
		return nil
	case err != nil:
		return err
	}
	return errors.Join(errors.New("an object is there that must not be"), r.Close())
}

// list looks for what was created a moment ago; only a store with strong listings must show it.
func (t *trials) list(ctx context.Context) error {
	shown := make(map[string]bool)
	for obj, err := range t.b.List(ctx, t.key(""), "") {
		if err != nil {
			return err
		}
		shown[obj.Key] = true
	}
	for _, name := range []string{"put", "create", "race"} {
		if !shown[t.key(name)] && t.b.Properties().StrongListing {
			return errors.New("a listing does not show an object that is there")
		}
	}
	return nil
}

func (t *trials) remove(ctx context.Context) error {
	for range 2 { // a second time is no error
		if err := t.b.Delete(ctx, t.key("put")); err != nil {
			return err
		}
	}
	return t.gone(ctx, "put")
}

// clean removes this run's keys, and old ones of runs that died.
func (t *trials) clean(ctx context.Context) error {
	var errs []error
	for _, name := range t.names() {
		errs = append(errs, t.b.Delete(ctx, t.key(name)))
	}
	now, err := t.b.Now(ctx)
	errs = append(errs, err)
	for obj, err := range t.b.List(ctx, trialPrefix, "") {
		if err != nil {
			errs = append(errs, err)
			break
		}
		if !strings.HasPrefix(obj.Key, t.key("")) && now.Sub(obj.Modified) > trialAge {
			errs = append(errs, t.b.Delete(ctx, obj.Key))
		}
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("remove what was tried with: %w", err)
	}
	return nil
}
