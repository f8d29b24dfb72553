package kyc_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kycvault/kycvault/pkg/kyc"
)

func TestParseMedia(t *testing.T) {
	for s, want := range map[string]kyc.Media{
		"photo": kyc.Photo, "video": kyc.Video, "photo,video": kyc.Photo | kyc.Video, "video, photo": kyc.Photo | kyc.Video,
		" photo ": kyc.Photo, "photo,photo": kyc.Photo,
	} {
		if got, err := kyc.ParseMedia(s); err != nil || got != want {
			t.Errorf("%q: %v, %v; want %v", s, got, err, want)
		}
	}
	for _, s := range []string{"", " ", ",", "photo,", ",video", "result", "photo;video", "Photo", "photo video", "both", "1", "photo,result"} {
		if got, err := kyc.ParseMedia(s); err == nil || got != 0 {
			t.Errorf("%q is %v", s, got)
		}
	}
}

// TestMediaNames: what a manifest's "missing" holds; of nothing it is an empty list and not null.
func TestMediaNames(t *testing.T) {
	for m, want := range map[kyc.Media][]string{
		0: {}, kyc.Photo: {"photo"}, kyc.Video: {"video"}, kyc.Photo | kyc.Video: {"photo", "video"},
	} {
		if diff := cmp.Diff(want, m.Names()); diff != "" {
			t.Errorf("%d: %s", m, diff)
		}
	}
}
