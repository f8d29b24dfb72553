package faceidtest

import (
	"maps"
	"regexp"
	"testing"
	"time"

	"github.com/kycvault/kycvault/pkg/secret"
)

func TestSignVectors(t *testing.T) {
	for _, c := range []struct {
		want   string
		values []string
	}{
		{"6CD5F0DBCFA1155E2A66754B33C2E67DD358393B", []string{"IDAXXXXX", "orderNo596551", "1.0.0", "kHoSxvLZGxSoFsjxlbzEoUzh5PAnTU7T", "XO99Qfxlti9iTVgHAjwvJdAZKN3nMuUhrsPdPlPVKlcyS50N6tlLnfuFBPIucaMS"}},
		{"993D057C652D97FD90D5D298F2E5DC4B8D893CBC", []string{"appId001", "aabc1457895464", "1.0.0", "kHoSxvLZGxSoFsjxlbzEoUzh5PAnTU7T", "FxlAe3HFtEy73Um0pJNzIUriwtfnS3KRcPXiesd5ulS4XRAIcT0FbfaP52dwZf5S"}},
		{"11670F8BD6181CF71FB4656534253A0627D835CF", []string{"appId001", "19959248596551", "testName", "4300000000000", "19959248596551", "1.0.0", "duSz9ptwyW1Xn7r6gYItxz3feMdJ8Na5x7JZuoxurE7RcI5TdwCE4KT2eEeNNDoe"}},
	} {
		if got := sign(c.values...); got != c.want {
			t.Errorf("sign(%q) = %s, want %s", c.values, got, c.want)
		}
	}
}

func TestTokenCallRefusals(t *testing.T) {
	for name, tt := range map[string]struct {
		spoil func(map[string]string)
		want  string
	}{
		"good":            {func(map[string]string) {}, "0"},
		"newer spelling":  {func(q map[string]string) { q["appId"] = q["app_id"]; delete(q, "app_id") }, "0"},
		"wrong secret":    {func(q map[string]string) { q["secret"] = "x" }, "400104"},
		"no secret":       {func(q map[string]string) { delete(q, "secret") }, "400104"},
		"wrong app id":    {func(q map[string]string) { q["app_id"] = "TIDother" }, "400103"},
		"no app id":       {func(q map[string]string) { delete(q, "app_id") }, "400103"},
		"wrong version":   {func(q map[string]string) { q["version"] = "2.0.0" }, "400502"},
		"no grant type":   {func(q map[string]string) { delete(q, "grant_type") }, "400100"},
		"plural (a typo)": {func(q map[string]string) { q["grant_type"] = "client_credentials" }, "400100"},
	} {
		t.Run(name, func(t *testing.T) {
			c := newCaller(t, Sync)
			q := tokenParams()
			tt.spoil(q)
			if got := text(fields(t, c.get(AccessToken.path(), q))["code"]); got != tt.want {
				t.Errorf("code %s, want %s", got, tt.want)
			}
		})
	}
}

func TestTicketCallRefusals(t *testing.T) {
	for name, tt := range map[string]struct {
		spoil func(map[string]string)
		want  string
	}{
		"good":          {func(map[string]string) {}, "0"},
		"other type":    {func(q map[string]string) { q["type"] = "NONCE" }, "400100"},
		"no version":    {func(q map[string]string) { delete(q, "version") }, "400502"},
		"wrong app id":  {func(q map[string]string) { q["app_id"] = "TIDother" }, "400103"},
		"unknown token": {func(q map[string]string) { q["access_token"] = "x" }, "400102"},
		"no token":      {func(q map[string]string) { delete(q, "access_token") }, "400100"},
	} {
		t.Run(name, func(t *testing.T) {
			c := newCaller(t, Sync)
			q := ticketParams(c.token())
			tt.spoil(q)
			if got := text(fields(t, c.get(APITicket.path(), q))["code"]); got != tt.want {
				t.Errorf("code %s, want %s", got, tt.want)
			}
		})
	}
}

func TestParameterTwiceIsRefused(t *testing.T) {
	c := newCaller(t, Sync)
	r, err := c.do(c.request("GET", AccessToken.path()+"?app_id="+testApp+"&app_id="+testApp+"&secret="+testSecret+"&grant_type=client_credential&version=1.0.0", "", ""))
	if err != nil {
		t.Fatal(err)
	}
	if got := text(fields(t, r)["code"]); got != "400100" {
		t.Errorf("code %s, want 400100", got)
	}
}

func TestTokenAndTicketLookReal(t *testing.T) {
	c := newCaller(t, Sync)
	tok := c.token()
	if !regexp.MustCompile(`^[0-9A-Za-z_-]{90}$`).MatchString(tok) {
		t.Error("token is not 90 letters, digits, - and _")
	}
	if got := c.ticketFor(tok); !regexp.MustCompile(`^[0-9A-Za-z]{64}$`).MatchString(got) {
		t.Error("ticket is not 64 letters and digits")
	}
}

// TestExpiryIsUnkind: expire_in comes as a number and as a string, expire_time is no use.
func TestExpiryIsUnkind(t *testing.T) {
	c := newCaller(t, Sync)
	kinds := map[string]bool{}
	for range 2 {
		m := fields(t, c.get(AccessToken.path(), tokenParams()))
		if text(m["expire_in"]) != "7200" {
			t.Errorf("expire_in %v, want 7200", m["expire_in"])
		}
		if m["expire_time"] == beijing(c.clock.Now().Add(2*time.Hour)) {
			t.Error("expire_time is right, and so invites its use")
		}
		_, isString := m["expire_in"].(string)
		kinds[map[bool]string{true: "string", false: "number"}[isString]] = true
		c.ticketFor(text(m["access_token"]))
	}
	if want := map[string]bool{"string": true, "number": true}; !maps.Equal(kinds, want) {
		t.Errorf("expire_in came as %v, want %v", kinds, want)
	}
}

