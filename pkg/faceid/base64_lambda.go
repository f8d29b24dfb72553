//go:build lambda.norpc

package faceid

import "encoding/base64"

// decodeQuanta is the same for AWS Lambda, whose functions are built with this tag: they run on arm64, where base64x is
// encoding/base64 anyway, and it would take a sixth of the cold start on amd64 to load.
func decodeQuanta(dst, src []byte) bool {
	n, err := base64.StdEncoding.Decode(dst, src)
	return err == nil && n == len(dst)
}
