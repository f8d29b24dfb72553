// Command function does what its events say.
package main

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambdacontext"
)

func main() {
	if os.Getenv("EXIT") != "" {
		os.Exit(3)
	}
	lambda.Start(func(ctx context.Context, what string) (string, error) {
		switch what {
		case "metric":
			fmt.Println(`{"_aws":{},"Done":2}`)
		case "error":
			return "", fmt.Errorf("no luck")
		case "panic":
			panic("no nerves")
		case "exit":
			os.Exit(4)
		case "sleep":
			fmt.Println("asleep")
			time.Sleep(time.Hour)
		case "large":
			return string(make([]byte, 2<<20)), nil // six bytes each in JSON
		case "left":
			deadline, _ := ctx.Deadline()
			return time.Until(deadline).Round(time.Minute).String(), nil
		case "arn":
			lc, _ := lambdacontext.FromContext(ctx)
			return lc.InvokedFunctionArn + " " + os.Getenv("_X_AMZN_TRACE_ID")[:5] + " " + os.Getenv("PLANTED"), nil
		}
		return "did " + what, nil
	})
}
