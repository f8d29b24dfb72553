package s3bucket

import (
	"net/http"
	"strings"
)

func (b *Bucket) hintCredentials() string {
	return "sign in anew where a session has ended, as with aws sso login; set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
}

// hint says what a person can do about an answer to a call that needs the action.
func (b *Bucket) hint(action string, a answer) string {
	if todo, ok := b.byCode()[a.code]; ok {
		return todo
	}
	switch {
	case a.region != "" && a.region != b.config.Region:
		return "the bucket is in region " + a.region + ": set region=" + a.region + " in KYC_ARCHIVE"
	case strings.HasPrefix(a.code, "KMS."), strings.HasPrefix(a.action, "kms:"):
		return b.hintKMS(a)
	case a.status == http.StatusForbidden:
		return b.hintForbidden(action, a)
	case a.status == http.StatusMovedPermanently || a.status == http.StatusTemporaryRedirect:
		return "the bucket is in another region, or elsewhere: mend region= or endpoint= in KYC_ARCHIVE"
	case a.status == http.StatusNotFound:
		return "there is no such bucket at this address: make it, or mend its name, endpoint= or path_style= in KYC_ARCHIVE"
	case a.status == http.StatusConflict:
		return "another write of this key goes on and on: try again later"
	case a.status == http.StatusServiceUnavailable || a.status == http.StatusTooManyRequests:
		return "it asks for fewer requests, or is out of service, also after several tries: try again later"
	case a.status >= http.StatusInternalServerError:
		return "the store has trouble of its own, also after several tries: try again later"
	}
	return "it does not take what was asked: look at the options of KYC_ARCHIVE, and the code in the store's documentation"
}

// byCode are the codes that say it all ("Error responses", Amazon S3).
func (b *Bucket) byCode() map[string]string {
	const keys = "look at the access key, the secret and the endpoint's kind"
	todo := map[string]string{
		codeNoBucket:            "there is no bucket of this name: make it, or mend KYC_ARCHIVE",
		"InvalidAccessKeyId":    "the store does not know the access key: " + keys,
		"SignatureDoesNotMatch": "the secret does not belong to the access key, or a proxy changes requests: " + keys,
		"ExpiredToken":          "the credentials have ended: " + b.hintCredentials(),
		"InvalidToken":          "the session token does not belong to the access key: " + b.hintCredentials(),
		"RequestTimeTooSkewed":  "this machine's clock is off: let a time service (NTP) set it",
		"InvalidObjectState":    "the object is in an archive storage class: restore it first",
		"InvalidStorageClass":   "the store does not know this storage class: mend storage_class= in KYC_ARCHIVE",
		"EntityTooLarge":        "an object is 5 GB at most",
	}
	if b.config.Lock != "" {
		locked := "does the bucket have Object Lock? lock= in KYC_ARCHIVE needs a bucket that has it enabled"
		todo["InvalidRequest"], todo["InvalidBucketState"], todo[codeNoLock] = locked, locked, locked
	}
	return todo
}

func (b *Bucket) hintKMS(a answer) string {
	needed := a.action
	if needed == "" {
		needed = "kms:GenerateDataKey to write and kms:Decrypt to read"
	}
	return "the KMS key can not be used: it must be enabled, in the bucket's region, and let this role do " + needed
}

// hintForbidden: without s3:ListBucket a key that is not there is a 403 too (PLATFORMS, AWS).
func (b *Bucket) hintForbidden(action string, a answer) string {
	if a.action != "" {
		action = a.action
	}
	todo := "the role lacks " + action + " here"
	if a.deny {
		todo = "a policy denies " + action + " here"
	}
	if !a.deny && a.action == "" {
		todo += ", or a bucket policy or the KMS key refuses it"
	}
	if action == "s3:GetObject" {
		todo += "; without s3:ListBucket also an object that is not there is answered so"
	}
	return todo
}
