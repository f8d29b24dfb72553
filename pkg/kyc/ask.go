package kyc

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/kycvault/kycvault/pkg/archive"
	"github.com/kycvault/kycvault/pkg/bucket"
	"github.com/kycvault/kycvault/pkg/media"
)

// ErrBackoff says that a step asked nothing, since everyone backs off; the log line that began it has class and code.
var ErrBackoff = errors.New("not asked: the upstream refuses everyone just now, and one try at a time probes")

// ask puts the step's questions to the upstream and stores what comes: first for the result, then for the media that are
// missing. It asks nothing while everyone backs off.
func (s *step) ask(ctx context.Context) error {
	if err := s.readNote(ctx); err != nil {
		return err
	}
	s.odd = slices.Clone(s.msg.Odd)
	for _, d := range s.note.Odd {
		s.addOdd(d)
	}
	pass, err := s.Gate.Enter(ctx, s.msg.Order)
	if err != nil {
		return err
	}
	if !pass.Open() {
		s.report.Err = ErrBackoff
		return nil
	}
	if err := s.askAll(ctx); err != nil {
		return err
	}
	return s.Gate.Leave(ctx, pass, s.msg.Order, s.report.Class, s.report.Code)
}

func (s *step) askAll(ctx context.Context) error {
	var reply Reply
	var err error
	if !s.v.hasResult() {
		if reply, err = s.query(ctx, 0); err != nil || !s.goodFor(reply) {
			return err
		}
	} else if err := s.readVerdict(ctx); err != nil {
		return err
	}
	if missing := s.v.lacking(s.Settings.Media); missing != 0 {
		if reply, err = s.query(ctx, missing); err != nil || !s.goodFor(reply) {
			return err
		}
	}
	// Every medium came, and yet no reply was a full verdict (an unknown code, or code 0 without a result): there is no
	// better one to wait for.
	if s.v.lacking(s.Settings.Media) == 0 && !s.v.hasResult() {
		return s.keepResult(ctx, reply)
	}
	return nil
}

// goodFor tells whether a reply is about a check that took place: then there may be media, and the code is a verdict.
func (s *step) goodFor(r Reply) bool {
	switch r.Class {
	case OK, Final:
		return true
	case Pending:
		return r.Code != NoSuchResult
	}
	return false
}

// readVerdict learns from the stored result whether the verdict was final.
func (s *step) readVerdict(ctx context.Context) error {
	verdict, err := s.verdict(ctx, s.v)
	s.final = err == nil && verdict.Code != "0"
	return err
}

// query asks once and stores what the whole reply brought. A failed call is no error of the step: it is noted in the
// report. The returned reply has no class then.
func (s *step) query(ctx context.Context, want Media) (Reply, error) {
	in := incoming{encrypt: s.Settings.Encrypt}
	defer in.close()
	reply, err := s.Upstream.Query(ctx, s.msg.Order, want, in.sink(s.Settings.Media))
	if err != nil {
		return Reply{}, s.failed(ctx, err, in.broken)
	}
	s.report.Code, s.report.Class, s.report.Err, s.date = reply.Code, reply.Class, nil, reply.Date
	s.hear()
	full := reply.Class == Final || reply.Class == OK && len(reply.Result) > 0
	if full && s.isNews(reply) {
		if err := s.keepResult(ctx, reply); err != nil {
			return Reply{}, err
		}
	}
	before := slices.Clone(s.odd)
	for _, m := range in.media {
		if err := s.keepMedium(ctx, m, before); err != nil {
			return Reply{}, err
		}
	}
	return reply, nil
}

// failed notes why a call gave no reply. Only trouble on our side (a cancelled step, no room to spool) is an error.
func (s *step) failed(ctx context.Context, err, broken error) error {
	if broken != nil {
		return fmt.Errorf("spool a reply about order %s: %w", s.msg.Order, broken)
	}
	if ctx.Err() != nil {
		return fmt.Errorf("ask about order %s: %w", s.msg.Order, context.Cause(ctx))
	}
	s.report.Err, s.report.Class, s.report.Code = err, ClassOf(err), ""
	if ue, ok := errors.AsType[*UpstreamError](err); ok {
		s.report.Code = ue.Code
	}
	s.hear()
	return nil
}

