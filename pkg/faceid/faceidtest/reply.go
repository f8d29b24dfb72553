package faceidtest

import (
	"encoding/json"
	"slices"
	"time"
)

// The person in the replies of sync. Nobody has this name and number; they are there so that a test can look for them
// where personal fields must not be.
const (
	Name = "测试甲某"
	IDNo = "000000190001010000"
)

// reply answers a well-signed query. The lock is held.
func (s *Server) reply(route Route, q request, now time.Time) answer {
	p := s.plan(q, now)
	if p.instead != nil {
		p.instead.manner = p.manner
		return *p.instead
	}
	var top object
	switch {
	case p.form == bare:
		top = s.errorReply(p.code)
	case route == Sync:
		top = s.syncReply(p)
	default:
		top = s.faceRecordReply(p)
	}
	a := answerOf(p.code, p.shape(top), p.spaced)
	a.manner = p.manner
	return a
}

// syncReply is the document's example (PROTOCOL section 4).
func (s *Server) syncReply(p plan) object {
	seq, stamp := s.nextSeq(), s.stamp()
	result := object{{"bizSeqNo", seq}, {"transactionTime", stamp}, {"orderNo", p.about}, {"idNo", IDNo}, {"idType", "01"}, {"name", Name}}
	if p.wantVideo {
		result = append(result, member{"video", p.media(p.video)})
	}
	if p.wantPhoto {
		result = append(result, member{"photo", p.media(p.photo)})
	}
	result = append(result, member{"liveRate", "100"}, member{"similarity", "95.0"},
		member{"occurredTime", beijing(p.ended)}, member{"success", false})
	return object{{"code", p.code}, {"msg", message(p.code)}, {"bizSeqNo", seq}, {"result", result},
		{"transactionTime", stamp}, {"app_id", p.app}, {"order_no", p.about}}
}

// faceRecordReply is as recorded: no name, no ID number, camel case (PROTOCOL section 4).
func (s *Server) faceRecordReply(p plan) object {
	seq := s.nextSeq()
	photo, video := p.notYet, p.notYet
	if p.wantPhoto {
		photo = p.media(p.photo)
	}
	if p.wantVideo {
		video = p.media(p.video)
	}
	result := object{{"orderNo", p.about}, {"liveRate", "99"}, {"similarity", "88.01"},
		{"occurredTime", beijing(p.ended)}, {"appId", p.app}, {"photo", photo}, {"video", video},
		{"bizSeqNo", seq}, {"sdkVersion", "1.12.12"}, {"trtcFlag", "Y"}}
	return object{{"code", p.code}, {"msg", message(p.code)}, {"bizSeqNo", seq}, {"result", result},
		{"transactionTime", s.stamp()}}
}

// media is what stands in the reply for a medium that was asked for.
func (p plan) media(m Medium) any {
	if m.Empty() {
		return p.notYet
	}
	return p.encode.apply(m)
}

// shape gives the reply the form that the case wants.
func (p plan) shape(top object) object {
	if p.numbers {
		top.numeric("code")
	}
	result, ok := top.get("result").(object)
	if !ok {
		return top
	}
	switch p.form {
	case nullResult:
		top.set("result", nil)
		return top
	case emptyResult:
		top.set("result", object{})
		return top
	}
	if p.numbers {
		result.numeric("liveRate", "similarity")
	}
	if p.extra {
		result = slices.Insert(result, 1, unknownFields()...)
	}
	if p.videoFirst {
		result = result.first("video")
	}
	top.set("result", result)
	switch {
	case p.flat:
		return top.flatten()
	case p.videoFirst:
		return top.first("result")
	}
	return top
}

// unknownFields hold what a careless parser takes for the media.
func unknownFields() object {
	decoy := object{{"video", "bm90IHRoZSB2aWRlbw=="}, {"photo", "bm90IHRoZSBwaG90bw=="}, {"code", "400101"}, {"orderNo", "other"}}
	return object{{"willExt", decoy}, {"list", []any{json.Number("-1.5e3"), true, nil, "\"video\":\"", decoy, []any{}, object{}}}}
}
