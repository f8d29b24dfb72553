package faceidtest

import (
	"math/rand/v2"
	"time"

	"github.com/kycvault/kycvault/pkg/secret"
)

// token is an access token.
type token struct {
	value   secret.Text
	expires time.Time
}

// ticket is a SIGN ticket; it dies with the token it was had with.
type ticket struct {
	value   secret.Text
	token   *token
	expires time.Time
}

func (t *token) alive(now time.Time) bool { return now.Before(t.expires) }

func (t *ticket) alive(now time.Time) bool { return now.Before(t.expires) && t.token.alive(now) }

// pairs holds the tokens and tickets of the app id, dead ones too, so that a dead one can be told from an unknown one.
// The Server's lock guards it.
type pairs struct {
	random  *rand.ChaCha8
	tokens  []*token  // newest last
	tickets []*ticket // newest last

	begun     time.Time // when the refresh under way began; zero: none is
	refreshes int       // tickets given out
	parallel  int       // access_token calls while a refresh was under way
}

// keep bounds the dead tokens and tickets that are remembered.
const keep = 64

const (
	alphanumerics = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
	tokenLetters  = alphanumerics + "-_"
	tokenLen      = 90
	ticketLen     = 64
)

// begin notes that an access_token call came; false when another refresh is under way.
func (p *pairs) begin(now time.Time) bool {
	if !p.begun.IsZero() && now.Sub(p.begun) < refreshWindow {
		p.parallel++
		return false
	}
	p.begun = now
	return true
}

// over notes that the refresh under way has ended, well or not.
func (p *pairs) over() { p.begun = time.Time{} }

// newToken makes the next token. The one before stays good for a minute, older ones die (PROTOCOL section 3).
func (p *pairs) newToken(now time.Time, life time.Duration) *token {
	t := &token{value: p.text(tokenLetters, tokenLen), expires: now.Add(life)}
	for i, old := range p.tokens {
		old.expires = earlier(old.expires, lastGood(now, i == len(p.tokens)-1))
	}
	p.tokens = last(append(p.tokens, t), keep)
	return t
}

// newTicket makes the next ticket, with the newest token.
func (p *pairs) newTicket(now time.Time, life time.Duration) *ticket {
	t := &ticket{value: p.text(alphanumerics, ticketLen), token: p.newestToken(), expires: now.Add(life)}
	for i, old := range p.tickets {
		old.expires = earlier(old.expires, lastGood(now, i == len(p.tickets)-1))
	}
	p.tickets = last(append(p.tickets, t), keep)
	p.refreshes++
	return t
}

// killTokens makes every token die now, and with them the tickets.
func (p *pairs) killTokens(now time.Time) {
	for _, t := range p.tokens {
		t.expires = earlier(t.expires, now)
	}
}

// killTickets makes every ticket die now; the tokens live on.
func (p *pairs) killTickets(now time.Time) {
	for _, t := range p.tickets {
		t.expires = earlier(t.expires, now)
	}
}

func (p *pairs) newestToken() *token {
	if len(p.tokens) == 0 {
		return nil
	}
	return p.tokens[len(p.tokens)-1]
}

// current is the newest ticket that is alive, or nil.
func (p *pairs) current(now time.Time) *ticket {
	for i := len(p.tickets) - 1; i >= 0; i-- {
		if p.tickets[i].alive(now) {
			return p.tickets[i]
		}
	}
	return nil
}

func (p *pairs) text(letters string, n int) secret.Text {
	r := rand.New(p.random)
	b := make([]byte, n)
	for i := range b {
		b[i] = letters[r.IntN(len(letters))]
	}
	return secret.New(string(b))
}

// lastGood is when a superseded token or ticket dies: the one just before keeps its minute.
func lastGood(now time.Time, justBefore bool) time.Time {
	if justBefore {
		return now.Add(grace)
	}
	return now
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

func last[T any](s []T, n int) []T { return s[max(0, len(s)-n):] }
