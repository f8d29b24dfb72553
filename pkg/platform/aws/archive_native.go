//go:build !cos

package aws

// otherOpeners are the other clouds' drivers: none, unless a build tag says so.
func otherOpeners() map[string]opener { return map[string]opener{} }
