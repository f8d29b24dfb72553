package main

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/alecthomas/kong"
	"github.com/google/go-cmp/cmp"

	"github.com/kycvault/kycvault/pkg/platform"
)

// everyFlag embeds all flags that go before a variable.
type everyFlag struct {
	logFlags
	archiveFlags
	upstreamFlags
	webhookFlags
	paceFlags
	sealingFlags
}

// inCloudsOnly are variables that no subcommand reads: the deployment's templates set them.
var inCloudsOnly = []string{"KYC_QUEUE_URL", "KYC_WORKERS", "KYC_METRICS", "KYC_PULL_FUNCTION", "KYC_SCF_ENDPOINT"}

func TestFlagsAreTheVariables(t *testing.T) {
	parser, err := kong.New(new(everyFlag))
	if err != nil {
		t.Fatal(err)
	}
	var flags, variables []string
	for _, flag := range parser.Model.Flags {
		if name := flag.Tag.Get(setsTag); name != "" {
			flags = append(flags, name)
			if want := strings.ReplaceAll(strings.ToLower(strings.TrimPrefix(name, "KYC_")), "_", "-"); flag.Name != want {
				t.Errorf("the flag for %s is --%s, want --%s", name, flag.Name, want)
			}
		}
	}
	for _, v := range platform.Variables() {
		if !v.Secret && !slices.Contains(inCloudsOnly, v.Name) {
			variables = append(variables, v.Name)
		}
	}
	slices.Sort(flags)
	slices.Sort(variables)
	if diff := cmp.Diff(variables, flags); diff != "" {
		t.Errorf("variables with a flag (-want +got):\n%s", diff)
	}
}

func TestFlagsGoBeforeTheEnvironment(t *testing.T) {
	parser, err := kong.New(new(everyFlag))
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := parser.Parse([]string{"--archive=file:///flag", "--media="})
	if err != nil {
		t.Fatal(err)
	}
	var stderr bytes.Buffer
	a := &app{stderr: &stderr, overrides: flagsByVariable(parsed),
		environ: []string{"KYC_ARCHIVE=file:///environment", "KYC_MEDIA=photo", "KYC_API=facerecord", "KYC_ARHCIVE=file:///typo"}}
	cfg, err := a.config(platform.NeedArchive)
	if err != nil {
		t.Fatal(err)
	}
	got := []string{cfg.Archive.Path, cfg.API, cfg.Attrs()[7].Value.String()}
	if diff := cmp.Diff([]string{"/flag", "facerecord", "photo,video"}, got); diff != "" {
		t.Errorf("archive, api and media (-want +got):\n%s", diff)
	}
	if !strings.Contains(stderr.String(), "KYC_ARHCIVE") {
		t.Errorf("the misspelt variable is not warned of: %q", &stderr)
	}
}

// brokenWriter is a standard output that is gone.
type brokenWriter struct{}

func (brokenWriter) Write([]byte) (int, error) { return 0, errors.New("broken pipe") }

func TestLostResultIsNotDone(t *testing.T) {
	for _, args := range [][]string{{"version"}, {"version", "--json"}, {"sign", "a"}} {
		var stderr bytes.Buffer
		if code := run(context.Background(), args, nil, brokenWriter{}, &stderr, nil); code != exitNotDone || !strings.Contains(stderr.String(), "broken pipe") {
			t.Errorf("kycvault %s = %d, %q; want %d and the cause", strings.Join(args, " "), code, &stderr, exitNotDone)
		}
	}
}