// isNews tells whether a verdict is the first one, or contradicts the one that is stored: then both are kept.
func (s *step) isNews(r Reply) bool {
	if !s.v.hasResult() {
		return true
	}
	if s.v.result == nil || s.v.result.Code == "" || s.v.result.Code == r.Code {
		return false
	}
	s.report.Err = fmt.Errorf("%w: %s, and now %s", ErrVerdicts, s.v.result.Code, r.Code)
	return true
}

// ErrVerdicts says that the service gave two different verdicts on one check: both are kept as evidence, the manifest repeats the first.
var ErrVerdicts = errors.New("the service contradicts its own verdict")

// keepResult stores a verdict as evidence.
func (s *step) keepResult(ctx context.Context, r Reply) error {
	data, err := s.Settings.encodeResult(s.msg.Order, r)
	if err != nil {
		return err
	}
	verdict := archive.Verdict{Code: r.Code, Occurred: r.Occurred}
	e, err := s.storeResult(ctx, data, verdict)
	if err != nil {
		return err
	}
	s.v.stored(e)
	if s.v.result == nil {
		s.final = r.Class == Final
		s.v.result = &verdict
	}
	return nil
}

func (s *step) storeResult(ctx context.Context, data []byte, verdict archive.Verdict) (archive.Evidence, error) {
	if s.Settings.Encrypt == nil {
		return s.Archive.KeepEvidence(ctx, s.msg.Order, archive.Result, resultExt, bucket.Bytes(data, "application/json"))
	}
	note, err := encodeVerdict(verdict)
	if err != nil {
		return archive.Evidence{}, err
	}
	plain, sealed, err := sealBytes(data, note, s.Settings.Encrypt)
	if err != nil {
		return archive.Evidence{}, fmt.Errorf("encrypt result of order %s: %w", s.msg.Order, err)
	}
	defer func() { _ = sealed.Close() }()
	return s.Archive.KeepEncrypted(ctx, s.msg.Order, archive.Result, resultExt, plain, sealed.Content("", true))
}

// keepMedium looks at the bytes of a medium and stores them. An odd one counts as there if an earlier reply of this chain
// brought the same bytes (DESIGN section 4); before are those.
func (s *step) keepMedium(ctx context.Context, m medium, before []string) error {
	if m.empty() {
		return nil
	}
	e, seen, err := s.storeMedium(ctx, m)
	if err != nil {
		return err
	}
	s.report.Bytes += e.Plain
	s.v.stored(e)
	s.v.looks[e.File()] = mediaLook{mediaType: seen.MediaType, flag: seen.Flag}
	if e.Odd() {
		if slices.Contains(before, e.Digest) {
			s.v.confirmed = append(s.v.confirmed, e.Digest)
		}
		s.addOdd(e.Digest)
	}
	return nil
}

func (s *step) storeMedium(ctx context.Context, m medium) (archive.Evidence, media.Look, error) {
	if m.sealed == nil {
		seen, err := media.Inspect(m.kind, m.spool, m.spool.Size())
		if err != nil {
			return archive.Evidence{}, seen, fmt.Errorf("look at %s of order %s: %w", m.kind, s.msg.Order, err)
		}
		e, err := s.Archive.KeepEvidence(ctx, s.msg.Order, m.kind, seen.Ext, m.spool.Content(seen.MediaType, true))
		return e, seen, err
	}
	plain, seen, err := m.sealed.end()
	if err != nil {
		return archive.Evidence{}, seen, fmt.Errorf("encrypt %s of order %s: %w", m.kind, s.msg.Order, err)
	}
	e, err := s.Archive.KeepEncrypted(ctx, s.msg.Order, m.kind, seen.Ext, plain, m.spool.Content("", true))
	return e, seen, err
}

func (s *step) addOdd(digest string) {
	if !slices.Contains(s.odd, digest) {
		s.odd = append(s.odd, digest)
	}
}
