package costest

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestDocumentedSignature: the example of COS "Request Signature" (doc 436/7778, upload): its key time and its sign key.
func TestDocumentedSignature(t *testing.T) {
	if got := hmacHex("BQYIM75p8x0iWVFSIgqEKwFprpRSVHlz", "1557989151;1557996351"); got != "eb2519b498b02ac213cb1f3d1a3d27a3b3c9bc5f" {
		t.Errorf("sign key %s", got)
	}
	if got := encode("Thu, 16 May 2019 06:45:51 GMT"); got != "Thu%2C%2016%20May%202019%2006%3A45%3A51%20GMT" {
		t.Errorf("encoded %s", got)
	}
}

func TestObject(t *testing.T) {
	c := newCaller(t, Config{})
	put := c.do(http.MethodPut, "/orders/A1/a", "content", "Content-Type", "text/plain")
	c.want(put, 200, "")
	if put.header.Get("ETag") != `"9a0364b9e99bb480dd25e1f0284c8555"` || put.header.Get("x-cos-hash-crc64ecma") == "" || put.header.Get("x-cos-request-id") == "" {
		t.Errorf("put answered %v", put.header)
	}
	got := c.do(http.MethodGet, "/orders%2FA1%2Fa", "")
	c.want(got, 200, "")
	if got.body != "content" || got.header.Get("Content-Type") != "text/plain" || got.header.Get("x-cos-hash-crc64ecma") != put.header.Get("x-cos-hash-crc64ecma") {
		t.Errorf("got %q, %v", got.body, got.header)
	}
	head := c.do(http.MethodHead, "/orders/A1/a", "")
	if head.status != 200 || head.header.Get("Content-Length") != "7" || head.body != "" {
		t.Errorf("head: %+v", head)
	}
	c.want(c.do(http.MethodPut, "/orders/A1/a", "other"), 200, "")
	c.want(c.do(http.MethodPut, "/orders/A1/a", "third", "x-cos-forbid-overwrite", "true"), 409, "FileAlreadyExists")
	if string(c.s.Object("orders/A1/a")) != "other" {
		t.Errorf("holds %q", c.s.Object("orders/A1/a"))
	}
	for range 2 {
		c.want(c.do(http.MethodDelete, "/orders/A1/a", ""), 204, "")
	}
	c.want(c.do(http.MethodGet, "/orders/A1/a", ""), 404, "NoSuchKey")
	c.want(c.do(http.MethodPut, "/a", "x", "Content-MD5", "AAAAAAAAAAAAAAAAAAAAAA=="), 400, "BadDigest")
	c.want(c.do(http.MethodPut, "/a", "x", "Content-MD5", "x"), 400, "InvalidDigest")
	c.want(c.do(http.MethodGet, "/?acl", ""), 501, "NotImplemented")
	if len(c.s.Keys()) != 0 {
		t.Errorf("keys %q", c.s.Keys())
	}
}

// TestLength: a body of unknown length is refused.
func TestLength(t *testing.T) {
	c := newCaller(t, Config{})
	c.spoil = func(r *http.Request) { r.ContentLength = -1 }
	c.want(c.do(http.MethodPut, "/a", "x"), 411, "MissingContentLength")
}

