package faceidtest

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"
)

// TestCases plays every case of the list, in both dialects, as a patient client does, and compares what it ends up with
// to what the list promises.
func TestCases(t *testing.T) {
	bothDialects(t, func(t *testing.T, route Route) {
		c := newCaller(t, route)
		c.refresh()
		for _, kind := range Cases() {
			t.Run(kind.Pattern, func(t *testing.T) {
				order := strings.TrimSuffix(kind.Example, "1") + "1"
				got := c.patience(order)
				photo, video := MediaOf(order)
				same(t, kind.Photo, got.photo, photo)
				same(t, kind.Video, got.video, video)
				if kind.hits != always && kind.times != forever && got.spoiled != kind.times {
					t.Errorf("%d replies were spoiled, want %d", got.spoiled, kind.times)
				}
			})
		}
	})
}

// outcome is what a patient client ends up with.
type outcome struct {
	code         string
	photo, video []byte
	spoiled      int // replies that were not what ok would have got
}

// patience asks twice a second, on the service's clock, for six seconds and a half.
func (c *caller) patience(order string) (got outcome) {
	c.t.Helper()
	start := c.clock.Now()
	for c.clock.Now().Sub(start) < 6500*time.Millisecond {
		r, err := c.whole(order)
		switch {
		case err != nil, c.odd(order, r, c.clock.Now().Sub(start)):
			got.spoiled++
		case r.order != "" && (r.order != order || r.app != testApp): // about somebody else
		default:
			got.code = r.code
		}
		if err == nil && (r.order == order && r.app == testApp) {
			got.photo, got.video = orElse(r.photo, got.photo), orElse(r.video, got.video)
		}
		c.clock.advance(500 * time.Millisecond)
		if c.clock.Now().Sub(start) >= 3*time.Second && len(got.photo) > 0 && len(got.video) > 0 {
			break
		}
	}
	return got
}

// whole asks once, and gives an error when the reply is not whole.
func (c *caller) whole(order string) (reply, error) {
	r, err := c.ask(order, "1")
	if err != nil {
		return reply{}, err
	}
	return parse(r)
}

// odd tells whether a whole reply is not what "ok" would have got so long after the check.
func (c *caller) odd(order string, r reply, since time.Duration) bool {
	want := codeOK
	if since < 500*time.Millisecond {
		want = codeNoResult
	}
	return r.code != want || r.code == codeOK && r.order == "" || strings.HasPrefix(order, "oddchanges") && bytes.Contains(r.photo, []byte("tail"))
}

func orElse(a, b []byte) []byte {
	if len(a) > 0 {
		return a
	}
	return b
}

// same compares a medium to what MediaOf and the list promise.
func same(t *testing.T, ext string, got []byte, want Medium) {
	t.Helper()
	if inMemory("", got).SHA256() != want.SHA256() {
		t.Errorf("got a medium of %d bytes, want %d others", len(got), want.Size())
	}
	if looks := extension(got); looks != ext {
		t.Errorf("a medium of %d bytes looks like %q, the list promises %q", len(got), looks, ext)
	}
}

// extension judges bytes as PROTOCOL section 4 does: begin, end, boxes that add up.
func extension(b []byte) string {
	switch {
	case len(b) == 0:
		return ""
	case bytes.HasPrefix(b, []byte("\xff\xd8\xff")) && bytes.HasSuffix(b, []byte("\xff\xd9")):
		return "jpg"
	case bytes.HasPrefix(b, []byte("\x89PNG\r\n\x1a\n")):
		return "png"
	case boxesAddUp(b):
		return "mp4"
	}
	return "bin"
}

func boxesAddUp(b []byte) bool {
	if len(b) < 8 || string(b[4:8]) != "ftyp" {
		return false
	}
	for len(b) >= 8 {
		n := int(b[0])<<24 | int(b[1])<<16 | int(b[2])<<8 | int(b[3])
		if n < 8 || n > len(b) {
			return false
		}
		b = b[n:]
	}
	return len(b) == 0
}

// at asks about an order whose media are due.
func (c *caller) at(order, want string) (raw, error) {
	c.t.Helper()
	c.fake.EndCheck(order, c.clock.Now().Add(-time.Minute))
	return c.ask(order, want)
}

