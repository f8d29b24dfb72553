//go:build !cos

package aws

import "github.com/kycvault/kycvault/pkg/platform"

// otherOpeners are the other clouds' drivers: none, unless a build tag says so.
func otherOpeners() platform.Openers[place] { return platform.Openers[place]{} }
