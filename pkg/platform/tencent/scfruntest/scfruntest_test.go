package scfruntest_test

import (
	"encoding/json"
	"errors"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kycvault/kycvault/pkg/platform/tencent/scfruntest"
	"github.com/kycvault/kycvault/pkg/platform/tencent/scfruntest/testdata/library/work"
)

// TestSameAsTheLibrary puts scfruntime and scf-go-lib to the same test, through net/rpc's own client.
func TestSameAsTheLibrary(t *testing.T) {
	for _, name := range []string{"echo", "library"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			program := scfruntest.Build(t, "./testdata/"+name)
			deploy := func(t *testing.T, o scfruntest.Options) *scfruntest.Function {
				o.Program = program
				return scfruntest.New(t, o)
			}
			t.Run("variables rotate", func(t *testing.T) {
				variablesRotate(t, deploy(t, scfruntest.Options{Environment: map[string]string{"A": "1", "B": "2"}}))
			})
			t.Run("the context is told", func(t *testing.T) {
				contextIsTold(t, deploy(t, scfruntest.Options{Name: "pull", TimeLimit: 20 * time.Second}))
			})
			t.Run("errors", func(t *testing.T) { errorsAreTold(t, deploy(t, scfruntest.Options{})) })
			t.Run("exit", func(t *testing.T) { exitIsSeen(t, deploy(t, scfruntest.Options{})) })
			t.Run("time limit", func(t *testing.T) { timeLimitEnds(t, deploy(t, scfruntest.Options{TimeLimit: 200 * time.Millisecond})) })
			t.Run("kill", func(t *testing.T) { killEnds(t, deploy(t, scfruntest.Options{})) })
			t.Run("instances", func(t *testing.T) { instancesAreShared(t, deploy(t, scfruntest.Options{Instances: 3})) })
		})
	}
}

// invoke gives the answer, "" with an error.
func invoke(t *testing.T, f *scfruntest.Function, e work.Event) (a work.Answer, err error) {
	t.Helper()
	event, err := json.Marshal(e)
	if err != nil {
		t.Fatal(err)
	}
	payload, err := f.Invoke(t.Context(), event)
	if err == nil {
		err = json.Unmarshal(payload, &a)
	}
	return a, err
}

func must(t *testing.T, f *scfruntest.Function, e work.Event) work.Answer {
	t.Helper()
	a, err := invoke(t, f, e)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func variablesRotate(t *testing.T, f *scfruntest.Function) {
	ask := work.Event{Variables: []string{"A", "B", "HOME", "PATH"}}
	if diff := cmp.Diff(map[string]string{"A": "1", "B": "2"}, must(t, f, ask).Variables); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	f.Set(map[string]string{"A": "3"})
	if diff := cmp.Diff(map[string]string{"A": "3", "B": "2"}, must(t, f, ask).Variables); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	f.Set(map[string]string{"B": ""}) // no longer delivered; the process keeps what it has
	if a := must(t, f, ask); a.Context.Environment["B"] != "" || a.Variables["B"] != "2" {
		t.Errorf("%+v", a)
	}
	if n := len(f.Starts()); n != 1 {
		t.Errorf("%d instances", n)
	}
}

func contextIsTold(t *testing.T, f *scfruntest.Function) {
	a := must(t, f, work.Event{})
	if a.Left < 15*time.Second || a.Left > 20*time.Second {
		t.Errorf("%s left of 20 s", a.Left)
	}
	if c := a.Context; c.FunctionName != "pull" || c.TimeLimitInMs != 20_000 || c.MemoryLimitInMb != 128 || c.TencentcloudRegion != "ap-guangzhou" || c.RequestID == "" {
		t.Errorf("%+v", c)
	}
}

func errorsAreTold(t *testing.T, f *scfruntest.Function) {
	_, err := invoke(t, f, work.Event{Fail: "no such thing"})
	if told, ok := errors.AsType[*scfruntest.Error](err); !ok || *told != (scfruntest.Error{Message: "no such thing", Type: "errorString"}) {
		t.Error(err)
	}
	if n := len(f.Starts()); n != 1 {
		t.Errorf("%d instances", n)
	}
	_, err = invoke(t, f, work.Event{Panic: "thrown"})
	if told, ok := errors.AsType[*scfruntest.Error](err); !ok || !told.ShouldExit {
		t.Errorf("a panic came as %v", err)
	}
	must(t, f, work.Event{})
	if n := len(f.Starts()); n != 2 {
		t.Errorf("%d instances after a panic", n)
	}
}

func exitIsSeen(t *testing.T, f *scfruntest.Function) {
	if _, err := invoke(t, f, work.Event{Exit: true}); !errors.Is(err, scfruntest.ErrExited) {
		t.Error(err)
	}
	must(t, f, work.Event{})
}

func timeLimitEnds(t *testing.T, f *scfruntest.Function) {
	if _, err := invoke(t, f, work.Event{Wait: time.Minute}); !errors.Is(err, scfruntest.ErrTimeLimit) {
		t.Error(err)
	}
	if pids := f.PIDs(); len(pids) != 0 {
		t.Errorf("%v still run", pids)
	}
}

func killEnds(t *testing.T, f *scfruntest.Function) {
	must(t, f, work.Event{})
	first := f.PIDs()
	ended := make(chan error, 1)
	go func() { _, err := f.Invoke(t.Context(), []byte(`{"Wait":60000000000}`)); ended <- err }()
	for strings.Count(f.Logs(), "invoked by") < 2 {
		time.Sleep(time.Millisecond)
	}
	f.Kill()
	if err := <-ended; !errors.Is(err, scfruntest.ErrExited) {
		t.Error(err)
	}
	must(t, f, work.Event{})
	if second := f.PIDs(); len(first) != 1 || len(second) != 1 || slices.Equal(first, second) {
		t.Errorf("processes %v, then %v", first, second)
	}
	if !strings.Contains(f.Logs(), "invoked by "+strconv.Itoa(first[0])) {
		t.Errorf("logs: %s", f.Logs())
	}
}

func instancesAreShared(t *testing.T, f *scfruntest.Function) {
	var wg sync.WaitGroup
	for range 9 {
		wg.Go(func() {
			if _, err := invoke(t, f, work.Event{Wait: 100 * time.Millisecond}); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if n := len(f.Starts()); n != 3 {
		t.Errorf("%d instances, want 3", n)
	}
}
