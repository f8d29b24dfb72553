package kyc

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/kycvault/kycvault/pkg/archive"
	"github.com/kycvault/kycvault/pkg/media"
	"github.com/kycvault/kycvault/pkg/spool"
)

// hasResult tells whether a verdict is listed, or named by the highest manifest.
func (v *view) hasResult() bool {
	if slices.ContainsFunc(v.listed, func(e archive.Evidence) bool { return e.Kind == archive.Result }) {
		return true
	}
	last := highest(v.manifests)
	return last != nil && slices.ContainsFunc(last.Files, func(f archive.File) bool { return f.Kind == archive.Result })
}

// union makes the next manifest: what the last one names, and what v holds (rule 4).
func (p *Puller) union(ctx context.Context, v *view, last *archive.Stored) (archive.Manifest, error) {
	m := archive.Manifest{Order: v.order, AppID: p.Settings.AppID, Source: p.Settings.Source, Writer: p.Settings.Writer}
	if last != nil {
		m.Files = slices.Clone(last.Files)
		m.AppID, m.Source = cmp.Or(m.AppID, last.AppID), cmp.Or(m.Source, last.Source)
	}
	for _, e := range v.listed {
		if m.Names(e.File()) {
			continue
		}
		f, err := p.file(ctx, v, e)
		if err != nil {
			return archive.Manifest{}, err
		}
		m.Files = append(m.Files, f)
	}
	archive.SortFiles(m.Files)
	m.Missing, m.State = v.lacking(p.Settings.Media).Names(), archive.Archived
	if len(m.Missing) > 0 {
		m.State = archive.Partial
	}
	var err error
	m.Result, err = p.verdict(ctx, v)
	return m, err
}

// verdict gives what the manifest repeats of the result: this step's, the last manifest's, or a stored file's.
func (p *Puller) verdict(ctx context.Context, v *view) (archive.Verdict, error) {
	if v.result != nil {
		return *v.result, nil
	}
	if last := highest(v.manifests); last != nil && last.Result.Code != "" {
		v.result = &last.Result
		return last.Result, nil
	}
	for _, e := range v.listed {
		if e.Kind != archive.Result {
			continue
		}
		verdict, err := p.storedVerdict(ctx, v.order, e)
		if err != nil {
			return archive.Verdict{}, fmt.Errorf("order %s: %w", v.order, err)
		}
		v.result = &verdict
		return verdict, nil
	}
	return archive.Verdict{}, nil
}

// storedVerdict reads the verdict out of a result file; of an encrypted one, the note that stands before the ciphertext.
func (p *Puller) storedVerdict(ctx context.Context, o archive.Order, e archive.Evidence) (archive.Verdict, error) {
	if e.Encrypted() {
		note, err := p.Archive.ReadOpenNote(ctx, o, e.File())
		if err != nil {
			return archive.Verdict{}, err
		}
		return parseVerdictNote(note)
	}
	data, err := p.Archive.ReadSmall(ctx, o, e.File())
	if err != nil {
		return archive.Verdict{}, err
	}
	return parseVerdict(data)
}

// mediaTypes are the types of evidence whose name says that it looks right.
var mediaTypes = map[string]string{"jpg": "image/jpeg", "png": "image/png", "mp4": "video/mp4", "json": "application/json"}

// file describes evidence for a manifest. What another step stored is read again: a manifest vouches for every byte it
// names. Odd bytes are looked at again too, so that every writer flags them alike.
//
// Of an encrypted file that another step stored, it vouches for the stored bytes, and repeats what their creator said of
// the plain ones: the digest in the name, and that an extension .bin means odd.
func (p *Puller) file(ctx context.Context, v *view, e archive.Evidence) (archive.File, error) {
	if own, ok := v.own[e.File()]; ok {
		e = own
	} else {
		var err error
		if e, err = p.Archive.Check(ctx, v.order, e); err != nil {
			return archive.File{}, err
		}
	}
	seen, err := p.mediaLook(ctx, v, e)
	if err != nil {
		return archive.File{}, err
	}
	return archive.File{
		Name: e.File(), Kind: e.Kind, MediaType: seen.mediaType, Size: e.Plain, SHA256: e.Digest, Flag: seen.flag, Stored: e.StoredAs(),
	}, nil
}

// flagUnseen is the flag of an odd file whose bytes nobody can look at again.
const flagUnseen = "looked odd when it was stored"

// mediaLook gives type and flag of evidence: a name tells, but for what is odd, which is looked at again where that can be.
func (p *Puller) mediaLook(ctx context.Context, v *view, e archive.Evidence) (mediaLook, error) {
	seen, known := v.looks[e.File()]
	switch {
	case !e.Odd():
		return mediaLook{mediaType: mediaTypes[e.PlainExt()]}, nil
	case known:
		return seen, nil
	case e.Encrypted():
		return mediaLook{mediaType: "application/octet-stream", flag: flagUnseen}, nil
	}
	seen, err := p.lookAgain(ctx, v.order, e)
	if err == nil {
		v.looks[e.File()] = seen
	}
	return seen, err
}

func (p *Puller) lookAgain(ctx context.Context, o archive.Order, e archive.Evidence) (_ mediaLook, err error) {
	r, _, err := p.Archive.OpenEvidence(ctx, o, e.File())
	if err != nil {
		return mediaLook{}, fmt.Errorf("look at %s of order %s: %w", e.File(), o, err)
	}
	sp := spool.New(spool.Options{})
	defer func() { err = errors.Join(err, r.Close(), sp.Close()) }()
	if _, err := io.Copy(sp, r); err != nil {
		return mediaLook{}, fmt.Errorf("read %s of order %s: %w", e.File(), o, err)
	}
	seen, err := media.Inspect(e.Kind, sp, sp.Size())
	return mediaLook{mediaType: seen.MediaType, flag: seen.Flag}, err
}