// TestSignature: what is wrong with a signature, and how it is answered.
func TestSignature(t *testing.T) {
	temporary := Key{SecretID: "AKIDtemporary", SecretKey: "k", Token: "t"}
	expired := Key{SecretID: "AKIDexpired", SecretKey: "k", Token: "t", Expires: time.Now().Add(-time.Second)}
	strange, wrong, noToken := DefaultKey, DefaultKey, temporary
	strange.SecretID, wrong.SecretKey, noToken.Token = "AKIDstrange", "wrong", ""
	replace := func(old, by string) func(*http.Request) {
		return func(r *http.Request) {
			r.Header.Set("Authorization", strings.Replace(r.Header.Get("Authorization"), old, by, 1))
		}
	}
	tests := []struct {
		name   string
		key    Key
		off    time.Duration // of the caller's clock
		spoil  func(*http.Request)
		status int
		code   string
	}{
		{"good", DefaultKey, 0, nil, 200, ""},
		{"good temporary", temporary, 0, nil, 200, ""},
		{"a little late", DefaultKey, -30 * time.Minute, nil, 200, ""},
		{"secret id", strange, 0, nil, 403, "InvalidAccessKeyId"},
		{"secret key", wrong, 0, nil, 403, "SignatureDoesNotMatch"},
		{"no token", noToken, 0, nil, 403, "InvalidToken"},
		{"expired token", expired, 0, nil, 403, "ExpiredToken"},
		{"clock ahead", DefaultKey, 2 * time.Minute, nil, 403, "RequestTimeTooSkewed"},
		{"just over", DefaultKey, -70 * time.Minute, nil, 403, "AccessDenied"},
		{"clock behind", DefaultKey, -3 * time.Hour, nil, 403, "RequestTimeTooSkewed"},
		{"anonymous", DefaultKey, 0, func(r *http.Request) { r.Header.Del("Authorization") }, 403, "AccessDenied"},
		{"algorithm", DefaultKey, 0, replace("=sha1", "=md5"), 400, "InvalidArgument"},
		{"window", DefaultKey, 0, replace("q-key-time=", "q-key-time=x"), 400, "InvalidArgument"},
		{"another path", DefaultKey, 0, func(r *http.Request) { r.URL.Path = "/b" }, 403, "SignatureDoesNotMatch"},
		{"another method", DefaultKey, 0, func(r *http.Request) { r.Method = http.MethodHead }, 403, ""},
		{"another header", DefaultKey, 0, func(r *http.Request) { r.Header.Set("x-cos-meta-a", "changed") }, 403, "SignatureDoesNotMatch"},
		{"header not signed", DefaultKey, 0, func(r *http.Request) { r.Header.Set("x-cos-acl", "public-read") }, 403, "SignatureDoesNotMatch"},
		{"another parameter", DefaultKey, 0, func(r *http.Request) { r.URL.RawQuery = "prefix=b" }, 403, "SignatureDoesNotMatch"},
		{"parameter not signed", DefaultKey, 0, func(r *http.Request) { r.URL.RawQuery += "&marker=b" }, 403, "SignatureDoesNotMatch"},
		{"host not signed", DefaultKey, 0, replace("host;", ""), 403, "SignatureDoesNotMatch"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			c := newCaller(t, Config{Keys: []Key{DefaultKey, temporary, expired}})
			c.key, c.now, c.spoil = test.key, c.now.Add(test.off), test.spoil
			c.want(c.do(http.MethodGet, "/?prefix=a&max-keys=10", "", "x-cos-meta-a", "signed"), test.status, test.code)
		})
	}
}

// TestSignedURL: the same in the query (COS "Request Signature": signed URL).
func TestSignedURL(t *testing.T) {
	c := newCaller(t, Config{})
	c.want(c.do(http.MethodPut, "/a", "x"), 200, "")
	c.spoil = func(r *http.Request) {
		r.Header.Del("Authorization")
		signed := r.Clone(r.Context())
		signed.Header = http.Header{}
		r.URL.RawQuery = strings.ReplaceAll(authorization(signed, DefaultKey, c.now.Add(-time.Minute), c.now.Add(time.Minute)), ";", "%3B")
	}
	if got := c.do(http.MethodGet, "/a", ""); got.body != "x" {
		t.Errorf("answered %+v", got)
	}
}

func TestVersioning(t *testing.T) {
	c := newCaller(t, Config{})
	state := func() string { return c.do(http.MethodGet, "/?versioning", "").body }
	if got := state(); !strings.Contains(got, "<VersioningConfiguration></VersioningConfiguration>") {
		t.Errorf("never: %s", got)
	}
	for _, v := range []Versioning{Enabled, Suspended} {
		c.s.SetVersioning(v)
		if got := state(); !strings.Contains(got, "<Status>"+string(v)+"</Status>") {
			t.Errorf("%s: %s", v, got)
		}
		for range 2 { // forbid-overwrite has no effect
			put := c.do(http.MethodPut, "/a", "x", "x-cos-forbid-overwrite", "true")
			c.want(put, 200, "")
			if id := put.header.Get("x-cos-version-id"); (id != "") != (v == Enabled) {
				t.Errorf("%s: version id %q", v, id)
			}
		}
	}
}

