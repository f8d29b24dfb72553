package kyc

import (
	"io"
	"log/slog"
	"math"
	"time"

	"github.com/kycvault/kycvault/pkg/archive"
)

// Settings are the rules a team can choose (DESIGN section 6), and who is writing.
type Settings struct {
	AppID        string
	Source       string // the upstream's host, for the manifest
	Writer       string // program and version, for the manifest
	Media        Media  // what makes an order whole
	KeepIdentity bool   // keep name and idNo in the result file
	Encrypt      Encrypter
	StepDelay    time.Duration
	Steps        int
	RefetchEvery time.Duration
	Deadline     time.Duration
}

// Encrypter encrypts evidence to keys that no function holds; pkg/agekey is the real one. Nil stores it as it is.
type Encrypter interface {
	// Encrypt gives a writer whose bytes go to w as a file of age. Close ends the file. A note, nil for none, stays readable.
	Encrypt(w io.Writer, note []byte) (io.WriteCloser, error)
}

// The times that are not a team's to choose (DESIGN section 3).
const (
	quietAfter   = 30 * time.Minute // of age: from then on an order that the service does not know is quiet
	verdictGrace = time.Hour        // after a final verdict was first stored, what media there are make the manifest
	maxRetryGap  = time.Hour        // the longest wait of an order that is not quiet
	hintGap      = time.Minute      // a completion of a pending order gets at most one new hint in this time
	atRiskAge    = 48 * time.Hour   // the service forgets after 72
	maxClockSkew = 5 * time.Minute  // clocks further apart than this close no order
)

// since is how long at lies back. One that lies further ahead than clocks differ is from a clock that was set back afterwards:
// it lies back for ever, so that nothing waits for that time to come again.
func since(now, at time.Time) time.Duration {
	if d := now.Sub(at); d >= -maxClockSkew {
		return d
	}
	return math.MaxInt64
}

// Core is what Intake, Puller and Refetcher share.
type Core struct {
	Archive  *archive.Archive
	Delayer  Delayer
	Settings Settings
	Now      func() time.Time // this machine's clock
	Rand     io.Reader
	Log      *slog.Logger
}
