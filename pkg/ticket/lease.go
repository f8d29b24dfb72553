package ticket

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"
)

// leaseVersion is written into every lease. Raise it when a reader of the old version would misjudge when a lease ends.
const leaseVersion = 1

// The times of a lease. Only the first is written down; the others are how its holder stays well inside it.
const (
	leaseTTL    = 30 * time.Second // from its creation, by the store's clock
	holdFor     = 27 * time.Second // the holder has published by then, or does not; by its own stop watch
	sendFor     = 20 * time.Second // the holder's calls to the upstream have ended by then
	maxLeaseTTL = 5 * time.Minute  // a lease that claims to last longer does not: it can be forged
)

// lease is the right to make one generation.
type lease struct {
	ttl      time.Duration // from its creation
	modified time.Time     // its creation, by the store's clock
	seen     time.Time     // when this process first saw it, by the local clock
}

// ends is when the lease is over, by the store's clock.
func (l lease) ends() time.Time { return l.modified.Add(l.ttl) }

// left is how much of it is left: by the store's clock, and by this process's stop watch never more than a whole lease since it
// was first seen, as a store's clock that is a machine's may be set back.
func (l lease) left(store, local time.Time) time.Duration {
	return min(l.ends().Sub(store), l.ttl-local.Sub(l.seen))
}

// exists tells a lease from none.
func (l lease) exists() bool { return l.ttl > 0 }

type leaseBody struct {
	V       int    `json:"v"`
	Nonce   string `json:"nonce"`
	Seconds int64  `json:"seconds"`
}

// newLease makes the stored bytes of a new lease. The nonce in them lets their maker know them again after a lost answer.
func newLease(rand io.Reader) ([]byte, error) {
	nonce := make([]byte, 16)
	if _, err := io.ReadFull(rand, nonce); err != nil {
		return nil, fmt.Errorf("read random bytes: %w", err)
	}
	b := leaseBody{V: leaseVersion, Nonce: hex.EncodeToString(nonce), Seconds: int64(leaseTTL / time.Second)}
	body, err := json.Marshal(b)
	if err != nil {
		return nil, fmt.Errorf("encode lease: %w", err)
	}
	return body, nil
}

// parseLease reads a stored lease. One that cannot be read still is a lease, of the usual length: its key is what counts.
func parseLease(body []byte, modified time.Time) lease {
	l := lease{ttl: leaseTTL, modified: modified}
	b, err := decodeLease(body)
	if err != nil {
		return l
	}
	l.ttl = min(time.Duration(b.Seconds)*time.Second, maxLeaseTTL)
	return l
}

func decodeLease(body []byte) (leaseBody, error) {
	var b leaseBody
	if err := json.Unmarshal(body, &b); err != nil {
		return leaseBody{}, errors.New("not a lease")
	}
	if b.Seconds <= 0 || b.Seconds > int64(24*time.Hour/time.Second) {
		return leaseBody{}, errors.New("a lease of no sensible length")
	}
	return b, nil
}