func TestList(t *testing.T) {
	c := newCaller(t, Config{})
	for _, key := range []string{"a", "b%20c", "b/%E8%85%BE", "b0"} {
		c.want(c.do(http.MethodPut, "/"+key, key), 200, "")
	}
	page := c.do(http.MethodGet, "/?prefix=b&max-keys=2&encoding-type=url", "")
	for _, part := range []string{"<Key>b%20c</Key>", "<Key>b%2F%E8%85%BE</Key>", "<IsTruncated>true</IsTruncated>", "<NextMarker>b%2F%E8%85%BE</NextMarker>", "<EncodingType>url</EncodingType>", "<MaxKeys>2</MaxKeys>", ".000Z</LastModified>"} {
		if !strings.Contains(page.body, part) {
			t.Errorf("no %s in %s", part, page.body)
		}
	}
	rest := c.do(http.MethodGet, "/?prefix=b&marker=b%2F%E8%85%BE", "").body
	if strings.Count(rest, "<Key>") != 1 || !strings.Contains(rest, "<Key>b0</Key>") || strings.Contains(rest, "NextMarker") {
		t.Errorf("rest: %s", rest)
	}
	c.want(c.do(http.MethodGet, "/?max-keys=0", ""), 400, "InvalidArgument")
}

// TestStale: a change shows when the time has passed and so many listings were made.
func TestStale(t *testing.T) {
	now := time.Now()
	c := newCaller(t, Config{Now: func() time.Time { return now }, StaleFor: time.Minute, StaleLists: 1})
	shown := func() int { return strings.Count(c.do(http.MethodGet, "/", "").body, "<Key>") }
	c.do(http.MethodPut, "/a", "x")
	if n := shown() + shown(); n != 0 {
		t.Error("shown before its time")
	}
	now = now.Add(time.Minute)
	if shown() != 1 {
		t.Error("not shown in time")
	}
	c.do(http.MethodDelete, "/a", "")
	now = now.Add(time.Minute)
	if shown() != 1 || shown() != 0 {
		t.Error("a deleted key is shown once more, and then not")
	}
	c.do(http.MethodPut, "/b", "x")
	c.s.Settle()
	if shown() != 1 {
		t.Error("not settled")
	}
}

// TestFaults: what breaks, breaks as often as asked for, and the effect is there or not.
func TestFaults(t *testing.T) {
	tests := []struct {
		name   string
		fault  Fault
		status int
		code   string
		stored bool
	}{
		{"busy", Fault{Status: 503, Code: "SlowDown"}, 503, "SlowDown", false},
		{"lost", Fault{Status: 500, After: true}, 500, "", true},
		{"reset", Fault{Reset: true}, 0, "", false},
		{"reset after", Fault{Reset: true, After: true}, 0, "", true},
		{"crc", Fault{CRC: "1"}, 200, "", true},
		{"another key", Fault{Reset: true, Key: "b"}, 200, "", true},
		{"another call", Fault{Reset: true, Action: GetObject}, 200, "", true},
		{"no match", Fault{Reset: true, Match: func(c Call) bool { return c.ForbidOverwrite }}, 200, "", true},
		{"the second", Fault{Reset: true, Skip: 1}, 200, "", true},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			c := newCaller(t, Config{})
			if err := c.s.AddFault(test.fault); err != nil {
				t.Fatal(err)
			}
			r := c.do(http.MethodPut, "/a", "x")
			c.want(r, test.status, test.code)
			if stored := c.s.Object("a") != nil; stored != test.stored {
				t.Errorf("stored: %v", stored)
			}
			if crc := r.header.Get("x-cos-hash-crc64ecma"); test.fault.CRC != "" && crc != test.fault.CRC {
				t.Errorf("CRC %q", crc)
			}
			last := c.s.History()[0]
			if last.Status != test.status || last.Code != test.code || last.Action != PutObject || last.Key != "a" {
				t.Errorf("history: %+v", last)
			}
		})
	}
	if (&Server{}).AddFault(Fault{}) == nil || (&Server{}).AddFault(Fault{Status: 99}) == nil {
		t.Error("a fault without an effect was taken")
	}
}

// TestRate: the same seed breaks the same calls.
func TestRate(t *testing.T) {
	run := func(seed uint64) string {
		c := newCaller(t, Config{Seed: seed})
		if err := c.s.AddFault(Fault{Status: 503, Rate: 0.5}); err != nil {
			t.Fatal(err)
		}
		var all []byte
		for range 40 {
			all = append(all, "01"[c.do(http.MethodGet, "/a", "").status/503])
		}
		return string(all)
	}
	first, again, other := run(1), run(1), run(2)
	if n := strings.Count(first, "1"); first != again || first == other || n < 8 || n > 32 {
		t.Errorf("%s, %s, %s", first, again, other)
	}
}