// TestShapes looks at the replies themselves: each has the peculiarity that its case promises, and "ok" has none.
func TestShapes(t *testing.T) {
	bothDialects(t, func(t *testing.T, route Route) {
		c := newCaller(t, route)
		c.refresh()
		for order, has := range map[string]func(raw) bool{
			"flat1": func(r raw) bool {
				return fields(t, r)["result"] == nil && bytes.Count(r.body, []byte(`"bizSeqNo":`)) == 1
			},
			"numbers1":    func(r raw) bool { return bytes.Contains(r.body, []byte(`"code":0,`)) && isNumber(fields(t, r)) },
			"videofirst1": func(r raw) bool { return bytes.HasPrefix(r.body, []byte(`{"result":{"video":"AAAA`)) },
			"escaped1":    func(r raw) bool { return containsAll(r.body, `\/`, `\u002b`) },
			"wrapped1":    func(r raw) bool { return bytes.Contains(r.body, []byte(`\r\n`)) },
			"dataurl1": func(r raw) bool {
				return containsAll(r.body, `data:image\/jpeg;base64,/9j`, `data:video\/mp4;base64,A`)
			},
			"spaced1":      func(r raw) bool { return bytes.Contains(r.body, []byte("\" \r\n\t: \r\n\t\"")) },
			"extra1":       func(r raw) bool { return bytes.Contains(r.body, []byte(`"willExt":{`)) },
			"chunked1":     func(r raw) bool { return r.header.Get("Content-Length") == "" },
			"emptyresult1": func(r raw) bool { return bytes.Contains(r.body, []byte(`"result":{}`)) },
			"nullresult1":  func(r raw) bool { return bytes.Contains(r.body, []byte(`"result":null`)) },
			"noresult1":    func(r raw) bool { return !bytes.Contains(r.body, []byte(`"result"`)) },
			"html2001":     func(r raw) bool { return r.status == 200 && bytes.HasPrefix(r.body, []byte("<html>")) },
			"html5021":     func(r raw) bool { return r.status == 502 && bytes.HasPrefix(r.body, []byte("<html>")) },
			"empty1":       func(r raw) bool { return r.status == 200 && len(r.body) == 0 },
			"foreign1": func(r raw) bool {
				got, err := parse(r)
				return err == nil && got.order == "0oreign1" && got.app == testApp
			},
			"foreignapp1": func(r raw) bool {
				got, err := parse(r)
				return err == nil && got.order == "foreignapp1" && got.app == "TIDother"
			},
			"codem5001x1": func(r raw) bool { return text(fields(t, r)["code"]) == "-5001" },
			"code17x":     func(r raw) bool { return text(fields(t, r)["code"]) == "17" },
			"notsame1":    func(r raw) bool { return text(fields(t, r)["code"]) == "66660004" && len(r.body) > 100_000 },
			"nomedia1":    func(r raw) bool { return text(fields(t, r)["code"]) == "66660016" && fields(t, r)["result"] != nil },
			"own1":        func(r raw) bool { got, err := parse(r); return err == nil && bytes.Contains(got.photo, []byte("own1")) },
		} {
			r, err := c.at(order, "1")
			if err != nil || !has(r) {
				t.Errorf("%s: the reply (%v) lacks what its case promises: %.300q", order, err, r.body)
			}
			plain, err := c.at("ok1", "1")
			if err != nil || has(plain) {
				t.Errorf("%s: the plain reply (%v) has the same peculiarity", order, err)
			}
		}
	})
}

func isNumber(m map[string]any) bool {
	_, ok := m["result"].(map[string]any)["liveRate"].(json.Number)
	return ok
}

func containsAll(b []byte, all ...string) bool {
	for _, s := range all {
		if !bytes.Contains(b, []byte(s)) {
			return false
		}
	}
	return true
}

func TestNullMedia(t *testing.T) {
	c := newCaller(t, Sync)
	c.refresh()
	c.fake.EndCheck("nullmedia1", c.clock.Now().Add(-time.Second))
	r := c.mustSend(c.query("nullmedia1", "1"))
	if !containsAll(r.body, `"video":null`, `"photo":null`) {
		t.Errorf("media that are not there are not null: %s", r.body)
	}
}

