package kyc

import (
	"io"

	"github.com/kycvault/kycvault/pkg/archive"
	"github.com/kycvault/kycvault/pkg/spool"
)

// incoming are the media of a reply while it is being read. They become evidence only when the whole reply was good.
type incoming struct {
	encrypt Encrypter
	media   []medium
	broken  error // why a spool could not take its bytes: trouble here, not with the upstream
}

// medium is one medium of a reply, spooled to disk beyond a size.
type medium struct {
	kind   archive.Kind
	spool  *spool.Spool // of plain bytes, or of ciphertext
	sealed *sealing     // nil: the bytes are stored as they are
}

// empty tells whether no byte came: of ciphertext there is some even then.
func (m medium) empty() bool {
	if m.sealed != nil {
		return m.sealed.size == 0
	}
	return m.spool.Size() == 0
}

// sink spools each medium that is wanted at all; others are read past.
func (in *incoming) sink(want Media) Sink {
	return func(kind archive.Kind) (io.Writer, error) {
		if mediumOf(kind)&want == 0 {
			return io.Discard, nil
		}
		m := medium{kind: kind, spool: spool.New(spool.Options{})}
		if in.encrypt == nil {
			in.media = append(in.media, m)
			return noting{w: m.spool, broken: &in.broken}, nil
		}
		sealed, err := seal(kind, m.spool, in.encrypt)
		if err != nil {
			in.broken = err
			return nil, err
		}
		m.sealed = sealed
		in.media = append(in.media, m)
		return noting{w: sealed, broken: &in.broken}, nil
	}
}

func (in *incoming) close() {
	for _, m := range in.media {
		_ = m.spool.Close()
		if m.sealed != nil {
			m.sealed.watcher.Close()
		}
	}
}

// noting remembers a failed write, so that it can be told from trouble with the upstream.
type noting struct {
	w      io.Writer
	broken *error
}

func (n noting) Write(p []byte) (int, error) {
	written, err := n.w.Write(p)
	if err != nil {
		*n.broken = err
	}
	return written, err
}
