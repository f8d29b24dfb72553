// Package functions_test proves the two build tags that link the other cloud's bucket: a Lambda function with an archive on COS,
// and an SCF function with one on S3, compiled and run as their clouds do.
package functions_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/kycvault/kycvault/pkg/archive"
	"github.com/kycvault/kycvault/pkg/bucket"
	"github.com/kycvault/kycvault/pkg/bucket/cosbucket"
	"github.com/kycvault/kycvault/pkg/bucket/cosbucket/costest"
	"github.com/kycvault/kycvault/pkg/bucket/s3bucket"
	"github.com/kycvault/kycvault/pkg/bucket/s3bucket/s3test"
	"github.com/kycvault/kycvault/pkg/delay/scf/scftest"
	"github.com/kycvault/kycvault/pkg/faceid/faceidtest"
	"github.com/kycvault/kycvault/pkg/kyc"
	"github.com/kycvault/kycvault/pkg/peertest"
	"github.com/kycvault/kycvault/pkg/platform/aws/lambdatest"
	"github.com/kycvault/kycvault/pkg/platform/tencent/scfruntest"
	"github.com/kycvault/kycvault/pkg/secret"
	"github.com/kycvault/kycvault/pkg/webhook"
)

const (
	appID   = "TIDA0001"
	jwtKey  = "planted-webhook-key-0123456789abcdef"
	timeout = 30 * time.Second
)

// service is the fake face check service, and what every function is told.
func service(t *testing.T) map[string]string {
	sim := faceidtest.Start(t, faceidtest.Config{AppID: appID, Secret: secret.New("planted-app-secret"), MediaAfter: -1})
	return map[string]string{
		"KYC_APP_ID": appID, "KYC_SECRET": "planted-app-secret", "KYC_BASE_URL": sim.URL, "KYC_TICKET": "own", "KYC_WEBHOOK_KEY": jwtKey,
		"KYC_STEP_DELAY": "0s",
	}
}

// compile builds a cloud's webhook and pull with a tag.
func compile(t *testing.T, tags, cloud string) (hook, pull string) {
	t.Helper()
	dir := t.TempDir()
	if err := scfruntest.Compile(dir, "-tags="+tags, "./"+cloud+"/webhook", "./"+cloud+"/pull"); err != nil {
		t.Fatal(err)
	}
	return filepath.Join(dir, "webhook"), filepath.Join(dir, "pull")
}

