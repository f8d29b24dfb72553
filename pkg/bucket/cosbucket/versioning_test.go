package cosbucket

import (
	"errors"
	"strings"
	"sync"
	"testing"

	"github.com/kycvault/kycvault/pkg/bucket"
	"github.com/kycvault/kycvault/pkg/bucket/cosbucket/costest"
)

func asked(s *costest.Running) int {
	return s.Count(func(c costest.Call) bool { return c.Action == costest.GetBucketVersioning })
}

// TestVersionedIsRefused: where versioning is or was on, nothing is written, whatever is tried.
func TestVersionedIsRefused(t *testing.T) {
	for state, want := range map[costest.Versioning]Versioning{costest.Enabled: Enabled, costest.Suspended: Suspended} {
		t.Run(string(state), func(t *testing.T) {
			s := costest.Start(t, costest.Config{})
			s.SetVersioning(state)
			b := open(t, s, nil)
			for range 2 {
				err := b.Create(t.Context(), "a", text("x"))
				if !errors.Is(err, ErrVersioned) || !strings.Contains(err.Error(), "versioning is "+string(want)) {
					t.Errorf("Create = %v", err)
				}
				if err := b.Put(t.Context(), "a", text("x")); !errors.Is(err, ErrVersioned) {
					t.Errorf("Put = %v", err)
				}
			}
			if len(s.Keys()) != 0 || asked(s) != 1 {
				t.Errorf("keys %q after %d questions", s.Keys(), asked(s))
			}
			if got, err := b.Versioning(t.Context()); got != want || err != nil {
				t.Errorf("Versioning = %v, %v", got, err)
			}
		})
	}
}

// TestAskedOnce: also when many write first.
func TestAskedOnce(t *testing.T) {
	s := costest.Start(t, costest.Config{})
	b := open(t, s, nil)
	var wg sync.WaitGroup
	for _, key := range []string{"a", "b", "c", "d", "e", "f"} {
		wg.Go(func() {
			if err := b.Create(t.Context(), key, text(key)); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if asked(s) != 1 {
		t.Errorf("asked %d times", asked(s))
	}
	if v, err := b.Versioning(t.Context()); v != Never || err != nil {
		t.Errorf("Versioning = %v, %v", v, err)
	}
}

// TestAskedAgain: a question that failed in passing is asked again at the next write, and until it is answered nothing is
// written.
func TestAskedAgain(t *testing.T) {
	s := costest.Start(t, costest.Config{})
	b := open(t, s, nil)
	fault(t, s, costest.Fault{Action: costest.GetBucketVersioning, Status: 403, Code: "InvalidAccessKeyId", Times: 2})
	if err := b.Create(t.Context(), "a", text("x")); kindOf(err) != BadCredentials || !strings.Contains(err.Error(), "before the first write") {
		t.Errorf("Create = %v", err)
	}
	if len(s.Keys()) != 0 {
		t.Errorf("written: %q", s.Keys())
	}
	create(t, b, "a", "x")
}

// TestSwitchedOnLater: versioning that is switched on under a running process ends the writing.
func TestSwitchedOnLater(t *testing.T) {
	s := costest.Start(t, costest.Config{})
	b := open(t, s, nil)
	create(t, b, "a", "x")
	s.SetVersioning(costest.Enabled)
	if err := b.Create(t.Context(), "b", text("x")); !errors.Is(err, ErrVersioned) {
		t.Errorf("Create = %v", err)
	}
	before := len(s.History())
	if err := b.Create(t.Context(), "c", text("x")); !errors.Is(err, ErrVersioned) {
		t.Errorf("next Create = %v", err)
	}
	if len(s.History()) != before {
		t.Error("the store was asked again")
	}
}

// mayNotAsk are credentials without the right to ask.
func mayNotAsk(_, action, _ string) bool { return action != costest.GetBucketVersioning }

// TestMayNotAsk: the first create proves create-once, and no later one does.
func TestMayNotAsk(t *testing.T) {
	s := costest.Start(t, costest.Config{Allow: mayNotAsk})
	b := open(t, s, nil)
	create(t, b, "a", "x")
	create(t, b, "b", "y")
	if err := b.Create(t.Context(), "a", text("z")); !errors.Is(err, bucket.ErrExists) {
		t.Errorf("Create = %v", err)
	}
	if puts(s, "a") != 3 || puts(s, "b") != 1 || asked(s) != 1 {
		t.Errorf("%d and %d puts, asked %d times", puts(s, "a"), puts(s, "b"), asked(s))
	}
	if _, err := b.Versioning(t.Context()); kindOf(err) != Denied || !strings.Contains(err.Error(), "cos:GetBucketVersioning") {
		t.Errorf("Versioning = %v", err)
	}
}

// TestMayNotAskVersioned: the same on a versioned bucket fails, each time.
func TestMayNotAskVersioned(t *testing.T) {
	s := costest.Start(t, costest.Config{Allow: mayNotAsk})
	s.SetVersioning(costest.Suspended)
	b := open(t, s, nil)
	for range 2 {
		if err := b.Create(t.Context(), "a", text("x")); !errors.Is(err, ErrVersioned) || !strings.Contains(err.Error(), "second create") {
			t.Errorf("Create = %v", err)
		}
	}
}

// TestCanNotSay: what answers knows no versioning, in several ways; create-once is proven all the same.
func TestCanNotSay(t *testing.T) {
	for name, f := range map[string]costest.Fault{
		"not implemented": {Status: 501, Code: "NotImplemented"},
		"not allowed":     {Status: 405, Code: "MethodNotAllowed"},
		"no body":         {Status: 200},
	} {
		t.Run(name, func(t *testing.T) {
			s := costest.Start(t, costest.Config{})
			f.Action = costest.GetBucketVersioning
			fault(t, s, f)
			create(t, open(t, s, nil), "a", "x")
			if puts(s, "a") != 2 {
				t.Errorf("%d puts", puts(s, "a"))
			}
		})
	}
}
