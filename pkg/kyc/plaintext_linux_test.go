package kyc_test

import (
	"bytes"
	"context"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/kycvault/kycvault/pkg/archive"
	"github.com/kycvault/kycvault/pkg/kyc"
)

// planted is what the large video below is full of.
var planted = []byte("PLANTED-FACE-BYTES-0123456789-")

// peeking brings a large video, and then looks into every spooled file of this process: they have no names.
type peeking struct {
	upstream
	folder       string
	files, found int
}

func (p *peeking) Query(ctx context.Context, o archive.Order, want kyc.Media, sink kyc.Sink) (kyc.Reply, error) {
	reply, err := p.upstream.Query(ctx, o, want, sink)
	links, _ := filepath.Glob("/proc/self/fd/*")
	for _, link := range links {
		if name, err := os.Readlink(link); err != nil || !strings.HasPrefix(name, p.folder+"/kycvault-") {
			continue
		}
		if f, err := os.Open(link); err == nil {
			data, _ := io.ReadAll(f)
			_ = f.Close()
			p.files++
			p.found += bytes.Count(data, planted)
		}
	}
	return reply, err
}

// TestNoPlainByteComesToRest: what is spooled to disk is ciphertext already. Without encryption the same look finds the bytes.
func TestNoPlainByteComesToRest(t *testing.T) {
	folder, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("TMPDIR", folder)
	video := tinyMP4(strings.Repeat(string(planted), 200_000))
	for _, hidden := range []bool{false, true} {
		w := newWorld()
		w.encrypted = hidden
		up := &peeking{upstream: upstream{script: []answer{{code: "0", class: kyc.OK, photo: tinyPNG(1), video: video}}}, folder: folder}
		m := w.open(t)
		core := w.core(w.mem)
		if hidden {
			core.Settings.Encrypt = theKeys().to // as it streams
		}
		p := &kyc.Puller{Core: core, Upstream: up, Gate: w.gate(w.mem, core)}
		if _, err := p.Step(t.Context(), m); err != nil {
			t.Fatal(err)
		}
		w.check(t)
		if up.files == 0 || (up.found == 0) != hidden {
			t.Errorf("encrypted %t: the planted bytes were found %d times in %d files", hidden, up.found, up.files)
		}
		for _, o := range w.mem.Objects() {
			r, _, err := w.mem.Get(t.Context(), o.Key)
			if err != nil {
				t.Fatal(err)
			}
			if data, _ := io.ReadAll(r); hidden && bytes.Contains(data, planted) {
				t.Errorf("%s holds plain bytes", o.Key)
			}
		}
	}
}
