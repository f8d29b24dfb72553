package s3bucket

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
)

// TestForeignKeys: what others put there under keys that are none does not show, and does not stop a listing.
func TestForeignKeys(t *testing.T) {
	stored := []string{"a/", "a/%41", "a/.hidden", "a/1", "a/b c", "a/z"}
	s := &script{steps: []http.HandlerFunc{func(w http.ResponseWriter, r *http.Request) {
		var page strings.Builder // one object a page, after the last one
		for _, key := range stored {
			if key > r.URL.Query().Get("start-after") && page.Len() == 0 {
				fmt.Fprintf(&page, "<Contents><Key>%s</Key><Size>1</Size><LastModified>2026-11-23T09:00:00Z</LastModified></Contents><IsTruncated>%v</IsTruncated>",
					key, key != stored[len(stored)-1])
			}
		}
		_, _ = fmt.Fprintf(w, "<ListBucketResult>%s</ListBucketResult>", &page)
	}}}
	inBubble(t, s.ServeHTTP, func(t *testing.T, c Config) {
		if got := keys(t, open(t, c)); !slices.Equal(got, []string{"a/1", "a/z"}) {
			t.Errorf("listed %q", got)
		}
	})
	if s.count() != len(stored) {
		t.Errorf("%d pages", s.count())
	}
}
