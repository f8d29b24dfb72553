package faceid

import "github.com/kycvault/kycvault/pkg/kyc"

// ClassOf gives the class of a code of the service: the table of PROTOCOL section 5. A code that is not in the table is
// kyc.Pending: it is asked again, to a bound, and never taken for a verdict.
func ClassOf(code string) kyc.Class {
	switch code {
	case "0":
		return kyc.OK
	case "66660004":
		return kyc.Final // not the same person
	case "66660005", "66660010", "66660015", "66660016", "66660017", "66660018", "66660022", "66660023", "66660024",
		"66660025", "66660026", "66660033", "66660035", "66660036", "66660037", "66660038", "66660039", "66660040",
		"66660041", "66660042":
		return kyc.Final // nothing to compare with, or not comparable
	case "-5001", "-5005", "-5008", "-5009", "-5010", "-5011", "-5018", "-5020", "-5025", "-5027",
		"-1101", "-1102", "-1404", "-4014", "-4017", "-4018", "400604", "400503":
		return kyc.Final // face or video not usable
	case "400100", "400101", "400102", "400105", "15":
		return kyc.Ticket // bad request, bad signature, dead token or ticket: not told apart reliably
	case "400103", "400104", "400502", "66660001", "66660002", "66660030", "400601":
		return kyc.Config
	case "400501", "400504", "400506":
		return kyc.Busy
	case "66660021", "999997", "999998", "999999":
		return kyc.Transient
	default: // kyc.NoSuchResult among them
		return kyc.Pending
	}
}
