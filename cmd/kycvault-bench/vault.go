package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/kycvault/kycvault/pkg/faceid/faceidtest"
	"github.com/kycvault/kycvault/pkg/secret"
)

const (
	appSecret  = "a-secret-for-the-benchmark"
	webhookKey = "a-webhook-key-for-the-benchmark-of-enough-bytes"
)

// vault is a fake service in this process, and a folder for an archive.
type vault struct {
	*faceidtest.Running
	folder string
	end    []func()
}

// newVault starts one. Checks have ended long ago: media are there at once.
func newVault(s settings, name string) *vault {
	v := &vault{folder: filepath.Join(s.scratch, name)}
	v.Running = faceidtest.Start(v, faceidtest.Config{AppID: appID, Secret: secret.New(appSecret), MediaAfter: -1})
	return v
}

func (v *vault) close() {
	for _, f := range v.end {
		f()
	}
}

// Helper, Cleanup and Fatalf implement faceidtest.TB.
func (*vault) Helper()            {}
func (v *vault) Cleanup(f func()) { v.end = append(v.end, f) }
func (*vault) Fatalf(format string, args ...any) {
	panic(fmt.Sprintf(format, args...))
}

// env is what a kycvault process is given, and nothing else.
func (v *vault) env() []string {
	return []string{
		"PATH=" + os.Getenv("PATH"), "TMPDIR=" + os.TempDir(),
		"KYC_APP_ID=" + appID, "KYC_SECRET=" + appSecret, "KYC_TICKET=own", "KYC_BASE_URL=" + v.URL,
		"KYC_ARCHIVE=file://" + v.folder, "KYC_WEBHOOK_KEY=" + webhookKey,
		"KYC_STEP_DELAY=0s", "KYC_REFETCH_EVERY=1h", "KYC_LOG_LEVEL=warn",
	}
}

// journaled tells how many orders are archived, from the journal alone.
func (v *vault) journaled() int {
	names, _ := filepath.Glob(filepath.Join(v.folder, "journal", "*", "*"))
	return len(names)
}

// waitFor waits until so many orders are archived.
func (v *vault) waitFor(ctx context.Context, orders int) error {
	for v.journaled() < orders {
		select {
		case <-ctx.Done():
			return fmt.Errorf("%d of %d orders are archived: %w", v.journaled(), orders, ctx.Err())
		case <-time.After(20 * time.Millisecond):
		}
	}
	return nil
}