// TestRights: a right that is missing, a pair that was rotated away, a bucket that is not there.
func TestRights(t *testing.T) {
	c := newCaller(t, Config{Allow: func(id, action, key string) bool {
		return id == DefaultKey.SecretID && (action == PutObject && strings.HasPrefix(key, "kyc/") || action == GetBucket && key == "")
	}})
	c.want(c.do(http.MethodPut, "/kyc/a", "x"), 200, "")
	c.want(c.do(http.MethodGet, "/", ""), 200, "")
	c.want(c.do(http.MethodGet, "/kyc/a", ""), 403, "AccessDenied")
	c.want(c.do(http.MethodGet, "/?versioning", ""), 403, "AccessDenied")
	c.s.Accept(Key{SecretID: "AKIDnext", SecretKey: "next"})
	c.want(c.do(http.MethodPut, "/kyc/a", "x"), 403, "InvalidAccessKeyId")
	if ids := c.s.Count(func(c Call) bool { return c.SecretID == DefaultKey.SecretID }); ids != 4 {
		t.Errorf("%d calls by the first pair", ids)
	}
	c.spoil = func(r *http.Request) { r.Host = "other-1250000000.cos.ap-guangzhou.myqcloud.com" }
	c.want(c.do(http.MethodGet, "/", ""), 404, "NoSuchBucket")
	c.spoil = nil
	c.s.DropBucket()
	c.want(c.do(http.MethodGet, "/", ""), 404, "NoSuchBucket")
}

// TestClock: answers and objects have the store's time.
func TestClock(t *testing.T) {
	now := time.Now().Add(40 * time.Second)
	c := newCaller(t, Config{Now: func() time.Time { return now }})
	want := now.UTC().Format(http.TimeFormat)
	if got := c.do(http.MethodPut, "/a", "x").header.Get("Date"); got != want {
		t.Errorf("Date %q, want %q", got, want)
	}
	if got := c.do(http.MethodGet, "/a", "").header.Get("Last-Modified"); got != want {
		t.Errorf("Last-Modified %q, want %q", got, want)
	}
}

// TestHistoryIsBounded keeps the last calls.
func TestHistoryIsBounded(t *testing.T) {
	c := newCaller(t, Config{HistoryLen: 3})
	for range 10 {
		c.do(http.MethodGet, "/a", "")
	}
	var ns []int
	for _, call := range c.s.History() {
		ns = append(ns, call.N)
	}
	if !slices.Equal(ns, []int{8, 9, 10}) {
		t.Errorf("calls %v", ns)
	}
}

// TestBackdate: time set back shows in the answer and in listings, and of the others nothing changes.
func TestBackdate(t *testing.T) {
	c := newCaller(t, Config{StaleLists: 1})
	for _, key := range []string{"/a/1", "/b/1"} {
		c.want(c.do(http.MethodPut, key, "x"), 200, "")
	}
	c.do(http.MethodGet, "/", "")
	c.want(c.do(http.MethodPut, "/a/2", "x"), 200, "") // not listed yet
	c.s.Backdate("a/", 24*time.Hour)
	c.do(http.MethodGet, "/", "")
	yesterday := time.Now().Add(-24 * time.Hour).UTC().Format("2006-01-02")
	if listed := c.do(http.MethodGet, "/", "").body; strings.Count(listed, "<LastModified>"+yesterday) != 2 || strings.Count(listed, "<Key>") != 3 {
		t.Errorf("listed %s", listed)
	}
	for key, want := range map[string]bool{"/a/1": true, "/a/2": true, "/b/1": false} {
		at, err := http.ParseTime(c.do(http.MethodGet, key, "").header.Get("Last-Modified"))
		if err != nil || time.Since(at) > 23*time.Hour != want {
			t.Errorf("%s is of %s", key, at)
		}
	}
}

// TestChanged: the history tells what happened, not what was answered.
func TestChanged(t *testing.T) {
	c := newCaller(t, Config{})
	if err := c.s.AddFault(Fault{Action: PutObject, Reset: true, After: true}); err != nil {
		t.Fatal(err)
	}
	c.do(http.MethodPut, "/a", "x", "x-cos-forbid-overwrite", "true")
	c.want(c.do(http.MethodPut, "/a", "x", "x-cos-forbid-overwrite", "true"), 409, "FileAlreadyExists")
	c.want(c.do(http.MethodDelete, "/a", ""), 204, "")
	c.want(c.do(http.MethodDelete, "/a", ""), 204, "")
	var changed []bool
	for _, call := range c.s.History() {
		changed = append(changed, call.Changed)
	}
	if !slices.Equal(changed, []bool{true, false, true, false}) {
		t.Errorf("changed %t", changed)
	}
}
