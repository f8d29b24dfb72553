package sqs

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"path"
	"strings"
)

// fault is a failed request or batch entry. Its text is ours: what the other side says may repeat a message.
type fault struct {
	what  string
	again bool  // of an entry: sending it again may help
	cause error // of a request, which the client has tried some times; nil is an entry's
}

// Error implements error.
func (f *fault) Error() string { return f.what }

// Unwrap gives the cause, for those who look for a deadline in it.
func (f *fault) Unwrap() error { return f.cause }

// hints say what to do about SQS's codes ("Common Error Types", "SendMessage", "SendMessageBatch").
var hints = map[string]string{
	"AccessDenied":                "the role has no right to %s on the queue, or the queue's policy forbids it",
	"QueueDoesNotExist":           "there is no such queue for this region and account; look at KYC_QUEUE_URL",
	"InvalidAddress":              "KYC_QUEUE_URL is not a queue's address",
	"InvalidSecurity":             "the queue takes https only; look at AWS_ENDPOINT_URL_SQS",
	"UnsupportedOperation":        "the queue can not do that; is it a FIFO queue?",
	"KmsAccessDenied":             "the role has no right to use the queue's KMS key: it needs kms:GenerateDataKey and kms:Decrypt",
	"KmsDisabled":                 "the queue's KMS key is disabled",
	"KmsNotFound":                 "the queue's KMS key is not there",
	"InvalidClientTokenId":        "the credentials are not known to SQS",
	"SignatureDoesNotMatch":       "the signature is not accepted; are region and credentials right?",
	"ExpiredToken":                "the session's credentials have expired",
	"RequestThrottled":            "SQS throttles; the next pass takes up what is left",
	"ThrottlingException":         "SQS throttles; the next pass takes up what is left",
	"MissingAuthenticationToken":  "the request was not signed; are there credentials?",
	"UnrecognizedClientException": "the credentials are not known to SQS",
}

// sameCode are other names of the same.
var sameCode = map[string]string{
	"AccessDeniedException": "AccessDenied", "NonExistentQueue": "QueueDoesNotExist",
	"InvalidSignatureException": "SignatureDoesNotMatch", "ExpiredTokenException": "ExpiredToken", "Throttling": "ThrottlingException",
	"TooManyRequestsException": "ThrottlingException", "MissingAuthenticationTokenException": "MissingAuthenticationToken",
}

// ErrNoRight says that whoever asks may not: it says nothing about the queue.
var ErrNoRight = errors.New("no right to ask")

// Is tells of ErrNoRight.
func (f *fault) Is(target error) bool {
	code, _ := answerOf(f.cause)
	return target == ErrNoRight && code == "AccessDenied"
}

// name is the queue's, for messages.
func (d *Delayer) name() string { return path.Base(d.queue) }

// explain makes a sentence of a failed request for who has to mend it. action is what was tried, as IAM names it.
func explain(what, queueURL, action string, err error) *fault {
	return &fault{what: what + " " + path.Base(queueURL) + ": " + cause(action, err), cause: err}
}

func cause(action string, err error) string {
	code, status := answerOf(err)
	switch hint := hints[code]; {
	case strings.Contains(hint, "%s"):
		return fmt.Sprintf(hint, action) + answered(code, status)
	case hint != "":
		return hint + answered(code, status)
	case status == http.StatusForbidden:
		return "the role may not do that" + answered(code, status)
	case status != 0:
		return "SQS refuses" + answered(code, status)
	}
	return unreached(err)
}

func answered(code string, status int) string {
	return fmt.Sprintf(" (%s)", strings.TrimSpace(fmt.Sprintf("%d %s", status, code)))
}

// unreached says why there was no answer, without the request's URL.
func unreached(err error) string {
	if errors.Is(err, context.Canceled) {
		return "the work was ended"
	}
	if failed, ok := errors.AsType[*url.Error](err); ok {
		if failed.Timeout() {
			return "no answer in time; is there a way to SQS (a VPC needs an endpoint)?"
		}
		return "SQS can not be reached: " + failed.Err.Error()
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return "no answer in time"
	}
	return "the request could not be made or its answer not read"
}

// answerOf gives the code and the status of an error answer, "" and 0 where there was none.
func answerOf(err error) (code string, status int) {
	if answer, ok := errors.AsType[*answerError](err); ok {
		return answer.code, answer.status
	}
	return "", 0
}

// isThrottle tells whether a code says that there were too many requests.
func isThrottle(code string) bool { return code == "RequestThrottled" || code == "ThrottlingException" }

const maxCode = 80

func notAlphanumeric(c rune) bool {
	return (c < '0' || c > '9') && (c < 'A' || c > 'Z') && (c < 'a' || c > 'z')
}

// plainCode is a code without its name space ("com.amazonaws.sqs#", or "AWS.SimpleQueueService." of the older protocol), by
// the name that hints has.
func plainCode(code string) string {
	code = code[strings.LastIndexAny(code, ".#")+1:]
	if same := sameCode[code]; same != "" {
		return same
	}
	if len(code) > maxCode || strings.ContainsFunc(code, notAlphanumeric) {
		return ""
	}
	return code
}

// entryError says why entries of a batch are not in the queue; one of several reasons is enough. An answer may leave entries
// out.
func (d *Delayer) entryError(failed []failedEntry) *fault {
	f := &fault{what: fmt.Sprintf("send messages to queue %s: the answer does not tell of all entries", d.name()), again: true}
	for _, e := range failed {
		code := plainCode(e.Code)
		f.again = f.again && !e.SenderFault
		f.what = fmt.Sprintf("send messages to queue %s: an entry failed (%s)", d.name(), code)
		if hint := hints[code]; hint != "" && !strings.Contains(hint, "%s") {
			f.what += ": " + hint
		}
	}
	return f
}
