package costest

import "encoding/xml"

// Versioning is a bucket's state (COS "GET Bucket versioning").
type Versioning string

// The states; "" is never enabled. Once enabled, versioning can only be suspended.
const (
	Enabled   Versioning = "Enabled"
	Suspended Versioning = "Suspended"
)

// SetVersioning switches versioning on, or suspends it. Older versions are not kept: it is the void x-cos-forbid-overwrite
// that tests are after.
func (s *Server) SetVersioning(v Versioning) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.state, s.ever = v, true
}

type versioningXML struct {
	XMLName xml.Name   `xml:"VersioningConfiguration"`
	Status  Versioning `xml:"Status,omitempty"`
}

func (s *Server) versioning() answer {
	s.mu.Lock()
	defer s.mu.Unlock()
	return answerXML(versioningXML{Status: s.state})
}
