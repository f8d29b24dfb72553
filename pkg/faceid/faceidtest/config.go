package faceidtest

import (
	"time"

	"github.com/kycvault/kycvault/pkg/secret"
)

// Config says what service is played. Everything but AppID and Secret may be left zero; zero is strict.
type Config struct {
	AppID  string           // the app id (WBappid) that callers must name
	Secret secret.Text      // its secret
	Now    func() time.Time // the service's clock; time.Now when nil
	Seed   uint64           // makes tokens, tickets and the choice of faults by rate; the same seed gives the same run

	MediaAfter time.Duration // from the end of a check until its media can be had; 0 is 1.5 s, negative is none
	Late       time.Duration // how much later than MediaAfter a late medium comes; 0 is 4 s
	SlowFor    time.Duration // how long a trickled reply takes; 0 is 3 s
	TicketLife time.Duration // 0 is 3600 s
	TokenLife  time.Duration // 0 is 7200 s

	// AllowParallelRefresh answers an access_token call while another refresh is under way. It is counted as a
	// violation all the same (Stats.ParallelRefreshes); without it, it is refused too.
	AllowParallelRefresh bool
	// HistoryLen is how many calls the history keeps; 0 is 10,000.
	HistoryLen int
}

const (
	// grace is how long an old token and ticket stay good after a refresh (PROTOCOL section 3).
	grace = time.Minute
	// refreshWindow is how long an access_token call counts as a refresh under way when no api_ticket call follows.
	refreshWindow = 10 * time.Second
	// retention is how long media and verdicts are kept (PROTOCOL section 4).
	retention = 72 * time.Hour

	protocolVersion = "1.0.0"
)

func (c Config) withDefaults() Config {
	if c.Now == nil {
		c.Now = time.Now
	}
	for _, d := range []struct {
		field    *time.Duration
		fallback time.Duration
	}{
		{&c.MediaAfter, 1500 * time.Millisecond},
		{&c.Late, 4 * time.Second},
		{&c.SlowFor, 3 * time.Second},
		{&c.TicketLife, time.Hour},
		{&c.TokenLife, 2 * time.Hour},
	} {
		if *d.field == 0 {
			*d.field = d.fallback
		}
	}
	c.MediaAfter = max(c.MediaAfter, 0)
	if c.HistoryLen <= 0 {
		c.HistoryLen = 10_000
	}
	return c
}

// resultAfter is when a verdict can first be had: before the media (PROTOCOL section 4).
func (c Config) resultAfter() time.Duration { return c.MediaAfter / 3 }
