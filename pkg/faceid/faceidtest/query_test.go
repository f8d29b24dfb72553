package faceidtest

import (
	"net/http"
	"strings"
	"testing"
	"time"
)

func TestQueryRefusals(t *testing.T) {
	resign := func(c *caller, q map[string]string) {
		q["sign"] = sign(q["app_id"], q["order_no"], q["version"], q["nonce"], c.ticket)
	}
	for name, tt := range map[string]struct {
		spoil func(*caller, map[string]string)
		want  string
	}{
		"good":                {func(*caller, map[string]string) {}, "66660011"},
		"sign in lower case":  {func(_ *caller, q map[string]string) { q["sign"] = strings.ToLower(q["sign"]) }, "66660011"},
		"want is nonsense":    {func(_ *caller, q map[string]string) { q["get_file"] = "9" }, "66660011"},
		"other app id":        {func(c *caller, q map[string]string) { q["app_id"] = "TIDother"; resign(c, q) }, "400103"},
		"other version":       {func(c *caller, q map[string]string) { q["version"] = "1.0.1"; resign(c, q) }, "400502"},
		"no version":          {func(c *caller, q map[string]string) { delete(q, "version"); resign(c, q) }, "400502"},
		"order not signed":    {func(_ *caller, q map[string]string) { q["order_no"] = "ok2" }, "400101"},
		"nonce not signed":    {func(_ *caller, q map[string]string) { q["nonce"] = strings.Repeat("n", 32) }, "400101"},
		"sign of 39":          {func(_ *caller, q map[string]string) { q["sign"] = q["sign"][1:] }, "400101"},
		"sign not hex":        {func(_ *caller, q map[string]string) { q["sign"] = "X" + q["sign"][1:] }, "400101"},
		"no sign":             {func(_ *caller, q map[string]string) { delete(q, "sign") }, "400101"},
		"nonce of 31":         {func(c *caller, q map[string]string) { q["nonce"] = strings.Repeat("n", 31); resign(c, q) }, "400100"},
		"nonce of 33":         {func(c *caller, q map[string]string) { q["nonce"] = strings.Repeat("n", 33); resign(c, q) }, "400100"},
		"nonce with a dash":   {func(c *caller, q map[string]string) { q["nonce"] = strings.Repeat("-", 32); resign(c, q) }, "400100"},
		"order of 33":         {func(c *caller, q map[string]string) { q["order_no"] = strings.Repeat("a", 33); resign(c, q) }, "400100"},
		"order of 32":         {func(c *caller, q map[string]string) { q["order_no"] = strings.Repeat("a", 32); resign(c, q) }, "66660011"},
		"order with a dash":   {func(c *caller, q map[string]string) { q["order_no"] = "ok-1"; resign(c, q) }, "400100"},
		"order in Chinese":    {func(c *caller, q map[string]string) { q["order_no"] = "订单"; resign(c, q) }, "400100"},
		"no order":            {func(c *caller, q map[string]string) { q["order_no"] = ""; resign(c, q) }, "400100"},
		"nonce used before":   {func(c *caller, q map[string]string) { c.mustSend(q) }, "400101"},
		"too busy":            {func(c *caller, q map[string]string) { c.fake.Busy(true) }, "400501"},
		"not busy any more":   {func(c *caller, q map[string]string) { c.fake.Busy(true); c.fake.Busy(false) }, "66660011"},
		"busy for the signed": {func(c *caller, q map[string]string) { c.fake.Busy(true); delete(q, "sign") }, "400101"},
	} {
		t.Run(name, func(t *testing.T) {
			bothDialects(t, func(t *testing.T, route Route) {
				c := newCaller(t, route)
				c.refresh()
				q := c.query("ok1", "1")
				tt.spoil(c, q)
				if got := c.code(q); got != tt.want {
					t.Errorf("code %s, want %s", got, tt.want)
				}
			})
		})
	}
}

func (c *caller) mustSend(q map[string]string) raw {
	c.t.Helper()
	r, err := c.send(q)
	if err != nil {
		c.t.Fatal(err)
	}
	return r
}

