package seal_test

import (
	"bytes"
	"crypto/ed25519"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/kycvault/kycvault/pkg/archive"
	"github.com/kycvault/kycvault/pkg/seal"
)

// TestTheSameLeafTwice: the one that is on time stays, whichever came first.
func TestTheSameLeafTwice(t *testing.T) {
	onTime := seal.Leaf{Order: "a", Digest: digestOf("a")}
	late, other := onTime, seal.Leaf{Order: "b", Digest: digestOf("b"), Late: true}
	late.Late = true
	for _, leaves := range [][]seal.Leaf{{late, onTime}, {onTime, late}, {late, onTime, late}, {onTime, onTime, late, late}} {
		if got := seal.SortLeaves(append(slices.Clone(leaves), other)); !slices.Equal(got, []seal.Leaf{onTime, other}) {
			t.Errorf("%v: %v", leaves, got)
		}
	}
	if got := seal.SortLeaves([]seal.Leaf{late, late}); !slices.Equal(got, []seal.Leaf{late}) {
		t.Errorf("late twice: %v", got)
	}
}

// TestLongestLeaf can be read, and no longer line is held in memory.
func TestLongestLeaf(t *testing.T) {
	longest := []seal.Leaf{{Order: archive.Order(strings.Repeat("a", 32)), Digest: digestOf("a"), Late: true}}
	if got, err := read(fileOf(t, longest)); err != nil || !slices.Equal(got, longest) {
		t.Errorf("%v, %v", got, err)
	}
}

// TestReadLeavesFails: an error of the store is told as it is, and not as leaves of a bad form.
func TestReadLeavesFails(t *testing.T) {
	file := fileOf(t, leavesOf(3))
	for n := range file {
		got := 0
		var failed error
		for _, err := range seal.ReadLeaves(io.MultiReader(bytes.NewReader(file[:n]), iotest.ErrReader(errPlanned))) {
			if failed = err; err == nil {
				got++
			}
		}
		if !errors.Is(failed, errPlanned) || errors.Is(failed, seal.ErrFormat) || got != bytes.Count(file[:n], []byte("\n")) {
			t.Fatalf("after %d bytes: %d leaves, %v", n, got, failed)
		}
	}
	if err := seal.WriteLeaves(failing{}, leavesOf(3)); !errors.Is(err, errPlanned) {
		t.Errorf("write: %v", err)
	}
}

type failing struct{}

func (failing) Write([]byte) (int, error) { return 0, errPlanned }

// TestReadLeavesStops when its caller has seen enough.
func TestReadLeavesStops(t *testing.T) {
	n := 0
	for _, err := range seal.ReadLeaves(bytes.NewReader(fileOf(t, leavesOf(3)))) {
		if n++; n == 2 || err != nil {
			break
		}
	}
	if n != 2 {
		t.Errorf("%d", n)
	}
}

// TestKeyNames: up to 100 letters.
func TestKeyNames(t *testing.T) {
	for _, name := range []string{"a", "example.com/kyc-vault_1", strings.Repeat("Z", 100)} {
		private, text, err := seal.NewKey(name)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		k, err := seal.ParseKey(private)
		if err != nil || k.Name() != name || k.Public() != text || public(t, k).Name() != name || public(t, k).String() != text {
			t.Errorf("%s: %s, %v", name, k.Public(), err)
		}
	}
}

// TestPEM: others read the key as PEM, and check with it what we have signed.
func TestPEM(t *testing.T) {
	text, err := public(t, key(t)).PEM()
	if err != nil {
		t.Fatal(err)
	}
	block, rest := pem.Decode(text)
	if block == nil || block.Type != "PUBLIC KEY" || len(rest) > 0 {
		t.Fatalf("%s", text)
	}
	parsed, err := x509.ParsePKIXPublicKey(block.Bytes)
	seed := make([]byte, ed25519.SeedSize) // that of testKey
	for i := range seed {
		seed[i] = byte(i)
	}
	if err != nil || !ed25519.NewKeyFromSeed(seed).Public().(ed25519.PublicKey).Equal(parsed) {
		t.Errorf("%v, %v", parsed, err)
	}
}
