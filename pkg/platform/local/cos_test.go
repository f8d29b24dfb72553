package local

import (
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/kycvault/kycvault/pkg/archive"
	"github.com/kycvault/kycvault/pkg/bucket/cosbucket/costest"
	"github.com/kycvault/kycvault/pkg/platform"
)

// TestOpenCOS: a cos:// archive is opened with the environment's credentials, below its prefix, and keeps the promises of a
// store, also when its listings are stale.
func TestOpenCOS(t *testing.T) {
	s := costest.Start(t, costest.Config{StaleFor: time.Hour})
	location, err := platform.ParseArchive("cos://" + costest.DefaultBucket + "/kyc?endpoint=" + url.QueryEscape(s.URL))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"TENCENTCLOUD_SECRET_ID", "TENCENTCLOUD_SECRET_KEY", "TENCENTCLOUD_SECRETID", "TENCENTCLOUD_SECRETKEY"} {
		t.Setenv(name, "")
	}
	if _, err := OpenArchive(location); err == nil || !strings.Contains(err.Error(), "open archive: no Tencent Cloud credentials") {
		t.Errorf("OpenArchive without credentials = %v", err)
	}
	t.Setenv("TENCENTCLOUD_SECRET_ID", costest.DefaultKey.SecretID)
	t.Setenv("TENCENTCLOUD_SECRET_KEY", costest.DefaultKey.SecretKey)
	b, err := OpenArchive(location)
	if err != nil {
		t.Fatal(err)
	}
	tried, err := archive.New(b).Try(t.Context(), "run1")
	if err != nil || len(tried.Trials) != 6 {
		t.Errorf("Try = %+v, %v", tried, err)
	}
	for _, trial := range tried.Trials {
		if trial.Err != nil {
			t.Errorf("%s: %v", trial.Promise, trial.Err)
		}
	}
	written := s.History()
	if !slices.ContainsFunc(written, func(c costest.Call) bool { return c.Action == costest.PutObject }) {
		t.Error("nothing was put")
	}
	for _, c := range written {
		if c.Action == costest.PutObject && !strings.HasPrefix(c.Key, "kyc/system/doctor/") {
			t.Errorf("put %s", c.Key)
		}
	}
}