func TestReplayIsCounted(t *testing.T) {
	c := newCaller(t, Sync)
	c.refresh()
	q := c.query("ok1", "")
	for range 3 {
		c.mustSend(q)
	}
	if got := c.fake.Stats().Replays; got != 2 {
		t.Errorf("%d replays, want 2", got)
	}
}

func TestFaceRecordWantsJSONAndTheOrderTwice(t *testing.T) {
	const good = `{"appId":"TIDAtest","orderNo":"ok1","version":"1.0.0","nonce":"NONCE","sign":"SIGN","getFile":"1","queryVersion":"1.0"}`
	for name, tt := range map[string]struct {
		query, contentType string
		old, new           string
		want               string
	}{
		"good":              {"orderNo=ok1", "application/json", "", "", "66660011"},
		"with a charset":    {"orderNo=ok1", "application/json; charset=utf-8", "", "", "66660011"},
		"no getFile":        {"orderNo=ok1", "application/json", `"getFile":"1",`, "", "66660011"},
		"getFile a number":  {"orderNo=ok1", "application/json", `"getFile":"1"`, `"getFile":1`, "400100"},
		"getFile null":      {"orderNo=ok1", "application/json", `"getFile":"1"`, `"getFile":null`, "400100"},
		"other query":       {"orderNo=ok1", "application/json", `"queryVersion":"1.0"`, `"queryVersion":"2.0"`, "400100"},
		"not in the URL":    {"", "application/json", "", "", "400100"},
		"other in the URL":  {"orderNo=ok2", "application/json", "", "", "400100"},
		"twice in the URL":  {"orderNo=ok1&orderNo=ok1", "application/json", "", "", "400100"},
		"form content type": {"orderNo=ok1", "application/x-www-form-urlencoded", "", "", "400100"},
		"no content type":   {"orderNo=ok1", "", "", "", "400100"},
		"not an object":     {"orderNo=ok1", "application/json", good, `["ok1"]`, "400100"},
		"cut short":         {"orderNo=ok1", "application/json", "}", "", "400100"},
		"something behind":  {"orderNo=ok1", "application/json", "}", "}}", "400100"},
		"too long":          {"orderNo=ok1", "application/json", "}", "}" + strings.Repeat(" ", maxRequest), "400100"},
	} {
		t.Run(name, func(t *testing.T) {
			c := newCaller(t, FaceRecord)
			c.refresh()
			nonce := strings.Repeat("n", 32)
			body := strings.Replace(good, tt.old, tt.new, 1)
			body = strings.NewReplacer("NONCE", nonce, "SIGN", sign(testApp, "ok1", "1.0.0", nonce, c.ticket)).Replace(body)
			r, err := c.do(c.request(http.MethodPost, FaceRecord.path()+"?"+tt.query, tt.contentType, body))
			if err != nil {
				t.Fatal(err)
			}
			if got := text(fields(t, r)["code"]); got != tt.want {
				t.Errorf("code %s, want %s", got, tt.want)
			}
		})
	}
}

func TestFormIsRefused(t *testing.T) {
	c := newCaller(t, FaceRecord)
	c.refresh()
	r, err := c.do(c.request(http.MethodPost, FaceRecord.path()+"?orderNo=ok1", "application/x-www-form-urlencoded", "appId=TIDAtest&orderNo=ok1"))
	if err != nil || text(fields(t, r)["code"]) != "400100" {
		t.Errorf("a form got %s (%v), want 400100", r.body, err)
	}
}

func TestOtherMethodsAndPaths(t *testing.T) {
	c := newCaller(t, Sync)
	for _, tt := range []struct {
		method, path string
		want         int
	}{
		{http.MethodPost, Sync.path(), http.StatusMethodNotAllowed},
		{http.MethodGet, FaceRecord.path(), http.StatusMethodNotAllowed},
		{http.MethodPost, AccessToken.path(), http.StatusMethodNotAllowed},
		{http.MethodGet, "/api/server/nothing", http.StatusNotFound},
	} {
		r, err := c.do(c.request(tt.method, tt.path, "", ""))
		if err != nil || r.status != tt.want {
			t.Errorf("%s %s: %d (%v), want %d", tt.method, tt.path, r.status, err, tt.want)
		}
	}
}

