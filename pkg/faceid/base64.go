//go:build !lambda.norpc

package faceid

import "github.com/cloudwego/base64x"

// decodeQuanta decodes whole quanta of the alphabet's 64 characters alone into dst, which is three bytes long for four of
// src. It is false, and dst worthless, if there is any other character.
//
// base64x is the fast decoder on amd64 (elsewhere it is encoding/base64). It skips line breaks, and lets some padding pass
// that encoding/base64 refuses; both make the outcome shorter, so a full one is proof of a clean source. This is its only
// use, and all that there is to change for another decoder.
func decodeQuanta(dst, src []byte) bool {
	n, err := base64x.StdEncoding.Decode(dst, src)
	return err == nil && n == len(dst)
}
