package faceid

import (
	"bytes"
	"crypto/rand"
	"errors"
	"io"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// The vectors of PROTOCOL section 2, from the service's own documents.
func TestSign(t *testing.T) {
	for _, c := range []struct {
		source, values, want string
	}{
		{"doc 1007/73391", "IDAXXXXX orderNo596551 1.0.0 kHoSxvLZGxSoFsjxlbzEoUzh5PAnTU7T XO99Qfxlti9iTVgHAjwvJdAZKN3nMuUhrsPdPlPVKlcyS50N6tlLnfuFBPIucaMS", "6CD5F0DBCFA1155E2A66754B33C2E67DD358393B"},
		{"doc 1007/35920", "appId001 aabc1457895464 1.0.0 kHoSxvLZGxSoFsjxlbzEoUzh5PAnTU7T FxlAe3HFtEy73Um0pJNzIUriwtfnS3KRcPXiesd5ulS4XRAIcT0FbfaP52dwZf5S", "993D057C652D97FD90D5D298F2E5DC4B8D893CBC"},
		{"doc 655/32412, a value twice", "appId001 19959248596551 testName 4300000000000 19959248596551 1.0.0 duSz9ptwyW1Xn7r6gYItxz3feMdJ8Na5x7JZuoxurE7RcI5TdwCE4KT2eEeNNDoe", "11670F8BD6181CF71FB4656534253A0627D835CF"},
	} {
		t.Run(c.source, func(t *testing.T) {
			values := strings.Fields(c.values)
			if got := Sign(values...); got != c.want {
				t.Errorf("Sign = %s, want %s", got, c.want)
			}
			before := slices.Clone(values)
			slices.Reverse(values)
			if got := Sign(values...); got != c.want {
				t.Errorf("Sign of the values in reverse = %s, want %s", got, c.want)
			}
			slices.Reverse(values)
			if !slices.Equal(values, before) {
				t.Error("Sign changed the caller's values")
			}
		})
	}
}

func TestNonce(t *testing.T) {
	shape := regexp.MustCompile(`^[0-9A-Za-z]{32}$`)
	seen := map[string]bool{}
	for range 100 {
		n, err := Nonce(rand.Reader)
		if err != nil || !shape.MatchString(n) {
			t.Fatalf("Nonce = %q, %v; want 32 letters and digits", n, err)
		}
		seen[n] = true
	}
	if len(seen) != 100 {
		t.Errorf("100 nonces, %d different", len(seen))
	}
	if _, err := Nonce(bytes.NewReader(make([]byte, 19))); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("Nonce of too little randomness: %v", err)
	}
}