// TestTimeLine follows one order from the end of its check until it is forgotten.
func TestTimeLine(t *testing.T) {
	bothDialects(t, func(t *testing.T, route Route) {
		c := newCaller(t, route)
		begin := c.clock.Now()
		for _, at := range []struct {
			after time.Duration
			code  string
			media bool
		}{
			{0, "66660011", false},
			{499 * time.Millisecond, "66660011", false},
			{500 * time.Millisecond, "0", false},
			{1499 * time.Millisecond, "0", false},
			{1500 * time.Millisecond, "0", true},
			{72 * time.Hour, "0", true},
			{72*time.Hour + time.Second, "66660011", false},
		} {
			c.clock.advance(begin.Add(at.after).Sub(c.clock.Now()))
			c.refresh()
			r, err := parse(c.mustSend(c.query("ok1", "1")))
			if err != nil {
				t.Fatal(err)
			}
			if got := len(r.photo) > 0 && len(r.video) > 0; r.code != at.code || got != at.media {
				t.Errorf("after %v: code %s, media %t; want %s, %t", at.after, r.code, got, at.code, at.media)
			}
		}
	})
}

func TestEndCheckSetsTheTimeAndTheCounts(t *testing.T) {
	c := newCaller(t, Sync)
	c.refresh()
	c.fake.EndCheck("busy1x1", c.clock.Now().Add(-time.Minute))
	for range 2 {
		for _, want := range []string{"400501", "0", "0"} {
			if got := c.code(c.query("busy1x1", "1")); got != want {
				t.Errorf("code %s, want %s", got, want)
			}
		}
		c.fake.EndCheck("busy1x1", c.clock.Now().Add(-time.Minute))
	}
	hasty := newCaller(t, Sync, func(c *Config) { c.MediaAfter = -2 * time.Hour })
	hasty.refresh()
	hasty.fake.EndCheck("ok1", c.clock.Now().Add(time.Hour))
	if got := hasty.code(hasty.query("ok1", "1")); got != "66660011" {
		t.Errorf("a check that ends in an hour, media at once: code %s, want 66660011", got)
	}
	c.fake.EndCheck("ok1", c.clock.Now().Add(time.Hour))
	if got := c.code(c.query("ok1", "1")); got != "66660011" {
		t.Errorf("a check that ends in an hour: code %s, want 66660011", got)
	}
}

// TestWant asks for each set of media.
func TestWant(t *testing.T) {
	bothDialects(t, func(t *testing.T, route Route) {
		c := newCaller(t, route, func(c *Config) { c.MediaAfter = -1 })
		c.refresh()
		for want, has := range map[string][2]bool{"1": {true, true}, "2": {true, false}, "3": {false, true}, "": {}, "0": {}, "9": {}} {
			r, err := parse(c.mustSend(c.query("ok1", want)))
			if err != nil {
				t.Fatal(err)
			}
			if got := [2]bool{len(r.photo) > 0, len(r.video) > 0}; got != has {
				t.Errorf("get_file %q: photo, video %v, want %v", want, got, has)
			}
		}
	})
}

// TestReplyFields: sync has personal fields and is nested as in the document; facerecord has none of them.
func TestReplyFields(t *testing.T) {
	bothDialects(t, func(t *testing.T, route Route) {
		c := newCaller(t, route, func(c *Config) { c.MediaAfter = -1 })
		c.refresh()
		r := c.mustSend(c.query("ok1", "1"))
		result, ok := fields(t, r)["result"].(map[string]any)
		if !ok {
			t.Fatal("the reply is not nested")
		}
		if got := result["name"] == Name && result["idNo"] == IDNo; got != (route == Sync) {
			t.Errorf("personal fields: %t", got)
		}
		if got, want := result["occurredTime"], "20260301120506"; got != want {
			t.Errorf("occurredTime %v, want %s: Beijing is eight hours ahead", got, want)
		}
		if got, want := r.header.Get("Date"), "Sun, 01 Mar 2026 04:05:06 GMT"; got != want {
			t.Errorf("Date %q, want %q", got, want)
		}
	})
}