func TestGzipUnasked(t *testing.T) {
	c := newCaller(t, Sync)
	c.refresh()
	c.fake.EndCheck("gzip1", c.clock.Now().Add(-time.Minute))
	transport := &http.Transport{DisableCompression: true}
	defer transport.CloseIdleConnections()
	q := c.query("gzip1", "1")
	path := Sync.path() + "?app_id=" + testApp + "&order_no=gzip1&version=1.0.0&get_file=1&nonce=" + q["nonce"] + "&sign=" + q["sign"]
	resp, err := transport.RoundTrip(c.request(http.MethodGet, path, "", ""))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	z, err := gzip.NewReader(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := parse(raw{body: b}); err != nil || !bytes.Equal(got.video, Video()) {
		t.Errorf("the video is not the sample (%v)", err)
	}
}

// TestBodiesThatEndBadly: how each of them ends, and that the failures are as many as the order number says.
func TestBodiesThatEndBadly(t *testing.T) {
	bothDialects(t, func(t *testing.T, route Route) {
		c := newCaller(t, route)
		c.refresh()
		for order, want := range map[string]error{
			"cut3x1":       errNotWhole,
			"midquantum3x": errNotWhole,
			"broken3x1":    io.ErrUnexpectedEOF,
			"badlength3x":  io.ErrUnexpectedEOF,
			"reset3x":      io.EOF,
			"stall3x1":     context.Canceled,
		} {
			c.fake.EndCheck(order, c.clock.Now().Add(-time.Minute))
			for range 3 {
				if _, err := c.whole(order); !errors.Is(err, want) {
					t.Errorf("%s: error %v, want %v", order, err, want)
				}
			}
			if r, err := c.whole(order); err != nil || !bytes.Equal(r.video, Video()) {
				t.Errorf("%s: then error %v, want a whole reply", order, err)
			}
		}
	})
}

// TestMediaFailuresSpareTheResult: a query that asks for no media is not cut, and does not count.
func TestMediaFailuresSpareTheResult(t *testing.T) {
	c := newCaller(t, Sync)
	c.refresh()
	for range 3 {
		if r, err := c.at("cut1x1", ""); err != nil || text(fields(t, r)["code"]) != "0" {
			t.Fatalf("the result query: %v", err)
		}
	}
	if _, err := c.whole("cut1x1"); !errors.Is(err, errNotWhole) {
		t.Errorf("the evidence query: error %v, want %v", err, errNotWhole)
	}
}

func TestMatch(t *testing.T) {
	for order, want := range map[string]struct {
		prefix, argument string
		times            int
	}{
		"ok1":                       {"ok", "", 0},
		"orderNo596551":             {"ok", "", 0},
		"OK1":                       {"ok", "", 0},
		"busy":                      {"busy", "", 2},
		"busy7":                     {"busy", "", 2},
		"busy7x":                    {"busy", "", 7},
		"busyx":                     {"busy", "", 2},
		"foreign1x1":                {"foreign", "", 1},
		"foreignapp1":               {"foreignapp", "", forever},
		"emptyresult1":              {"emptyresult", "", 1},
		"big64mb1":                  {"big", "64", 0},
		"big2048mb":                 {"big", "2048", 0},
		"big2049mb":                 {"ok", "", 0},
		"big0mb":                    {"ok", "", 0},
		"bigmb":                     {"ok", "", 0},
		"code66660010x1":            {"code", "66660010", 0},
		"code66660010":              {"ok", "", 0},
		"codem1404x":                {"code", "-1404", 0},
		"codex":                     {"ok", "", 0},
		"config1":                   {"config", "", 1},
		"busy99999999999999999999x": {"busy", "", 2},
	} {
		c, argument, times := table().match(order)
		if c.prefix != want.prefix || argument != want.argument || times != want.times {
			t.Errorf("%s: %q with %q, %d times; want %q with %q, %d", order, c.prefix, argument, times, want.prefix, want.argument, want.times)
		}
	}
}

// TestCaseListIsWhole: every entry can be read by people, its example is an order number of its own kind.
func TestCaseListIsWhole(t *testing.T) {
	seen := map[string]bool{}
	for _, c := range Cases() {
		if c.Does == "" || c.State == "" || c.behave == nil || seen[c.prefix] {
			t.Errorf("%s: incomplete or there twice", c.Pattern)
		}
		seen[c.prefix] = true
		if got, _, _ := table().match(c.Example); !isOrder(c.Example) || got.prefix != c.prefix {
			t.Errorf("%s: the example %s is a case of %s", c.Pattern, c.Example, got.prefix)
		}
	}
}

func TestMarkdownTable(t *testing.T) {
	want, err := os.ReadFile("testdata/cases.md")
	if err != nil {
		t.Fatal(err)
	}
	if got := MarkdownTable(); got != string(want) {
		t.Errorf("the list has changed; write it to testdata/cases.md once you like it:\n%s", got)
	}
}

func FuzzMatch(f *testing.F) {
	for _, c := range Cases() {
		f.Add(c.Example)
	}
	f.Add("busy5x")
	f.Add("codem1x")
	f.Fuzz(func(t *testing.T, order string) {
		c, _, times := table().match(order)
		if times < 0 {
			t.Errorf("%q is hit %d times", order, times)
		}
		if c.prefix != "ok" && !strings.HasPrefix(order, c.prefix) {
			t.Errorf("%q is no case of %q", order, c.prefix)
		}
		MediaOf(order)
	})
}

func FuzzStringFields(f *testing.F) {
	for _, seed := range []string{`{}`, `null`, `{"getFile":"1"}`, `{"getFile":1}`, `{"a":"b","a":"c"}`, `{"a":{}}`, "{\"a\":\"\xff\"}"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		got, ok := stringFields(b)
		var all map[string]any
		if err := json.Unmarshal(b, &all); err != nil && ok {
			t.Fatalf("%q is taken, but is not JSON: %v", b, err)
		}
		for key, value := range all {
			if s, isString := value.(string); ok && (!isString || got[key] != s) {
				t.Errorf("%q: field %q is %v, read as %q", b, key, value, got[key])
			}
		}
	})
}
