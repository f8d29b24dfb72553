package local_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/kycvault/kycvault/pkg/archive"
	"github.com/kycvault/kycvault/pkg/bucket/dirbucket"
	"github.com/kycvault/kycvault/pkg/seal"
)

// authority gives timestamps that say when they were asked for, and of what; it may fail as a bucket may.
type authority struct{ f *faults }

// Stamp implements seal.Stamper.
func (a authority) Stamp(_ context.Context, signed []byte) (token []byte, err error) {
	first, last := a.f.acts()
	if err := errors.Join(first, last); err != nil {
		return nil, err
	}
	return fmt.Appendf(nil, "%s %s", time.Now().UTC().Format(time.RFC3339), seal.Digest(signed)), nil
}

// checkStamp reads what an authority gave.
func checkStamp(signed, token []byte) (time.Time, error) {
	at, of, _ := strings.Cut(string(token), " ")
	if of != seal.Digest(signed) {
		return time.Time{}, errors.New("of other bytes")
	}
	return time.Parse(time.RFC3339, at)
}

// stamped lets the process ask an authority, if it seals.
func (p *process) stamped(f *faults) {
	if sealer, is := p.Refetcher.Sealer.(*seal.Sealer); is {
		sealer.Stamper = authority{f}
	}
}

// judgeSeals looks whether the seals are one whole chain, each with its timestamp, and each manifest in one of them.
func (h *house) judgeSeals(vault *archive.Archive) {
	manifests := 0
	for _, key := range keysBelow(h.t, vault.Bucket(), "orders/") {
		if strings.Contains(key, "/manifest") {
			manifests++
		}
	}
	sum := h.seals(vault, func(d archive.Damage) { h.t.Errorf("damage: %+v", d) })
	if sum.Leaves != manifests || sum.Seals < 5 || sum.Stamps != sum.Seals {
		h.t.Errorf("%d manifests; seals: %+v", manifests, sum)
	}
}

// sealedSoFar wants the first process to have sealed the orders, so that the faults meet that too.
func (h *house) sealedSoFar(orders []string) {
	b, err := dirbucket.Open(h.dir)
	if err != nil {
		h.t.Fatal(err)
	}
	defer func() { _ = b.Close() }()
	sum := h.seals(archive.New(b), func(d archive.Damage) { h.t.Errorf("damage: %+v", d) })
	if sum.Leaves < len(orders) || sum.Stamps < 3 {
		h.t.Errorf("before the second process: %+v", sum)
	}
}

// seals checks the seals.
func (h *house) seals(vault *archive.Archive, damage func(archive.Damage)) seal.Sealed {
	private, err := seal.ParseKey(h.config.SealKey)
	if err != nil {
		h.t.Fatal(err)
	}
	public, err := seal.ParsePublicKey(private.Public())
	if err != nil {
		h.t.Fatal(err)
	}
	sum, err := seal.Verify(h.t.Context(), vault, damage, seal.VerifyOptions{
		Keys: []seal.PublicKey{public}, Grace: h.config.SealGrace, CheckToken: checkStamp, Stamped: true,
	})
	if err != nil {
		h.t.Error(err)
	}
	return sum
}

// TestNeverLostSealed does the same with evidence that no process can read again, sealed and stamped: each call of the passes that seal
// fails too. Every manifest must be in one seal, and the seals one chain.
func TestNeverLostSealed(t *testing.T) {
	for name, orders := range lives() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			life{orders: orders, sealed: true}.encrypted(t).failEverywhere(t, 27)
		})
	}
}
