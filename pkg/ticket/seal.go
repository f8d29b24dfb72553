package ticket

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"time"

	"github.com/kycvault/kycvault/pkg/secret"
)

// envelopeVersion is the fourth byte of every stored generation. Raise it when the cipher, the key, the associated data
// or the meaning of a field changes; a program skips generations of a version that it does not know, and makes a new one.
const envelopeVersion = 1

const (
	magic     = "kvt"
	headerLen = len(magic) + 1
	nonceLen  = 12
	tagLen    = 16
	keyInfo   = "kycvault ticket generation v1"
)

// errSealed says that bytes are not a generation that was sealed with this secret for this app id and number.
var errSealed = errors.New("not sealed here: damaged, or made with another secret, app id or number")

// sealer encrypts pairs: AES-256-GCM with a key from the app secret by HKDF-SHA-256. App id and generation are
// associated data, so that no generation can be passed off as another one.
type sealer struct {
	aead  cipher.AEAD
	appID string
	rand  io.Reader
}

func newSealer(appSecret secret.Text, appID string, rand io.Reader) (*sealer, error) {
	key, err := hkdf.Key(sha256.New, []byte(appSecret.Reveal()), nil, keyInfo, 32)
	if err != nil {
		return nil, fmt.Errorf("derive key: %w", err)
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, fmt.Errorf("make cipher: %w", err)
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		return nil, fmt.Errorf("make cipher: %w", err)
	}
	return &sealer{aead: aead, appID: appID, rand: rand}, nil
}

// contents is what is encrypted. Times are the store's.
type contents struct {
	Ticket      string    `json:"ticket"`
	AccessToken string    `json:"accessToken"`
	Requested   time.Time `json:"requested"`
	Expires     time.Time `json:"expires"`
}

// seal makes the stored bytes of p; twice the same p gives other bytes.
func (s *sealer) seal(p Pair) ([]byte, error) {
	plain, err := json.Marshal(contents{p.Ticket.Reveal(), p.AccessToken.Reveal(), p.Requested.UTC(), p.Expires.UTC()})
	if err != nil {
		return nil, fmt.Errorf("encode generation: %w", err)
	}
	e := envelope{nonce: make([]byte, nonceLen)}
	if _, err := io.ReadFull(s.rand, e.nonce); err != nil {
		return nil, fmt.Errorf("read random bytes: %w", err)
	}
	e.sealed = s.aead.Seal(nil, e.nonce, plain, s.associated(p.Generation))
	return e.bytes(), nil
}

// open gives back the pair that was sealed as generation n. Its errors never quote the bytes.
func (s *sealer) open(n int64, stored []byte) (Pair, error) {
	e, err := parseEnvelope(stored)
	if err != nil {
		return Pair{}, err
	}
	plain, err := s.aead.Open(nil, e.nonce, e.sealed, s.associated(n))
	if err != nil {
		return Pair{}, errSealed
	}
	var c contents
	if json.Unmarshal(plain, &c) != nil || c.Ticket == "" || c.AccessToken == "" || !c.Expires.After(c.Requested) {
		return Pair{}, errors.New("sealed contents are not a pair")
	}
	return Pair{
		Ticket: secret.New(c.Ticket), AccessToken: secret.New(c.AccessToken), Generation: n,
		Requested: c.Requested, Expires: c.Expires,
	}, nil
}

func (s *sealer) associated(n int64) []byte {
	return []byte(keyInfo + "\n" + s.appID + "\n" + strconv.FormatInt(n, 10))
}

// envelope is the stored form: "kvt", the version, the nonce, the sealed contents with their tag.
type envelope struct{ nonce, sealed []byte }

func (e envelope) bytes() []byte {
	return bytes.Join([][]byte{append([]byte(magic), envelopeVersion), e.nonce, e.sealed}, nil)
}

func parseEnvelope(b []byte) (envelope, error) {
	if len(b) < headerLen+nonceLen+tagLen || string(b[:len(magic)]) != magic {
		return envelope{}, errors.New("not a stored generation")
	}
	if v := b[len(magic)]; v != envelopeVersion {
		return envelope{}, fmt.Errorf("stored in version %d, which this program does not know", v)
	}
	return envelope{nonce: b[headerLen : headerLen+nonceLen], sealed: b[headerLen+nonceLen:]}, nil
}
