package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/kycvault/kycvault/pkg/agekey"
	"github.com/kycvault/kycvault/pkg/archive"
	"github.com/kycvault/kycvault/pkg/bucket"
	"github.com/kycvault/kycvault/pkg/bucket/dirbucket"
	"github.com/kycvault/kycvault/pkg/faceid/faceidtest"
	"github.com/kycvault/kycvault/pkg/kyc"
	"github.com/kycvault/kycvault/pkg/peertest"
	"github.com/kycvault/kycvault/pkg/secret"
	"github.com/kycvault/kycvault/pkg/webhook"
)

// The tests in this file run the real binary as a process of its own, against the fake service over real HTTP, on a real folder.

const (
	testAppID  = "IDAXXXXX"
	testSecret = "an-app-secret-that-nobody-may-see"
	testKey    = "a-webhook-key-of-thirty-two-bytes-or-more"
)

// binary builds the command once for all tests, as a release is built: without the race detector.
var binary = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "kycvault-test-")
	if err != nil {
		return "", err
	}
	file := filepath.Join(dir, "kycvault")
	build := exec.Command("go", "build", "-trimpath", "-ldflags", "-s -w", "-o", file, ".")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build: %w\n%s", err, out)
	}
	return file, nil
})

// vault is a folder, a fake service, and the serve processes that come and go on them. What elsewhere is set goes before the
// folder: an archive in a bucket.
type vault struct {
	t         *testing.T
	dir       string
	sim       *faceidtest.Running
	elsewhere bucket.Bucket
	variables []string // that lead there
}

func newVault(t *testing.T) *vault {
	t.Helper()
	sim := faceidtest.Start(t, faceidtest.Config{AppID: testAppID, Secret: secret.New(testSecret), MediaAfter: 200 * time.Millisecond})
	return &vault{t: t, dir: t.TempDir(), sim: sim}
}

func (v *vault) env(extra ...string) []string {
	return append([]string{
		"PATH=" + os.Getenv("PATH"), "TMPDIR=" + v.t.TempDir(),
		"KYC_APP_ID=" + testAppID, "KYC_SECRET=" + testSecret, "KYC_TICKET=own", "KYC_BASE_URL=" + v.sim.URL,
		"KYC_ARCHIVE=file://" + v.dir, "KYC_WEBHOOK_KEY=" + testKey,
		"KYC_STEP_DELAY=100ms", "KYC_REFETCH_EVERY=1s",
	}, append(v.variables, extra...)...)
}

// serving is one serve process.
type serving struct {
	cmd  *exec.Cmd
	url  string
	logs *strings.Builder
	pass chan struct{} // closed when the first pass is over
	done chan struct{}
}

func newServing(cmd *exec.Cmd) *serving {
	return &serving{cmd: cmd, logs: new(strings.Builder), pass: make(chan struct{}), done: make(chan struct{})}
}

// serve starts the binary and waits until it listens.
func (v *vault) serve(extra ...string) *serving {
	v.t.Helper()
	file, err := binary()
	if err != nil {
		v.t.Fatal(err)
	}
	s := newServing(exec.Command(file, "serve", "--listen", "127.0.0.1:0"))
	s.cmd.Env = v.env(extra...)
	out, err := s.cmd.StderrPipe()
	if err != nil {
		v.t.Fatal(err)
	}
	if err := s.cmd.Start(); err != nil {
		v.t.Fatal(err)
	}
	v.t.Cleanup(s.kill)
	address := make(chan string, 1)
	go s.read(out, address)
	select {
	case a := <-address:
		s.url = "http://" + a
	case <-s.done:
		v.t.Fatalf("serve ended:\n%s", s.logs)
	case <-time.After(30 * time.Second):
		v.t.Fatal("serve did not begin")
	}
	return s
}

// read keeps the log lines and finds in them the address, and the end of the first pass.
func (s *serving) read(out io.Reader, address chan<- string) {
	defer close(s.done)
	var passed sync.Once
	for lines := bufio.NewScanner(out); lines.Scan(); {
		s.logs.WriteString(lines.Text() + "\n")
		var line struct {
			Msg     string `json:"msg"`
			Address string `json:"address"`
		}
		switch _ = json.Unmarshal(lines.Bytes(), &line); line.Msg {
		case "serving":
			address <- line.Address
		case "pass":
			passed.Do(func() { close(s.pass) })
		}
	}
}

// kill ends the process as a power cut does.
func (s *serving) kill() {
	_ = s.cmd.Process.Kill()
	<-s.done
	_ = s.cmd.Wait()
}

// post calls the webhook and gives the status, 0 when there was no answer.
func (s *serving) post(t *testing.T, order string) int {
	t.Helper()
	token, err := webhook.MintToken(secret.New(testKey), webhook.JWT, archive.Order(order), time.Hour, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.url+"/v1/completions", strings.NewReader(`{"orderNo":"`+order+`"}`))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Authorization", "Bearer "+token)
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		return 0
	}
	_, _ = io.Copy(io.Discard, res.Body)
	_ = res.Body.Close()
	return res.StatusCode
}

// archive opens the folder, or what is elsewhere, beside the process.
func (v *vault) archive() *archive.Archive {
	v.t.Helper()
	if v.elsewhere != nil {
		return archive.New(v.elsewhere)
	}
	b, err := dirbucket.Open(v.dir)
	if err != nil {
		v.t.Fatal(err)
	}
	v.t.Cleanup(func() { _ = b.Close() })
	return archive.New(b)
}

