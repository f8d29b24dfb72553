package kyc_test

import (
	"bytes"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/kycvault/kycvault/pkg/agekey"
)

// keys are a pair that the tests of this package encrypt to.
type keys struct {
	to   agekey.Recipients
	open agekey.Identities
}

// theKeys makes the pair once.
var theKeys = sync.OnceValue(func() keys {
	pair, err := agekey.NewPair(time.Now())
	if err != nil {
		panic(err)
	}
	to, err := agekey.ParseRecipients(pair.Public)
	if err != nil {
		panic(err)
	}
	open, err := agekey.ParseIdentities(pair.File)
	if err != nil {
		panic(err)
	}
	return keys{to, open}
})

// voice is real encryption as a replayed exploration needs it: no two processes encrypt the same bytes alike, and each one
// does it as in the run before.
type voice struct{ process uint64 }

// said is what the voices have encrypted.
var said sync.Map

// Encrypt implements kyc.Encrypter.
func (v voice) Encrypt(w io.Writer, note []byte) (io.WriteCloser, error) {
	return &speech{v: v, w: w, note: note}, nil
}

type speech struct {
	v     voice
	w     io.Writer
	note  []byte
	plain bytes.Buffer
}

func (s *speech) Write(p []byte) (int, error) { return s.plain.Write(p) }

func (s *speech) Close() error {
	key := fmt.Sprintf("%d %t %q %q", s.v.process, s.note == nil, s.note, s.plain.Bytes())
	file, ok := said.Load(key)
	if !ok {
		var b bytes.Buffer
		enc, err := theKeys().to.Encrypt(&b, s.note)
		if err != nil {
			return err
		}
		if _, err := enc.Write(s.plain.Bytes()); err != nil {
			return err
		}
		if err := enc.Close(); err != nil {
			return err
		}
		file, _ = said.LoadOrStore(key, b.Bytes())
	}
	_, err := s.w.Write(file.([]byte))
	return err
}

// encrypted is a new world whose processes encrypt.
func encrypted() *world {
	w := newWorld()
	w.encrypted = true
	return w
}
