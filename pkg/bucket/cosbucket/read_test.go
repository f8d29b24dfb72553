package cosbucket

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/kycvault/kycvault/pkg/bucket"
	"github.com/kycvault/kycvault/pkg/bucket/cosbucket/costest"
)

// TestCutBody: a body that ends early is an error of reading, never a shorter object.
func TestCutBody(t *testing.T) {
	s := costest.Start(t, costest.Config{})
	b := open(t, s, nil)
	create(t, b, "a", strings.Repeat("x", 300_000))
	fault(t, s, costest.Fault{Action: costest.GetObject, Cut: 100_000})
	r, o, err := b.Get(t.Context(), "a")
	if err != nil || o.Size != 300_000 {
		t.Fatalf("Get = %v, %v", o, err)
	}
	defer func() { _ = r.Close() }()
	if n, err := io.Copy(io.Discard, r); err == nil || n >= 300_000 {
		t.Errorf("read %d bytes, error %v", n, err)
	}
}

// TestNoLength: an object whose length is not told could be cut unseen.
func TestNoLength(t *testing.T) {
	good := http.Header{"Last-Modified": {"Mon, 23 Nov 2026 10:00:00 GMT"}}
	for name, r := range map[string]*sdkResponse{
		"length": {Response: &http.Response{ContentLength: -1, Header: good}},
		"time":   {Response: &http.Response{ContentLength: 1, Header: http.Header{}}},
	} {
		if _, err := objectOf("a", r); !errors.Is(err, errAnswer) {
			t.Errorf("without %s: %v", name, err)
		}
	}
	if o, err := objectOf("a", &sdkResponse{Response: &http.Response{ContentLength: 1, Header: good}}); err != nil || o.Size != 1 {
		t.Errorf("with both: %v, %v", o, err)
	}
}

// TestCutListing: a page that is cut is asked for again.
func TestCutListing(t *testing.T) {
	s := costest.Start(t, costest.Config{})
	b := open(t, s, nil)
	for _, key := range []string{"a", "b", "c"} {
		create(t, b, key, key)
	}
	fault(t, s, costest.Fault{Action: costest.GetBucket, Cut: 300})
	fault(t, s, costest.Fault{Action: costest.GetBucket, Status: 503, Code: "SlowDown", Skip: 1})
	if keys := keys(t, b, "", ""); strings.Join(keys, "") != "abc" {
		t.Errorf("keys %q", keys)
	}
}

func keys(t *testing.T, b bucket.Bucket, prefix, after string) []string {
	t.Helper()
	var keys []string
	for o, err := range b.List(t.Context(), prefix, after) {
		if err != nil {
			t.Fatal(err)
		}
		keys = append(keys, o.Key)
	}
	return keys
}

// TestListStops: who has seen enough costs no further page.
func TestListStops(t *testing.T) {
	s := costest.Start(t, costest.Config{})
	b := open(t, s, nil)
	for i := range 1001 {
		create(t, b, "k"+strings.Repeat("0", 4-len(decimal(i)))+decimal(i), "")
	}
	for o, err := range b.List(t.Context(), "", "") {
		if err != nil || o.Key != "k0000" {
			t.Errorf("first %q, %v", o.Key, err)
		}
		break
	}
	if n := s.Count(func(c costest.Call) bool { return c.Action == costest.GetBucket }); n != 1 {
		t.Errorf("%d pages", n)
	}
}

func decimal(i int) string {
	const digits = "0123456789"
	if i < 10 {
		return digits[i : i+1]
	}
	return decimal(i/10) + digits[i%10:i%10+1]
}

// TestStaleListing: what was written does not show, what was deleted does, and reading tells the truth.
func TestStaleListing(t *testing.T) {
	s := costest.Start(t, costest.Config{StaleLists: 2})
	b := open(t, s, nil)
	create(t, b, "a", "x")
	var seen []string
	for range 4 {
		seen = append(seen, strings.Join(keys(t, b, "", ""), ""))
	}
	if err := b.Delete(t.Context(), "a"); err != nil {
		t.Fatal(err)
	}
	if _, _, err := b.Get(t.Context(), "a"); !errors.Is(err, bucket.ErrNotFound) {
		t.Errorf("Get = %v", err)
	}
	for range 3 {
		seen = append(seen, strings.Join(keys(t, b, "", ""), ""))
	}
	if got := strings.Join(seen, ","); got != ",,a,a,a,a," {
		t.Errorf("listings showed %q", got)
	}
}