// completion is a request for an order as a function URL of the cloud brings it.
func completion(t *testing.T, order, cloud string) []byte {
	t.Helper()
	token, err := webhook.MintToken(secret.New(jwtKey), webhook.JWT, archive.Order(order), time.Hour, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	request := map[string]any{
		"headers": map[string]string{"content-type": "application/json", "authorization": "Bearer " + token}, "body": `{"orderNo":"` + order + `"}`,
	}
	if cloud == "aws" {
		request["version"], request["rawPath"] = "2.0", "/v1/completions"
		request["requestContext"] = map[string]any{"http": map[string]string{"method": "POST", "path": "/v1/completions"}}
	} else {
		request["httpMethod"], request["path"], request["queryString"] = "POST", "/v1/completions", map[string]string{}
	}
	event, err := json.Marshal(request)
	if err != nil {
		t.Fatal(err)
	}
	return event
}

// judge wants an order archived, whole, in a bucket below a prefix.
func judge(t *testing.T, b bucket.Bucket, order archive.Order) {
	t.Helper()
	below, err := bucket.Prefixed(b, "kyc")
	if err != nil {
		t.Fatal(err)
	}
	vault := archive.New(below)
	if s, err := (kyc.Orders{Archive: vault}).Status(t.Context(), order); err != nil || s.State != kyc.StateArchived || len(s.Files) != 3 {
		t.Errorf("order %s is %q with %d files, %v", order, s.State, len(s.Files), err)
	}
	if _, err := vault.Verify(t.Context(), func(d archive.Damage) { t.Errorf("damage: %+v", d) }); err != nil {
		t.Error(err)
	}
}

// noSecrets looks at what functions wrote.
func noSecrets(t *testing.T, logs ...string) {
	t.Helper()
	for _, log := range logs {
		if strings.Contains(log, "planted") || strings.Contains(log, "eyJ") {
			t.Errorf("a log holds a secret:\n%s", log)
		}
	}
}

// TestLambdaOnCOS: functions of AWS, built with the tag cos, keep an order's evidence in a COS bucket, with credentials that are
// neither the role's nor in a log.
func TestLambdaOnCOS(t *testing.T) {
	t.Parallel()
	hook, pull := compile(t, "lambda.norpc,cos", "aws")
	key := costest.Key{SecretID: "AKIDother", SecretKey: "planted-cos-key", Token: "planted-cos-token"}
	cos, queues := costest.Start(t, costest.Config{Keys: []costest.Key{key}}), peertest.StartSQS(t)
	queue := sqs.New(sqs.Options{Region: queues.Region, BaseEndpoint: &queues.URL, Credentials: credentials.NewStaticCredentialsProvider("a", "b", "")})
	made, err := queue.CreateQueue(t.Context(), &sqs.CreateQueueInput{QueueName: aws.String("steps")})
	if err != nil {
		t.Fatal(err)
	}
	env := service(t)
	env["KYC_ARCHIVE"] = "cos://" + costest.DefaultBucket + "/kyc?endpoint=" + url.QueryEscape(cos.URL)
	env["KYC_QUEUE_URL"], env["AWS_ENDPOINT_URL_SQS"] = *made.QueueUrl, queues.URL

	// Without them, Lambda is told which variables to set.
	_, failed := lambdatest.Start(t, hook, pairs(env)...).Invoke(t.Context(), completion(t, "ok1", "aws"), timeout)
	if failed == nil || !strings.Contains(failed.Message, "set TENCENTCLOUD_SECRET_ID and TENCENTCLOUD_SECRET_KEY") {
		t.Errorf("without credentials: %v", failed)
	}

	env["TENCENTCLOUD_SECRET_ID"], env["TENCENTCLOUD_SECRET_KEY"], env["TENCENTCLOUD_TOKEN"] = key.SecretID, key.SecretKey, key.Token
	door, worker := lambdatest.Start(t, hook, pairs(env)...), lambdatest.Start(t, pull, pairs(env)...)
	answer, failed := door.Invoke(t.Context(), completion(t, "ok1", "aws"), timeout)
	if failed != nil || !strings.Contains(string(answer), `"statusCode":202`) {
		t.Fatalf("%s, %v\n%s", answer, failed, door.Logs())
	}
	message, err := queue.ReceiveMessage(t.Context(), &sqs.ReceiveMessageInput{QueueUrl: made.QueueUrl, WaitTimeSeconds: 10})
	if err != nil || len(message.Messages) != 1 {
		t.Fatalf("%d messages, %v", len(message.Messages), err)
	}
	event := fmt.Sprintf(`{"Records":[{"messageId":"1","eventSource":"aws:sqs","body":%q}]}`, *message.Messages[0].Body)
	if answer, failed := worker.Invoke(t.Context(), []byte(event), timeout); failed != nil {
		t.Fatalf("%s, %v\n%s", answer, failed, worker.Logs())
	}
	b, err := cosbucket.New(cosbucket.Config{Bucket: costest.DefaultBucket, Endpoint: cos.URL, Credentials: func(context.Context) (cosbucket.Credential, error) {
		return cosbucket.Credential{SecretID: key.SecretID, SecretKey: secret.New(key.SecretKey), SessionToken: secret.New(key.Token)}, nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	judge(t, b, "ok1")
	noSecrets(t, door.Logs(), worker.Logs())
}

// pairs are variables as a process gets them.
func pairs(env map[string]string) (all []string) {
	for name, value := range env {
		all = append(all, name+"="+value)
	}
	slices.Sort(all)
	return all
}

// TestSCFOnS3: functions of Tencent Cloud, built with the tag s3, keep an order's evidence in an S3 bucket; what they are told
// comes with the invocation.
func TestSCFOnS3(t *testing.T) {
	t.Parallel()
	hook, pull := compile(t, "s3", "tencent")
	store := peertest.StartS3(t)
	s3test.MakeBucket(t, store, "vault", s3test.Plain)
	events := make(chan []byte, 1)
	role := scftest.Key{Secret: "planted-role-key", Token: "planted-role-token"}
	api := httptest.NewServer(scftest.New(scftest.Config{
		Keys:    func(id string) (scftest.Key, bool) { return role, id == "AKIDrole" },
		Deliver: func(e scftest.Event) { events <- e.Payload },
	}))
	t.Cleanup(api.Close)
	env := service(t)
	for name, value := range map[string]string{
		"KYC_ARCHIVE": "s3://vault/kyc?path_style=true", "AWS_ENDPOINT_URL_S3": store.URL, "AWS_REGION": store.Region,
		"KYC_PULL_FUNCTION": "kycvault-pull", "KYC_SCF_ENDPOINT": api.URL, "TENCENTCLOUD_REGION": "ap-guangzhou",
		"TENCENTCLOUD_SECRETID": "AKIDrole", "TENCENTCLOUD_SECRETKEY": role.Secret, "TENCENTCLOUD_SESSIONTOKEN": role.Token,
	} {
		env[name] = value
	}
	door := scfruntest.New(t, scfruntest.Options{Program: hook, Environment: env})
	worker := scfruntest.New(t, scfruntest.Options{Program: pull, Environment: env})

	// Without them, whoever invokes pull is told which variables to set.
	step := []byte(`{"v":1,"orderNo":"ok1","opening":"06h0jj61jg0i7k0tk96e9k3vfg","attempt":1}`)
	if _, err := worker.Invoke(t.Context(), step); err == nil || !strings.Contains(err.Error(), "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY") {
		t.Errorf("without credentials: %v", err)
	}

	for _, f := range []*scfruntest.Function{door, worker} {
		f.Set(map[string]string{"AWS_ACCESS_KEY_ID": store.AccessKey, "AWS_SECRET_ACCESS_KEY": store.SecretKey})
	}
	answer, err := door.Invoke(t.Context(), completion(t, "ok1", "tencent"))
	if err != nil || !strings.Contains(string(answer), `"statusCode":202`) {
		t.Fatalf("%s, %v\n%s", answer, err, door.Logs())
	}
	if answer, err := worker.Invoke(t.Context(), <-events); err != nil || string(answer) != "null" {
		t.Fatalf("%s, %v\n%s", answer, err, worker.Logs())
	}
	b, err := s3bucket.New(s3bucket.Config{Bucket: "vault", Region: store.Region, Endpoint: store.URL, PathStyle: true, Credentials: s3test.Credentials(store)})
	if err != nil {
		t.Fatal(err)
	}
	judge(t, b, "ok1")
	noSecrets(t, door.Logs(), worker.Logs())
}
