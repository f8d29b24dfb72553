package samtest_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/kycvault/kycvault/pkg/archive"
	"github.com/kycvault/kycvault/pkg/platform/aws/samtest"
)

// TestBucketIsClosed: kept when the stack goes, never public, owned by its owner, encrypted, without a default lock.
func TestBucketIsClosed(t *testing.T) {
	for _, parameters := range []map[string]string{least(), everything(), lock(), key()} {
		s := stack(t, parameters)
		b := s.Resources["Archive"]
		if !strings.HasPrefix(b.Deletion, "Retain") {
			t.Errorf("with the stack the bucket's fate is %q", b.Deletion)
		}
		for _, block := range []string{"BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets"} {
			if samtest.At(b.Properties, "PublicAccessBlockConfiguration", block) != true {
				t.Errorf("%s is not on", block)
			}
		}
		if owner := samtest.At(b.Properties, "OwnershipControls", "Rules", "0", "ObjectOwnership"); owner != "BucketOwnerEnforced" {
			t.Errorf("objects are owned by %v", owner)
		}
		encryption := samtest.At(b.Properties, "BucketEncryption", "ServerSideEncryptionConfiguration", "0", "ServerSideEncryptionByDefault", "SSEAlgorithm")
		if want := map[bool]string{true: "AES256", false: "aws:kms"}[s.Parameters["KmsKeyArn"] == ""]; encryption != want {
			t.Errorf("encryption is %v, want %s", encryption, want)
		}
		locked := s.Parameters["ObjectLock"] != "none"
		lock, versions := b.Properties["ObjectLockEnabled"], samtest.At(b.Properties, "VersioningConfiguration", "Status")
		if (lock == true) != locked || (versions == "Enabled") != locked || b.Properties["ObjectLockConfiguration"] != nil {
			t.Errorf("lock %v, versioning %v, default lock %v", lock, versions, b.Properties["ObjectLockConfiguration"])
		}
		for _, queue := range []string{"Queue", "DeadLetters"} {
			if s.Resources[queue].Properties["SqsManagedSseEnabled"] != true {
				t.Errorf("%s is not encrypted", queue)
			}
		}
	}
}

// TestLifecycle: what was cleared goes for good, and nothing that counts ever expires.
func TestLifecycle(t *testing.T) {
	if samtest.At(stack(t, least()).Resources["Archive"].Properties, "LifecycleConfiguration") != nil {
		t.Error("without versions there is nothing to expire")
	}
	s := stack(t, everything())
	rules, _ := samtest.At(s.Resources["Archive"].Properties, "LifecycleConfiguration", "Rules").([]any)
	var prefixes []string
	for _, rule := range rules {
		m := rule.(map[string]any)
		prefix, ok := strings.CutPrefix(m["Prefix"].(string), s.Prefix())
		if !ok {
			t.Errorf("rule %v is for other keys than the archive's", m["Id"])
		}
		prefixes = append(prefixes, prefix)
		if m["Status"] != "Enabled" || m["ExpiredObjectDeleteMarker"] != true || samtest.At(m, "NoncurrentVersionExpiration", "NoncurrentDays") != 1 || len(m) != 5 {
			t.Errorf("rule %v: %v", m["Id"], m)
		}
	}
	covered := func(key string) bool {
		return slices.ContainsFunc(prefixes, func(p string) bool { return strings.HasPrefix(key, p) })
	}
	for key, want := range map[string]bool{
		mark.PendingKey(): true, mark.RetryKey(): true, mark.QuietKey(): true, archive.BackoffKey(): true, archive.ProbeKey("x"): true,
		mark.ClosedKey(): false, photo: false, manifest: false, "journal/2026-11-25/120000.o." + digest: false,
		archive.TicketKey(7): false, archive.LeaseKey(7): false, "seals/20261123T000000Z/checkpoint": false,
	} {
		if covered(key) != want {
			t.Errorf("%s: expires %t, want %t", key, covered(key), want)
		}
	}
}
