package platform

import (
	"fmt"

	"github.com/kycvault/kycvault/pkg/bucket"
)

// Opener opens the archives of one scheme. P is what a driver may want to know of the function that it runs in. It reaches
// nothing over the network, and its errors are those of "open archive".
type Opener[P any] func(a Archive, place P) (bucket.Bucket, error)

// Openers are the schemes that a function is linked with. Another cloud's driver makes the binary larger, so a build tag adds it.
type Openers[P any] map[string]Opener[P]

// Open opens what KYC_ARCHIVE names; keys are without its prefix.
func (o Openers[P]) Open(a Archive, place P) (bucket.Bucket, error) {
	open := o[a.Scheme]
	if open == nil {
		return nil, fmt.Errorf("open archive: %s", Unlinked(a.Scheme))
	}
	b, err := open(a, place)
	if err != nil {
		return nil, err
	}
	return bucket.Prefixed(b, a.Prefix)
}

// Unlinked says that a scheme is none of a function's Openers.
func Unlinked(scheme string) string {
	return fmt.Sprintf("this function was built without the driver for %s://", scheme)
}
