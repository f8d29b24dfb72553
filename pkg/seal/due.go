package seal

import "time"

// Due is when the window that holds a time, or begins with it, is to be sealed by passes with KYC_SEAL_EVERY and KYC_SEAL_GRACE. With
// the end of a seal's window it is when the next seal is to be made.
func Due(at time.Time, every, grace time.Duration) time.Time {
	return windowFrom(at, every).End.Add(grace)
}
