package faceidtest

import (
	"bytes"
	"time"
)

// faceCheck is what the service knows of one order.
type faceCheck struct {
	ended        time.Time
	hit          int    // queries that its case has changed so far
	photo, video Medium // what SetMedia gave, instead of the case's
	replaced     bool   // SetMedia was called
}

// plan is what one query is to be answered with. A case changes it.
type plan struct {
	order    string
	argument string // what the order number says about its case
	turn     int    // how many queries of the order the case has changed before
	times    int    // how many it changes in all
	slowFor  time.Duration
	ended    time.Time

	about, app           string // order number and app id that the reply names
	code                 string
	form                 form
	photo, video         Medium
	photoLate, videoLate bool
	wantPhoto, wantVideo bool
	notYet               any // what stands for a medium that is not there yet: "" or nil
	encode               encoding

	flat, numbers, videoFirst, spaced, extra bool

	manner  manner
	instead *answer // answer with this
}

// form is how much of a result a reply has.
type form int

const (
	whole form = iota
	bare       // none at all
	nullResult
	emptyResult
)

// EndCheck says when the check of an order ended (it may be in the future), and begins its case's counts anew.
func (s *Server) EndCheck(order string, at time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.faceCheck(order, at)
	c.ended, c.hit = at, 0
}

// SetMedia gives an order these bytes instead of its case's; nil or empty is none. The case's timing and form stay.
func (s *Server) SetMedia(order string, photo, video []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.faceCheck(order, s.now())
	c.photo, c.video, c.replaced = jpeg(bytes.Clone(photo)), mp4(bytes.Clone(video)), true
}

// MediaOf gives the media that an archive should end up with for an order number; an empty Medium is none.
func MediaOf(order string) (photo, video Medium) {
	c, argument, _ := table().match(order)
	p := newPlan(order, argument)
	if c.hits == always {
		c.behave(&p)
	}
	if c.Photo == "" {
		p.photo = Medium{}
	}
	if c.Video == "" {
		p.video = Medium{}
	}
	return p.photo, p.video
}

// faceCheck is the state of an order. One that was never heard of has just ended. The lock is held.
func (s *Server) faceCheck(order string, now time.Time) *faceCheck {
	c, ok := s.orders[order]
	if !ok {
		c = &faceCheck{ended: now}
		s.orders[order] = c
	}
	return c
}

func newPlan(order, argument string) plan {
	return plan{
		order: order, argument: argument, about: order, code: codeOK, notYet: "",
		photo: jpeg(photoJPEG), video: mp4(videoMP4),
	}
}

// plan decides what a query is answered with. The lock is held.
func (s *Server) plan(q request, now time.Time) plan {
	check := s.faceCheck(q.order, now)
	kind, argument, times := s.cases.match(q.order)
	p := newPlan(q.order, argument)
	p.app, p.ended, p.slowFor, p.times, p.turn = q.appID, check.ended, s.config.SlowFor, times, check.hit
	p.wantPhoto, p.wantVideo = q.want == "1" || q.want == "2", q.want == "1" || q.want == "3"
	if kind.hits == always {
		kind.behave(&p)
	}
	if check.replaced {
		p.photo, p.video = check.photo, check.video
	}
	p.wait(now.Sub(check.ended), s.config)
	if kind.hits.counts(p) && check.hit < times {
		check.hit++
		kind.behave(&p)
	}
	return p
}

// wait takes away what cannot be had yet, or no more, so long after the check's end.
func (p *plan) wait(since time.Duration, c Config) {
	if since < c.resultAfter() || since > retention {
		p.code, p.form = codeNoResult, bare
	}
	if since < lateness(c, p.photoLate) || p.form != whole {
		p.photo = Medium{}
	}
	if since < lateness(c, p.videoLate) || p.form != whole {
		p.video = Medium{}
	}
}

func lateness(c Config, late bool) time.Duration {
	if late {
		return c.MediaAfter + c.Late
	}
	return c.MediaAfter
}

// counts tells whether a case with such hits changes this plan.
func (h hits) counts(p plan) bool {
	switch h {
	case anyQuery:
		return true
	case resultQueries:
		return p.form == whole
	case mediaQueries:
		return p.wantPhoto && !p.photo.Empty() || p.wantVideo && !p.video.Empty()
	default:
		return false
	}
}
