package cosbucket

import "strings"

// The forms of names are written out, not regular expressions: compiling those took a tenth of a function's cold start.

const (
	lower  = "abcdefghijklmnopqrstuvwxyz"
	upper  = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	digits = "0123456789"
)

// madeOf tells whether s is one or more of these characters.
func madeOf(s, chars string) bool { return s != "" && strings.Trim(s, chars) == "" }

// isBucket takes name-appid.
func isBucket(s string) bool {
	dash := strings.LastIndexByte(s, '-')
	return dash > 0 && madeOf(s[:dash], lower+digits+"-") && s[0] != '-' && madeOf(s[dash+1:], digits)
}

// isRegion takes a name such as ap-guangzhou.
func isRegion(s string) bool { return madeOf(s, lower+digits+"-") }

// isOwnDomain tells whether a host is one of COS's own domains, which begin with the bucket's name.
func isOwnDomain(host string) bool {
	return strings.HasSuffix(host, ".myqcloud.com") || strings.HasSuffix(host, ".tencentcos.cn")
}
