package ticket

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"

	"github.com/kycvault/kycvault/pkg/bucket/dirbucket"
	"github.com/kycvault/kycvault/pkg/faceid"
	"github.com/kycvault/kycvault/pkg/faceid/faceidtest"
	"github.com/kycvault/kycvault/pkg/secret"
)

// crowd is how many processes start together.
const crowd = 32

func openDir(t *testing.T, path string) *dirbucket.Bucket {
	t.Helper()
	b, err := dirbucket.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = b.Close() })
	return b
}

func TestManyStartingTogetherRefreshOnce(t *testing.T) {
	fake, api := newUpstream(t, faceidtest.Config{})
	dir := t.TempDir()
	owners := make([]*Own, crowd)
	for i := range owners {
		owners[i] = newOwn(t, openDir(t, dir), api)
	}
	got := make([]faceid.Ticket, crowd)
	errs := make([]error, crowd)
	var wg sync.WaitGroup
	start := make(chan struct{})
	for i, o := range owners {
		wg.Go(func() {
			<-start
			got[i], errs[i] = o.Current(t.Context())
		})
	}
	close(start)
	wg.Wait()
	for i := range got {
		if errs[i] != nil || got[i] != got[0] || got[i].Generation != 1 {
			t.Errorf("process %d: generation %d, error %v", i, got[i].Generation, errs[i])
		}
	}
	if s := fake.Stats(); s.Refreshes != 1 || s.Calls[faceidtest.AccessToken] != 1 {
		t.Errorf("%d refreshes, calls %v; want one of each", s.Refreshes, s.Calls)
	}
}

func TestManyCallersInOneProcessShareOneRefresh(t *testing.T) {
	fake, api := newUpstream(t, faceidtest.Config{})
	o := newOwn(t, openDir(t, t.TempDir()), api)
	var wg sync.WaitGroup
	for range 200 {
		wg.Go(func() {
			if k, err := o.Current(t.Context()); err != nil || k.Generation != 1 {
				t.Errorf("generation %d, error %v", k.Generation, err)
			}
		})
	}
	wg.Wait()
	if n := fake.Stats().Refreshes; n != 1 {
		t.Errorf("%d refreshes, want 1", n)
	}
}

// The environment of a test binary that is started as one of several processes.
const (
	childDir = "KYCVAULT_TICKET_TEST_DIR"
	childURL = "KYCVAULT_TICKET_TEST_URL"
)

func TestMain(m *testing.M) {
	if dir := os.Getenv(childDir); dir != "" {
		if err := child(dir, os.Getenv(childURL)); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// child is one process of TestProcesses: it waits for a line on its stdin, asks for the ticket and prints its generation.
func child(dir, url string) error {
	b, err := dirbucket.Open(dir)
	if err != nil {
		return err
	}
	api, err := faceid.New(faceid.Config{AppID: testApp, BaseURL: url})
	if err != nil {
		return err
	}
	o, err := NewOwn(OwnConfig{Bucket: b, AppID: testApp, Secret: secret.New(testSecret), Service: api})
	if err != nil {
		return err
	}
	fmt.Println("ready")
	if _, err := bufio.NewReader(os.Stdin).ReadString('\n'); err != nil {
		return err
	}
	k, err := o.Current(context.Background())
	if err != nil {
		return err
	}
	fmt.Println("generation", k.Generation)
	return nil
}

// TestProcesses starts real processes together on one folder.
func TestProcesses(t *testing.T) {
	fake := faceidtest.New(faceidtest.Config{AppID: testApp, Secret: secret.New(testSecret)})
	url, dir := serve(t, fake), t.TempDir()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	var crew [8]process
	for i := range crew {
		crew[i] = startProcess(t, self, childDir+"="+dir, childURL+"="+url)
	}
	for _, p := range crew {
		p.expect(t, "ready")
	}
	for _, p := range crew {
		p.say(t)
	}
	for _, p := range crew {
		p.expect(t, "generation 1")
		p.end(t)
	}
	if s := fake.Stats(); s.Refreshes != 1 || s.Calls[faceidtest.AccessToken] != 1 {
		t.Errorf("%d refreshes, calls %v; want one of each", s.Refreshes, s.Calls)
	}
}

// process is a test binary that was started as child.
type process struct {
	cmd *exec.Cmd
	in  *os.File
	out *bufio.Reader
}

func startProcess(t *testing.T, self string, env ...string) process {
	t.Helper()
	in, say, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), self)
	cmd.Env = append(os.Environ(), env...)
	cmd.Stdin, cmd.Stderr = in, os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	_ = in.Close()
	return process{cmd: cmd, in: say, out: bufio.NewReader(out)}
}

func (p process) expect(t *testing.T, want string) {
	t.Helper()
	got, err := p.out.ReadString('\n')
	if err != nil || strings.TrimSpace(got) != want {
		t.Errorf("process says %q, error %v; want %q", got, err, want)
	}
}

func (p process) say(t *testing.T) {
	t.Helper()
	if _, err := p.in.WriteString("go\n"); err != nil {
		t.Error(err)
	}
}

func (p process) end(t *testing.T) {
	t.Helper()
	_ = p.in.Close()
	if err := p.cmd.Wait(); err != nil {
		t.Errorf("process: %v", err)
	}
}
