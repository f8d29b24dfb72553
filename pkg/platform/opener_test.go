package platform

import (
	"errors"
	"testing"
	"time"

	"github.com/kycvault/kycvault/pkg/bucket"
	"github.com/kycvault/kycvault/pkg/bucket/membucket"
)

// TestOpeners: a linked driver gets location and place, and its bucket the archive's prefix; one that is not linked is told of.
func TestOpeners(t *testing.T) {
	store, broken := membucket.New(time.Now), errors.New("no region")
	linked := Openers[string]{
		SchemeS3: func(a Archive, place string) (bucket.Bucket, error) {
			if a.Bucket != "vault" || place != "here" {
				t.Errorf("opened %s at %q", a, place)
			}
			return store, nil
		},
		SchemeCOS: func(Archive, string) (bucket.Bucket, error) { return (*membucket.Bucket)(nil), broken },
	}
	b, err := linked.Open(Archive{Scheme: SchemeS3, Bucket: "vault", Prefix: "kyc"}, "here")
	if err != nil {
		t.Fatal(err)
	}
	if err := b.Put(t.Context(), "key", bucket.Bytes(nil, "")); err != nil || len(store.Objects()) != 1 {
		t.Fatal(err)
	}
	if _, _, err := store.Get(t.Context(), "kyc/key"); err != nil {
		t.Errorf("below the prefix: %v", err)
	}
	if b, err := linked.Open(Archive{Scheme: SchemeCOS}, "here"); !errors.Is(err, broken) || b != nil {
		t.Errorf("a driver that refuses: %v, %v", b, err)
	}
	if _, err := linked.Open(Archive{Scheme: SchemeFile}, "here"); err == nil || err.Error() != "open archive: "+Unlinked(SchemeFile) {
		t.Errorf("a driver that is not linked: %v", err)
	}
}
