//go:build !s3

package tencent

// otherOpeners are the other clouds' drivers: none, unless a build tag says so.
func otherOpeners() map[string]opener { return map[string]opener{} }
