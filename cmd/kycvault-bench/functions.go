package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

const (
	mostStart = 1.5
	mostSize  = 10_000_000 // bytes of a stripped function, as it is deployed
	starts    = 5          // cold starts in a round: one takes some milliseconds
)

// handlers are the functions of each cloud.
func handlers() []string { return []string{"webhook", "pull", "refetch"} }

// cloud is where functions run.
type cloud struct {
	name   string
	folder string // of its functions
	bare   string // a function that does nothing
	arch   string // that they are deployed for
	tags   string // that they are built with, as the Makefile does
	start  func(ctx context.Context, program string) error
}

// functions measures each Lambda function's cold start, from its start to its first request for an invocation, beside a
// function that does nothing; and how large its binary is.
func functions(ctx context.Context, s settings, t *table) error {
	return compareFunctions(ctx, s, t, cloud{name: "Lambda", folder: "functions/aws/", bare: "cmd/kycvault-bench/bare", arch: "arm64", tags: "lambda.norpc", start: coldStart})
}

func compareFunctions(ctx context.Context, s settings, t *table, c cloud) error {
	rival, err := buildFunction(ctx, s, c.bare, c.tags, "")
	if err != nil {
		return err
	}
	for _, name := range handlers() {
		ours, err := buildFunction(ctx, s, c.folder+name, c.tags, "")
		if err != nil {
			return err
		}
		started := func(program string) func() error {
			return func() error { return coldStarts(ctx, c, program) }
		}
		took, err := takeTurns(s.rounds, started(rival), started(ours))
		if err != nil {
			return err
		}
		each := func(times []time.Duration) string {
			return (median(times) / starts).Round(10 * time.Microsecond).String()
		}
		r := ratio(took[1], took[0])
		t.add(row{what: "cold start of " + name + ", " + c.name, other: "bare function " + each(took[0]), ours: each(took[1]),
			ratio: times(r), hold: "≤ 1.5 ×", held: r <= mostStart})
		if err := functionSize(ctx, s, t, c, name); err != nil {
			return err
		}
	}
	return nil
}

// functionSize adds the row of a function's size.
func functionSize(ctx context.Context, s settings, t *table, c cloud, name string) error {
	program, err := buildFunction(ctx, s, c.folder+name, c.tags, c.arch)
	if err != nil {
		return err
	}
	info, err := os.Stat(program)
	if err != nil {
		return fmt.Errorf("look at %s: %w", name, err)
	}
	t.add(row{what: "… its binary, for " + c.arch, ours: fmt.Sprintf("%.1f MB", float64(info.Size())/1e6), hold: "≤ 10 MB", held: info.Size() <= mostSize})
	return nil
}

// buildFunction builds a main package as the Makefile does for a deployment; arch "" is this machine's.
func buildFunction(ctx context.Context, s settings, folder, tags, arch string) (string, error) {
	file := filepath.Join(s.scratch, strings.ReplaceAll(folder, "/", "-")+arch)
	build := exec.CommandContext(ctx, "go", "build", "-tags", tags, "-trimpath", "-ldflags", "-s -w", "-o", file,
		"github.com/kycvault/kycvault/"+folder)
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if arch != "" {
		build.Env = append(build.Env, "GOOS=linux", "GOARCH="+arch)
	}
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build %s: %w\n%s", folder, err, out)
	}
	return file, nil
}

// coldStarts starts a function some times, one after the other, and ends it each time when it is ready.
func coldStarts(ctx context.Context, c cloud, program string) error {
	for range starts {
		if err := c.start(ctx, program); err != nil {
			return fmt.Errorf("cold start of %s: %w", filepath.Base(program), err)
		}
	}
	return nil
}

// errEndedItself says that a function that was to be killed had ended well before.
var errEndedItself = errors.New("it ended by itself")

// longestStart is when a function is given up that has not asked for an invocation.
const longestStart = 30 * time.Second

// coldStart starts a Lambda function, and ends it when it asks for its first invocation.
func coldStart(ctx context.Context, program string) error {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	asked := make(chan string, 1)
	service := &http.Server{ReadHeaderTimeout: time.Minute, Handler: http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		select {
		case asked <- r.URL.Path:
		default:
		}
		<-r.Context().Done() // an invocation never comes
	})}
	go func() { _ = service.Serve(l) }()
	defer func() { _ = service.Close() }()
	ctx, cancel := context.WithTimeout(ctx, longestStart)
	defer cancel()
	p, err := begin(ctx, functionEnv(l.Addr().String()), program)
	if err != nil {
		return err
	}
	ended := make(chan error, 1)
	go func() { _, err := p.wait(); ended <- err }()
	select {
	case path := <-asked:
		_ = p.cmd.Process.Kill()
		if <-ended == nil {
			return errEndedItself
		}
		if path != "/2018-06-01/runtime/invocation/next" {
			return fmt.Errorf("it asked for %s first", path)
		}
		return nil
	case err := <-ended:
		return errors.Join(errors.New("it ended"), err)
	}
}

// functionEnv is what a function finds in Lambda: nothing of it is reached before the first invocation.
func functionEnv(runtime string) []string {
	return []string{
		"AWS_LAMBDA_RUNTIME_API=" + runtime, "AWS_REGION=eu-central-1", "AWS_LAMBDA_FUNCTION_NAME=bench",
		"AWS_ACCESS_KEY_ID=AKIAEXAMPLE", "AWS_SECRET_ACCESS_KEY=not-a-secret", "AWS_SESSION_TOKEN=not-a-token",
		"KYC_APP_ID=" + appID, "KYC_SECRET=" + appSecret, "KYC_TICKET=own",
		"KYC_ARCHIVE=s3://kycvault-bench/archive", "KYC_WEBHOOK_KEY=0123456789abcdef0123456789abcdef",
		"KYC_QUEUE_URL=https://sqs.eu-central-1.amazonaws.com/123456789012/kycvault",
	}
}