func TestReadPage(t *testing.T) {
	entry := func(key string) sdkObject {
		return sdkObject{Key: key, LastModified: "2026-11-23T10:00:00.000Z", Size: 1}
	}
	tests := []struct {
		name   string
		listed sdkList
		after  string
		want   page
		err    error
	}{
		{"encoded", sdkList{EncodingType: "url", IsTruncated: true, NextMarker: "a%2Fc", Contents: []sdkObject{entry("a%2Fb"), entry("a%2Fc")}}, "", page{more: true, next: "a/c"}, nil},
		{"plain", sdkList{IsTruncated: true, NextMarker: "a/c", Contents: []sdkObject{entry("a/c")}}, "", page{more: true, next: "a/c"}, nil},
		{"no marker", sdkList{EncodingType: "url", IsTruncated: true, Contents: []sdkObject{entry("a%2Fb")}}, "", page{more: true, next: "a/b"}, nil},
		{"no key of ours", sdkList{EncodingType: "url", Contents: []sdkObject{entry("orders%2F"), entry("%E8%85%BE"), entry("a%20b")}}, "", page{next: "a b"}, nil},
		{"in circles", sdkList{IsTruncated: true, NextMarker: "a"}, "a", page{}, errNoProgress},
		{"no end", sdkList{IsTruncated: true}, "a", page{}, errNoProgress},
		{"bad encoding", sdkList{EncodingType: "url", Contents: []sdkObject{entry("%zz")}}, "", page{}, errAnswer},
		{"bad time", sdkList{Contents: []sdkObject{{Key: "a", LastModified: "yesterday"}}}, "", page{}, errAnswer},
	}
	for _, test := range tests {
		got, err := readPage(&test.listed, test.after)
		if !errors.Is(err, test.err) || got.more != test.want.more || got.next != test.want.next {
			t.Errorf("%s: %+v, %v", test.name, got, err)
		}
		for _, o := range got.objects {
			if bucket.CheckKey(o.Key) != nil || o.Modified.Hour() != 10 {
				t.Errorf("%s: %+v", test.name, o)
			}
		}
	}
}

// TestNow: the clock is the store's, however far off this machine's is, and a call that was answered a moment ago serves.
func TestNow(t *testing.T) {
	theirs := time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC)
	ours := theirs.Add(-3 * time.Minute)
	s := costest.Start(t, costest.Config{Now: func() time.Time { return theirs }})
	b := open(t, s, func(c *Config) { c.Now = func() time.Time { return ours } })
	for _, step := range []struct {
		ours, theirs time.Duration // that pass before
		want         time.Duration // of the store's clock, since the beginning
		calls        int
	}{
		{0, 0, 0, 1},
		{30 * time.Second, 30 * time.Second, 30 * time.Second, 1},
		{40 * time.Second, 40 * time.Second, 70 * time.Second, 2}, // more than a minute after the answer
		{-time.Hour, 0, 70 * time.Second, 3},                      // set back
	} {
		ours, theirs = ours.Add(step.ours), theirs.Add(step.theirs)
		now, err := b.Now(t.Context())
		if start := time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC); err != nil || now.Sub(start) != step.want {
			t.Errorf("Now = %v, %v, want %v", now, err, step.want)
		}
		if n := len(s.History()); n != step.calls {
			t.Errorf("%d calls, want %d", n, step.calls)
		}
	}
}

// TestNowOfAProxy: what refuses in the store's place has another clock; what hands on an answer without COS's own headers has not.
func TestNowOfAProxy(t *testing.T) {
	for status, want := range map[int]error{http.StatusOK: nil, http.StatusBadGateway: errNoDate} {
		s := costest.Start(t, costest.Config{})
		fault(t, s, costest.Fault{Status: status, Header: map[string]string{"x-cos-request-id": ""}, Times: -1})
		if now, err := open(t, s, nil).Now(t.Context()); !errors.Is(err, want) || now.IsZero() != (want != nil) {
			t.Errorf("%d: Now = %v, %v", status, now, err)
		}
	}
}
