package aws

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"log/slog"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambda/messages"

	"github.com/kycvault/kycvault/pkg/platform"
)

// Main runs a function until Lambda ends it: log lines go to stderr, metrics to stdout. With settings that are wrong it tells
// Lambda so, and exits.
func Main(f Function, version string) {
	level := new(slog.LevelVar) // KYC_LOG_LEVEL, once it is known
	out := platform.NewLogger(os.Stderr, level, false)
	log.SetFlags(0)
	log.SetOutput(runtimeLog{out})
	warnUnknown(out, os.Environ())
	h, err := New(f, Options{Lookup: os.LookupEnv, Version: version, Metrics: os.Stdout, Log: out, Level: level})
	if err != nil {
		initError(out, os.Getenv("AWS_LAMBDA_RUNTIME_API"), err)
		os.Exit(1)
	}
	lambda.Start(h)
}

func warnUnknown(out *slog.Logger, environ []string) {
	for _, name := range platform.Unknown(environ) {
		out.Warn("unknown variable: a typing mistake?", "variable", name)
	}
}

// typeOfInitError is a category and a reason, as Lambda wants it ("Using the Lambda runtime API", initialization error).
const typeOfInitError = "Runtime.ConfigInvalid"

// initError logs what is wrong, and tells it to Lambda, which shows it to who invokes the function.
func initError(out *slog.Logger, api string, err error) {
	logMistakes(out, err)
	body, err := json.Marshal(messages.InvokeResponse_Error{Type: typeOfInitError, Message: strings.Join(platform.Mistakes(err), "; ")})
	if err == nil {
		err = postInitError(api, body)
	}
	if err != nil {
		out.LogAttrs(context.Background(), slog.LevelWarn, "Lambda could not be told of it", slog.Any("error", err))
	}
}

func postInitError(api string, body []byte) error {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+api+"/2018-06-01/runtime/init/error", bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("make request to the runtime API: %w", err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Lambda-Runtime-Function-Error-Type", typeOfInitError)
	client := http.Client{Transport: &http.Transport{}} // never by a proxy
	res, err := client.Do(req)
	if err != nil {
		return fmt.Errorf("reach the runtime API: %w", err)
	}
	defer func() { _ = res.Body.Close() }()
	if res.StatusCode != http.StatusAccepted {
		return fmt.Errorf("the runtime API answers %d", res.StatusCode)
	}
	return nil
}

// runtimeLog takes the lines that aws-lambda-go logs. It repeats each error that a handler returns, which the handler has
// logged in its own words; all else is logged as a line of ours. A panic, which has a stackTrace, is not known otherwise.
type runtimeLog struct{ out *slog.Logger }

var _ io.Writer = runtimeLog{}

// Write implements io.Writer.
func (l runtimeLog) Write(line []byte) (int, error) {
	if !bytes.HasPrefix(line, []byte(`{"errorMessage"`)) || bytes.Contains(line, []byte(`"stackTrace"`)) {
		l.out.LogAttrs(context.Background(), slog.LevelError, "the Lambda runtime library says", slog.String("text", strings.TrimSpace(string(line))))
	}
	return len(line), nil
}
