// Package buckettest is the one conformance suite for drivers of bucket.Bucket: what it does not check, no code may
// rely on. A driver's own tests add only what is peculiar to its store.
package buckettest

import (
	"context"
	"testing"
	"time"

	"github.com/kycvault/kycvault/pkg/bucket"
)

// Harness is how the suite gets at a driver's store.
type Harness struct {
	// Open gives a bucket without objects in it, a fresh one for each call. It cleans up with t.Cleanup.
	Open func(t *testing.T) bucket.Bucket
	// Settle makes listings show everything written so far. It must be given where Properties says that listings may
	// be stale, and only there.
	Settle func(t *testing.T)
	// Tolerance is how far Modified may be from Now when an object was just written; 0 is two seconds, which allows for
	// stores that tell whole seconds.
	Tolerance time.Duration
	// Many is how many objects the paging test makes; 0 is 2,500, so that a store which pages by 1,000 has three pages.
	Many int
	// Ways are those that the suite is run in; nil is both. A store of several kinds, each slow to ask, may share them out.
	Ways []Way
	// Peculiar is what a test server does otherwise than the store that it stands for.
	Peculiar Peculiarities
}

// Way is how keys reach the store.
type Way string

// The ways.
const (
	Plain    Way = "plain"
	Prefixed Way = "prefixed" // below Prefix, by bucket.Prefixed
)

// Peculiarities of a test server. The suite checks each one that is given, so that one which is gone with a newer server is
// noticed, and checks without it where it is not given.
type Peculiarities struct {
	// MarkerTakesKey: on a versioned bucket what is left of a deleted object counts as one when its key is created anew.
	// Create then fails, with another error than ErrExists, since nothing is there; Put works.
	MarkerTakesKey bool
	// FolderIsObject: to delete a key that others have as their folder is an error. Nothing in an archive does that.
	FolderIsObject bool
}

// Prefix is the one that the suite runs with in the second way.
const Prefix = "archive-1/of_tests"

// Run runs the suite plain and below a prefix.
func Run(t *testing.T, h Harness) {
	t.Helper()
	if h.Tolerance == 0 {
		h.Tolerance = 2 * time.Second
	}
	if h.Many == 0 {
		h.Many = 2500
	}
	if h.Ways == nil {
		h.Ways = []Way{Plain, Prefixed}
	}
	plain := h.Open
	for _, way := range h.Ways {
		if way == Prefixed {
			h.Open = func(t *testing.T) bucket.Bucket { return prefixed(t, plain(t)) }
		}
		t.Run(string(way), func(t *testing.T) { run(t, h) })
	}
}

// prefixed puts an object beside the prefix, which must never show below it.
func prefixed(t *testing.T, plain bucket.Bucket) bucket.Bucket {
	t.Helper()
	b, err := bucket.Prefixed(plain, Prefix)
	if err != nil {
		t.Fatal(err)
	}
	s := suite{T: t, bucket: plain}
	s.create(Prefix+"-beside", "not below the prefix")
	return b
}

func run(t *testing.T, h Harness) {
	tests := []struct {
		name string
		run  func(suite)
	}{
		{"properties", properties},
		{"create once", createOnce},
		{"create after delete", createAfterDelete},
		{"put replaces", putReplaces},
		{"get missing", getMissing},
		{"delete", deleteObject},
		{"contents", contents},
		{"odd keys", oddKeys},
		{"bad keys", badKeys},
		{"mismatch", mismatch},
		{"broken body", brokenBody},
		{"body is rewound", rewound},
		{"cancelled", cancelled},
		{"list order", listOrder},
		{"list bounds", listBounds},
		{"list many", listMany},
		{"list stops", listStops},
		{"list while writing", listWhileWriting},
		{"race to create", raceToCreate},
		{"read while writing", readWhileWriting},
		{"times", times},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			test.run(suite{T: t, harness: h, bucket: h.Open(t)})
		})
	}
}

func properties(s suite) {
	p := s.bucket.Properties()
	if p.Name == "" {
		s.Error("Properties has no name")
	}
	if stale := s.harness.Settle != nil; stale == p.StrongListing {
		s.Errorf("StrongListing is %v, Settle given is %v: the one must be the opposite of the other", p.StrongListing, stale)
	}
	if _, err := s.bucket.Now(s.Context()); err != nil {
		s.Errorf("Now: %v", err)
	}
}

// cancelled checks that no method works for a caller who has gone.
func cancelled(s suite) {
	s.create("there", "x")
	s.settle()
	ctx, cancel := context.WithCancel(s.Context())
	cancel()
	calls := map[string]func() error{
		"Create": func() error { return s.bucket.Create(ctx, "new", text("x")) },
		"Put":    func() error { return s.bucket.Put(ctx, "new", text("x")) },
		"Delete": func() error { return s.bucket.Delete(ctx, "there") },
		"Get":    func() error { _, err := get(ctx, s.bucket, "there"); return err },
		"List":   func() error { _, err := list(ctx, s.bucket, "", ""); return err },
	}
	for name, call := range calls {
		s.is(name, call(), context.Canceled)
	}
	s.absent("new")
	s.holds("there", "x")
}

// times checks Modified against the store's clock.
func times(s suite) {
	var last time.Time
	for _, key := range []string{"c", "a", "b"} {
		before := s.now()
		s.create(key, key)
		_, o, err := s.bucket.Get(s.Context(), key)
		s.ok("Get", err)
		if o.Modified.Before(before.Add(-s.harness.Tolerance)) || o.Modified.After(s.now().Add(s.harness.Tolerance)) {
			s.Errorf("%s modified at %v, the store's clock said %v before", key, o.Modified, before)
		}
		if o.Modified.Before(last) {
			s.Errorf("%s modified at %v, before an older object at %v", key, o.Modified, last)
		}
		last = o.Modified
	}
	s.settle()
	for _, o := range s.list("", "") {
		_, got, err := s.bucket.Get(s.Context(), o.Key)
		s.ok("Get", err)
		if !got.Modified.Truncate(time.Second).Equal(o.Modified.Truncate(time.Second)) {
			s.Errorf("%s: a listing says %v, Get says %v", o.Key, o.Modified, got.Modified)
		}
	}
}
