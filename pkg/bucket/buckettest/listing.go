package buckettest

import (
	"fmt"
	"slices"
	"sync"

	"github.com/google/go-cmp/cmp"
)

// treeOf has names that sort otherwise as text than as folders: '-' and '.' come before '/', digits after it.
func treeOf() []string {
	return []string{
		"a-b", "a-b.c/d", "a.b", "a.b-", "a/b", "a/b-c", "a/b.d/e", "a0", "aa/b", "aa/c/d", "aa/c0", "b/a.b/c", "b/a/c", "z",
	}
}

func listOrder(s suite) {
	tree := treeOf()
	for i := range tree { // made in another order than they are listed in
		key := tree[(i*5+3)%len(tree)]
		s.create(key, key)
	}
	s.settle()
	if !slices.IsSorted(s.keys("", "")) {
		s.Errorf("not in ascending byte order: %q", s.keys("", ""))
	}
	for _, o := range s.list("", "") {
		if o.Size != int64(len(o.Key)) || o.Modified.IsZero() {
			s.Errorf("listed with size %d and time %v: %s", o.Size, o.Modified, o.Key)
		}
	}
}

// listBounds tries every pair of a prefix and an after that the keys suggest.
func listBounds(s suite) {
	tree := treeOf()
	for _, key := range tree {
		s.create(key, key)
	}
	s.settle()
	bounds := map[string]bool{"": true, "nothing": true, "a/b/none": true, "c": true}
	for _, key := range tree {
		for i := range key {
			bounds[key[:i+1]] = true
		}
	}
	slices.Sort(tree)
	for prefix := range bounds {
		for after := range bounds {
			want := within(tree, prefix, after)
			if diff := cmp.Diff(want, s.keys(prefix, after)); diff != "" {
				s.Errorf("prefix %q after %q: -want +got:\n%s", prefix, after, diff)
			}
		}
		if s.Failed() {
			return
		}
	}
	for _, after := range []string{"a/zzz/zzz", "~", "a!"} { // any text, also such as is no key
		if diff := cmp.Diff(within(tree, "", after), s.keys("", after)); diff != "" {
			s.Errorf("after %q: -want +got:\n%s", after, diff)
		}
	}
}

func within(keys []string, prefix, after string) []string {
	var in []string
	for _, key := range keys {
		if len(key) >= len(prefix) && key[:len(prefix)] == prefix && key > after {
			in = append(in, key)
		}
	}
	return in
}

// listMany lists more objects than a store tells of at once.
func listMany(s suite) {
	want := make([]string, s.harness.Many)
	var wg sync.WaitGroup
	next := make(chan string)
	for range 8 {
		wg.Go(func() {
			for key := range next {
				if err := s.bucket.Create(s.Context(), key, text("")); err != nil {
					s.Errorf("Create: %v", err)
				}
			}
		})
	}
	for i := range want {
		want[i] = fmt.Sprintf("pending/A%06d.x", i)
		next <- want[i]
	}
	close(next)
	wg.Wait()
	s.settle()
	for _, after := range []int{0, 1, 998, 999, 1000, 1001, 1999, len(want) - 1} {
		if after >= len(want) {
			continue
		}
		got := s.keys("pending/", want[after])
		if !slices.Equal(got, want[after+1:]) {
			s.Errorf("after object %d: %d keys, want %d", after, len(got), len(want)-after-1)
		}
	}
	if got := s.keys("pending/", ""); !slices.Equal(got, want) {
		s.Errorf("from the start: %d keys, want %d", len(got), len(want))
	}
}

// listStops checks that a caller may leave a listing early, and read others and write meanwhile.
func listStops(s suite) {
	for _, key := range []string{"a/1", "a/2", "b/1", "c"} {
		s.create(key, key)
	}
	s.settle()
	var seen []string
	for o, err := range s.bucket.List(s.Context(), "", "") {
		s.ok("List", err)
		s.holds(o.Key, o.Key)
		s.create("0/"+o.Key, "x") // before all that is still to come
		if seen = append(seen, o.Key); o.Key == "b/1" {
			break
		}
	}
	if len(seen) < 3 || seen[0] != "a/1" {
		s.Errorf("seen %q", seen)
	}
	objects := s.bucket.List(s.Context(), "b/", "")
	for range 2 { // a sequence may be ranged over more than once
		n := 0
		for _, err := range objects {
			s.ok("List", err)
			n++
			break
		}
		if n != 1 {
			s.Errorf("%d objects before the break", n)
		}
	}
}

// listWhileWriting checks that others who write and delete neither break a listing nor hide what was there all along.
func listWhileWriting(s suite) {
	var want []string
	for i := range 20 {
		key := fmt.Sprintf("k/%02d-stays", i)
		s.create(key, key)
		want = append(want, key)
	}
	s.settle()
	done := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		for i := 0; ; i++ {
			select {
			case <-done:
				return
			default:
			}
			key := fmt.Sprintf("k/%02d-goes", i%20)
			if s.bucket.Put(s.Context(), key, text("x")) != nil || s.bucket.Delete(s.Context(), key) != nil {
				s.Error("writing beside a listing failed")
			}
		}
	})
	for range 20 {
		var got []string
		for _, key := range s.keys("k/", "") {
			if slices.Contains(want, key) {
				got = append(got, key)
			}
		}
		if !slices.Equal(got, want) {
			s.Errorf("listed %d of %d objects that were there all along", len(got), len(want))
		}
	}
	close(done)
	wg.Wait()
}