func TestParallelRefreshIsCountedAndRefused(t *testing.T) {
	c := newCaller(t, Sync)
	first := c.token()
	if got := text(fields(t, c.get(AccessToken.path(), tokenParams()))["code"]); got == "0" {
		t.Error("a second refresh was let in while one was under way")
	}
	c.ticketFor(first) // the first one is not harmed
	c.refresh()        // one after the other is fine
	if st := c.fake.Stats(); st.ParallelRefreshes != 1 || st.Refreshes != 2 {
		t.Errorf("%d parallel of %d refreshes, want 1 of 2", st.ParallelRefreshes, st.Refreshes)
	}
}

func TestParallelRefreshCanBeAllowedButIsCounted(t *testing.T) {
	c := newCaller(t, Sync, func(c *Config) { c.AllowParallelRefresh = true })
	first := c.token()
	c.refresh()
	if st := c.fake.Stats(); st.ParallelRefreshes != 1 {
		t.Errorf("%d parallel refreshes, want 1", st.ParallelRefreshes)
	}
	if got := text(fields(t, c.get(APITicket.path(), ticketParams(first)))["code"]); got != "400102" {
		t.Errorf("a ticket for the superseded token: code %s, want 400102", got)
	}
}

func TestRefreshGivenUpIsNotParallel(t *testing.T) {
	c := newCaller(t, Sync)
	c.token()
	c.clock.advance(refreshWindow)
	c.refresh()
	for _, lost := range []Fault{{Route: APITicket, Status: 502, After: true}, {Route: APITicket, Status: 502}, {Route: AccessToken, Status: 502, After: true}} {
		c.fault(lost)
		token := text(fieldsOrNone(c.get(AccessToken.path(), tokenParams()))["access_token"])
		c.get(APITicket.path(), ticketParams(token))
		c.refresh() // an answer was lost, so the client begins anew
	}
	if st := c.fake.Stats(); st.ParallelRefreshes != 0 {
		t.Errorf("%d parallel refreshes, want 0", st.ParallelRefreshes)
	}
}

// TestTicketLives asks with a ticket of some age after something happened to it.
func TestTicketLives(t *testing.T) {
	for name, tt := range map[string]struct {
		happen func(*caller)
		want   string
	}{
		"nothing":                         {func(*caller) {}, "66660011"},
		"an hour":                         {func(c *caller) { c.clock.advance(time.Hour) }, "400102"},
		"59 minutes":                      {func(c *caller) { c.clock.advance(59 * time.Minute) }, "66660011"},
		"refreshed 59 s ago":              {func(c *caller) { c.other(1); c.clock.advance(59 * time.Second) }, "66660011"},
		"refreshed a minute ago":          {func(c *caller) { c.other(1); c.clock.advance(time.Minute) }, "400102"},
		"refreshed twice":                 {func(c *caller) { c.other(2) }, "400102"},
		"token refreshed alone":           {func(c *caller) { c.token(); c.clock.advance(59 * time.Second) }, "66660011"},
		"token refreshed alone, a minute": {func(c *caller) { c.token(); c.clock.advance(time.Minute) }, "400102"},
		"ticket killed":                   {func(c *caller) { c.fake.KillTicket() }, "400102"},
		"token killed":                    {func(c *caller) { c.fake.KillToken() }, "400102"},
		"secret changed":                  {func(c *caller) { c.fake.ChangeSecret(secret.New("new")) }, "400102"},
		"never fetched":                   {func(c *caller) { c.ticket = "made up" }, "400101"},
	} {
		t.Run(name, func(t *testing.T) {
			c := newCaller(t, Sync)
			c.refresh()
			tt.happen(c)
			if got := c.code(c.query("ok1", "")); got != tt.want {
				t.Errorf("code %s, want %s", got, tt.want)
			}
		})
	}
}

func (c *caller) other(times int) {
	for range times {
		c.fake.OtherRefresh()
	}
}

func TestChangedSecretWantsTheNewOne(t *testing.T) {
	c := newCaller(t, Sync)
	c.fake.ChangeSecret(secret.New("new"))
	q := tokenParams()
	if got := text(fields(t, c.get(AccessToken.path(), q))["code"]); got != "400104" {
		t.Errorf("old secret: code %s, want 400104", got)
	}
	q["secret"] = "new"
	if got := text(fields(t, c.get(AccessToken.path(), q))["code"]); got != "0" {
		t.Errorf("new secret: code %s, want 0", got)
	}
}

func TestTicketIsNotHadWithADeadToken(t *testing.T) {
	c := newCaller(t, Sync)
	tok := c.token()
	c.fake.KillToken()
	if got := text(fields(t, c.get(APITicket.path(), ticketParams(tok)))["code"]); got != "400102" {
		t.Errorf("code %s, want 400102", got)
	}
}

func TestSeedRepeatsTheRun(t *testing.T) {
	tickets := func(seed uint64) string {
		c := newCaller(t, Sync, func(c *Config) { c.Seed = seed })
		return c.refresh() + c.refresh()
	}
	first := tickets(7)
	if again := tickets(7); again != first {
		t.Error("the same seed gave other tickets")
	}
	if tickets(8) == first {
		t.Error("another seed gave the same tickets")
	}
}
