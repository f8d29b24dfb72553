package platform

import "strings"

// The forms of parts of a location. They are written out, not regular expressions: a function reads its settings at each cold
// start, and compiling the expressions took a tenth of that.

const (
	lower  = "abcdefghijklmnopqrstuvwxyz"
	upper  = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	digits = "0123456789"
)

// form tells whether a value has the form that is wanted.
type form func(value string) bool

// madeOf is a form: one or more of these characters.
func madeOf(chars string) form {
	return func(s string) bool { return s != "" && strings.Trim(s, chars) == "" }
}

// oneOf is a form: one of these words.
func oneOf(words ...string) form {
	return func(s string) bool {
		for _, w := range words {
			if s == w {
				return true
			}
		}
		return false
	}
}

// isVisible takes printable ASCII without blanks.
func isVisible(s string) bool { return s != "" && !strings.ContainsFunc(s, notGraphic) }

// isDays takes a time such as 1825d, of one to five digits that do not begin with 0.
func isDays(s string) bool {
	n, ok := strings.CutSuffix(s, "d")
	return ok && madeOf(digits)(n) && n[0] != '0' && len(n) <= 5
}

// isStorageClass takes a name such as STANDARD_IA.
func isStorageClass(s string) bool {
	return madeOf(upper+digits+"_")(s) && strings.IndexByte(upper, s[0]) >= 0
}

// isS3Bucket: "Bucket naming rules", as far as every store keeps to them.
func isS3Bucket(s string) bool {
	edge := madeOf(lower + digits)
	return len(s) >= 3 && len(s) <= 63 && madeOf(lower+digits+".-")(s) && edge(s[:1]) && edge(s[len(s)-1:])
}

// isCOSBucket takes name-appid.
func isCOSBucket(s string) bool {
	dash := strings.LastIndexByte(s, '-')
	return dash > 0 && madeOf(lower+digits+"-")(s[:dash]) && s[0] != '-' && madeOf(digits)(s[dash+1:])
}

// isPrefix takes names between single slashes; a name of dots alone would mean another place.
func isPrefix(s string) bool {
	for name := range strings.SplitSeq(s, "/") {
		if !madeOf(lower+upper+digits+"._-")(name) || name == "." || name == ".." {
			return false
		}
	}
	return true
}

// isNamespace takes a namespace of CloudWatch that is not Amazon's own ("MetricDatum", "PutMetricData").
func isNamespace(s string) bool {
	return len(s) <= 255 && madeOf(lower+upper+digits+"._/#-")(s) && !strings.HasPrefix(s, "AWS/")
}
