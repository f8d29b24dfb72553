package kyc

import (
	"fmt"
	"strings"

	"github.com/kycvault/kycvault/pkg/archive"
)

// Media is a set of media of an order: what KYC_MEDIA names, or what a query asks for.
type Media uint8

// The media an order can have (get_file 2 and 3; both together are get_file 1. PROTOCOL section 1).
const (
	Photo Media = 1 << iota
	Video
)

// ParseMedia reads KYC_MEDIA: "photo,video", or one of them.
func ParseMedia(s string) (Media, error) {
	var m Media
	for part := range strings.SplitSeq(s, ",") {
		medium := mediumOf(archive.Kind(strings.TrimSpace(part)))
		if medium == 0 {
			return 0, fmt.Errorf("want photo,video or one of them")
		}
		m |= medium
	}
	return m, nil
}

// mediumOf gives the medium of a kind of file; 0 for a result.
func mediumOf(k archive.Kind) Media {
	switch k {
	case archive.Photo:
		return Photo
	case archive.Video:
		return Video
	}
	return 0
}

// Names lists the media in the set as a manifest's "missing" does.
func (m Media) Names() []string {
	names := []string{}
	if m&Photo != 0 {
		names = append(names, string(archive.Photo))
	}
	if m&Video != 0 {
		names = append(names, string(archive.Video))
	}
	return names
}