// wait waits until every order is archived.
func (v *vault) wait(orders []string) {
	v.t.Helper()
	ctx, cancel := context.WithTimeout(v.t.Context(), time.Minute)
	defer cancel()
	q := kyc.Orders{Archive: v.archive()}
	for _, o := range orders {
		for {
			st, err := q.Status(v.t.Context(), archive.Order(o))
			if err != nil {
				v.t.Fatal(err)
			}
			if st.State == kyc.StateArchived {
				break
			}
			if ctx.Err() != nil {
				v.t.Fatalf("order %s is %q", o, st.State)
			}
			time.Sleep(20 * time.Millisecond)
		}
	}
}

// settle waits until no marker is left, also none of an order whose 202 did not reach anybody: markers are cleared after the commit.
func (v *vault) settle() {
	v.t.Helper()
	b := v.archive().Bucket()
	for end := time.Now().Add(time.Minute); ; time.Sleep(20 * time.Millisecond) {
		left := keysBelow(v.t, b, archive.ScanPending)
		if len(left) == 0 {
			return
		}
		if time.Now().After(end) {
			v.t.Fatalf("left behind: %q", left)
		}
	}
}

func keysBelow(t *testing.T, b bucket.Bucket, prefix string) (keys []string) {
	t.Helper()
	for o, err := range b.List(t.Context(), prefix, "") {
		if err != nil {
			t.Fatal(err)
		}
		keys = append(keys, o.Key)
	}
	return keys
}

// verify judges the archive: nothing damaged, no marker left.
func (v *vault) verify() {
	v.t.Helper()
	a := v.archive()
	if _, err := a.Verify(v.t.Context(), func(d archive.Damage) { v.t.Errorf("damage: %+v", d) }); err != nil {
		v.t.Error(err)
	}
	for _, prefix := range []string{archive.ScanPending, archive.ScanRetry, archive.ScanQuiet} {
		for l, err := range a.Scan(v.t.Context(), prefix) {
			v.t.Errorf("left in %s: %v %v", prefix, l.Mark, err)
		}
	}
}

// TestKillNine kills the process at random moments under load, and starts it again. Every order that was promised ends
// archived (DESIGN section 1).
func TestKillNine(t *testing.T) {
	killNine(t, newVault(t), 8)
}

func killNine(t *testing.T, v *vault, lives int) {
	kinds := []string{"own", "videolate", "cut", "png", "notsame", "oddjpeg", "numbers", "gzip"}
	var promised []string
	for life := range lives {
		s := v.serve()
		die := time.After(time.Duration(50+rand.IntN(1200)) * time.Millisecond)
		for i := 0; ; i++ {
			order := fmt.Sprintf("%s%dx%d", kinds[i%len(kinds)], life, i)
			if code := s.post(t, order); code == http.StatusAccepted || code == http.StatusOK {
				promised = append(promised, order)
			}
			select {
			case <-die:
			case <-time.After(10 * time.Millisecond):
				continue
			}
			break
		}
		s.kill()
	}
	t.Logf("%d orders promised in %d lives", len(promised), lives)
	v.serve()
	v.wait(promised)
	v.settle()
	v.verify()
	// One that was killed in the middle of a refresh has left a lease without a ticket; there is no other reason for a second one.
	b := v.archive().Bucket()
	n, tickets, leases := v.sim.Stats().Refreshes, len(keysBelow(t, b, archive.TicketPrefix)), len(keysBelow(t, b, archive.LeasePrefix))
	if tickets != 1 || n > leases {
		t.Errorf("%d refreshes under %d leases for %d processes, %d tickets, want 1", n, leases, lives+1, tickets)
	}
}

// TestGracefulStop: SIGTERM lets what is under way end, and the exit code is 0.
func TestGracefulStop(t *testing.T) {
	v := newVault(t)
	s := v.serve()
	if code := s.post(t, "ok1"); code != http.StatusAccepted {
		t.Fatalf("status %d", code)
	}
	if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	<-s.done
	if err := s.cmd.Wait(); err != nil {
		t.Errorf("ended with %v:\n%s", err, s.logs)
	}
	s = v.serve()
	defer func() { t.Log(s.logs) }()
	v.wait([]string{"ok1"})
}

// TestMemoryIsFlat measures the resident memory of serve at its peak (VmHWM): it does not grow with the video (DESIGN section 7).
func TestMemoryIsFlat(t *testing.T) {
	peertest.NeedPeak(t)
	eight := []string{"big12mb1", "big12mb2", "big12mb3", "big12mb4", "big12mb5", "big12mb6", "big12mb7", "big12mb8"}
	pair, err := agekey.NewPair(time.Now())
	if err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		orders     []string
		most       int // MiB
		recipients string
	}{
		"one of 64 MB":              {[]string{"big64mb1"}, 32, ""},
		"eight of 12 MB":            {eight, 96, ""},
		"one of 64 MB, encrypted":   {[]string{"big64mb1"}, 32, pair.Public},
		"eight of 12 MB, encrypted": {eight, 96, pair.Public},
	} {
		t.Run(name, func(t *testing.T) {
			v := newVault(t)
			v.variables = append(v.variables, "KYC_RECIPIENTS="+test.recipients)
			for _, o := range test.orders {
				v.sim.EndCheck(o, time.Now().Add(-time.Minute))
			}
			s := v.serve()
			for _, o := range test.orders {
				if code := s.post(t, o); code != http.StatusAccepted {
					t.Fatalf("status %d", code)
				}
			}
			v.wait(test.orders)
			if peak := peertest.PeakMiB(t, s.cmd.Process.Pid); peak > test.most {
				t.Errorf("peak is %d MiB, at most %d are allowed", peak, test.most)
			} else {
				t.Logf("peak %d MiB", peak)
			}
		})
	}
}
