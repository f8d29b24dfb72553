package s3bucket

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/kycvault/kycvault/pkg/bucket"
)

// TestRetries: what passes is waited for, what does not pass is told at once; how often and how long is bounded.
func TestRetries(t *testing.T) {
	for name, test := range map[string]struct {
		fault http.HandlerFunc
		tries int // of a fault that does not pass
		most  time.Duration
	}{
		"500":               {says(500, "InternalError", ""), 5, 3 * time.Second},
		"502 of a gateway":  {says(502, "", ""), 5, 3 * time.Second},
		"503":               {says(503, "ServiceUnavailable", ""), 5, 3 * time.Second},
		"503 slow down":     {says(503, "SlowDown", ""), 5, 11 * time.Second},
		"429":               {says(429, "TooManyRequests", ""), 5, 11 * time.Second},
		"409 of a race":     {says(409, codeConflict, ""), 5, 3 * time.Second},
		"400 after a stall": {says(400, "RequestTimeout", ""), 5, 3 * time.Second},
		"reset":             {resets, 5, 3 * time.Second},
		"403":               {says(403, "AccessDenied", ""), 1, 0},
		"400":               {says(400, "InvalidArgument", ""), 1, 0},
		"404":               {says(404, codeNoBucket, ""), 1, 0},
		"501":               {says(501, "NotImplemented", ""), 1, 0},
		"301":               {says(301, "PermanentRedirect", ""), 1, 0},
	} {
		t.Run(name, func(t *testing.T) {
			stays := &script{steps: []http.HandlerFunc{test.fault}}
			inBubble(t, stays.ServeHTTP, func(t *testing.T, c Config) {
				start := time.Now()
				err := open(t, c).Create(t.Context(), "orders/A1/photo.jpg", bucket.Bytes([]byte("bytes"), ""))
				if err == nil || errors.Is(err, bucket.ErrExists) || !strings.HasPrefix(err.Error(), "create object orders/A1/photo.jpg: ") {
					t.Errorf("error %v", err)
				}
				if took := time.Since(start); stays.count() != test.tries || took > test.most {
					t.Errorf("%d tries in %v", stays.count(), took)
				}
			})
			if test.tries == 1 {
				return
			}
			passes := &script{steps: []http.HandlerFunc{test.fault, test.fault, test.fault, test.fault, takes}}
			inBubble(t, passes.ServeHTTP, func(t *testing.T, c Config) {
				if err := open(t, c).Create(t.Context(), "k", bucket.Bytes([]byte("bytes"), "")); err != nil {
					t.Error(err)
				}
			})
		})
	}
}

// TestTakenOrNot: a 412 is believed only when a HEAD finds the object, or may not look.
func TestTakenOrNot(t *testing.T) {
	taken, there, gone := says(412, codePrecondition, ""), says(200, "", ""), says(404, "", "")
	for name, test := range map[string]struct {
		steps []http.HandlerFunc
		want  string // the error's end; "" is none
	}{
		"there":               {[]http.HandlerFunc{taken, there}, bucket.ErrExists.Error()},
		"no right to look":    {[]http.HandlerFunc{taken, says(403, "", "")}, bucket.ErrExists.Error()},
		"went meanwhile":      {[]http.HandlerFunc{taken, gone, takes}, ""},
		"came again":          {[]http.HandlerFunc{taken, gone, taken, there}, bucket.ErrExists.Error()},
		"under delete marker": {[]http.HandlerFunc{taken, gone, taken, gone, taken, gone, takes}, "take a bucket without versioning there"},
		"look fails":          {[]http.HandlerFunc{taken, says(400, "", "")}, "in the store's documentation"},
		"after a lost answer": {[]http.HandlerFunc{resets, taken, there}, bucket.ErrExists.Error()},
	} {
		t.Run(name, func(t *testing.T) {
			s := &script{steps: test.steps}
			inBubble(t, s.ServeHTTP, func(t *testing.T, c Config) {
				err := open(t, c).Create(t.Context(), "k", bucket.Bytes([]byte("x"), ""))
				if test.want == "" && err != nil || test.want != "" && (err == nil || !strings.HasSuffix(err.Error(), test.want)) {
					t.Errorf("error %v, want …%s", err, test.want)
				}
				if errors.Is(err, bucket.ErrExists) != (test.want == bucket.ErrExists.Error()) {
					t.Errorf("error %v is ErrExists: %v", err, errors.Is(err, bucket.ErrExists))
				}
			})
		})
	}
}
