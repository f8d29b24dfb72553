package kyc

import (
	"io"

	"github.com/kycvault/kycvault/pkg/archive"
	"github.com/kycvault/kycvault/pkg/spool"
)

// incoming are the media of a reply while it is being read. They become evidence only when the whole reply was good.
type incoming struct {
	media  []medium
	broken error // why a spool could not take its bytes: trouble here, not with the upstream
}

// medium is one medium of a reply, spooled to disk beyond a size.
type medium struct {
	kind  archive.Kind
	spool *spool.Spool
}

// sink spools each medium that is wanted at all; others are read past.
func (in *incoming) sink(want Media) Sink {
	return func(kind archive.Kind) (io.Writer, error) {
		if mediumOf(kind)&want == 0 {
			return io.Discard, nil
		}
		m := medium{kind: kind, spool: spool.New(spool.Options{})}
		in.media = append(in.media, m)
		return noting{w: m.spool, broken: &in.broken}, nil
	}
}

func (in *incoming) close() {
	for _, m := range in.media {
		_ = m.spool.Close()
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
