package samtest_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kycvault/kycvault/pkg/archive"
	"github.com/kycvault/kycvault/pkg/platform/aws/samtest"
)

// TestRightsAreTheTable holds the roles to the table of rights, both ways, with every choice and with each alone.
func TestRightsAreTheTable(t *testing.T) {
	for name, test := range map[string]struct {
		parameters map[string]string
		when       []string
	}{
		"everything": {everything(), []string{"", samtest.WhenOwn, samtest.WhenLock, samtest.WhenKey, samtest.WhenSeal, samtest.WhenLockedSeal}},
		"defaults":   {least(), []string{"", samtest.WhenOwn}},
		"service":    {service(), []string{""}},
		"lock":       {lock(), []string{"", samtest.WhenLock}},
		"key":        {key(), []string{"", samtest.WhenKey}},
		"seal":       {with(service(), map[string]string{"Seal": "yes"}), []string{"", samtest.WhenSeal}},
	} {
		s, p := policies(t, test.parameters)
		for _, function := range s.Functions() {
			var want []string
			for _, r := range samtest.Rights() {
				if r.For(function) && slices.Contains(test.when, r.When) {
					want = append(want, r.Action+" "+r.Where)
				}
			}
			var got []string
			for _, r := range p.Has(function) {
				got = append(got, r.Action+" "+r.Where)
			}
			slices.Sort(want)
			slices.Sort(got)
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s: rights of %s (-table +template):\n%s", name, function, diff)
			}
		}
	}
}

// Keys as the code makes them.
var (
	mark     = archive.Mark{Order: "orderNo0001", Opening: "06h0jj61jg0i7k0tk96e9k3vfg"}
	digest   = strings.Repeat("ab", 32)
	photo    = archive.FileKey(mark.Order, archive.FileName(archive.Photo, digest, "jpg"))
	result   = archive.FileKey(mark.Order, archive.FileName(archive.Result, digest, "json"))
	manifest = archive.FileKey(mark.Order, archive.ManifestName(1))
	second   = archive.FileKey(mark.Order, archive.ManifestName(2))
)

// TestAllowed asks for calls that the code makes, and for those that nobody may make.
func TestAllowed(t *testing.T) {
	const get, put, remove = "s3:GetObject", "s3:PutObject", "s3:DeleteObject"
	for _, parameters := range []map[string]string{least(), everything()} {
		sealer := map[string]string{"yes": "refetch"}[parameters["Seal"]]
		s, p := policies(t, parameters)
		send, err := s.SQSCall("AmazonSQS.SendMessageBatch")
		if err != nil {
			t.Fatal(err)
		}
		other := s.Object(get, photo)
		other.Resource = strings.Replace(other.Resource, s.Bucket(), "another-bucket", 1)
		plain := s.Put(mark.PendingKey(), true)
		plain.Keys["aws:SecureTransport"] = "false"
		for _, test := range []struct {
			by   string // who may make the call; nobody else may
			call samtest.Call
		}{
			{"pull", s.Put(photo, true)},
			{"pull", s.Put(manifest, true)},
			{"", s.Put(photo, false)},
			{"", s.Put(archive.FileKey(mark.Order, "anything"), false)},
			{"pull", s.Put("journal/2026-11-25/120000.orderNo0001."+digest, true)},
			{"", s.Put("journal/2026-11-25/120000.orderNo0001."+digest, false)},
			{"", s.Object(remove, photo)},
			{"", s.Object(remove, manifest)},
			{"", s.Object(remove, "journal/2026-11-25/120000.orderNo0001."+digest)},
			{"", s.Object(remove, mark.ClosedKey())},
			{"", s.Object(remove, archive.TicketKey(7))},
			{"", s.Object("s3:DeleteObjectVersion", mark.PendingKey())},
			{"", s.Object("s3:BypassGovernanceRetention", photo)},
			{"", s.Object("s3:PutObjectAcl", photo)},
			{"pull", s.Object(get, photo)},
			{"pull", s.Object(get, result)},
			{"pull webhook", s.Object(get, manifest)},
			{"pull webhook", s.Object(get, second)},
			{"webhook", s.Put(mark.PendingKey(), true)},
			{"", plain},
			{"pull", s.Object(remove, mark.PendingKey())},
			{"pull refetch webhook", s.Object(remove, mark.RetryKey())},
			{"pull webhook", s.Put(mark.QuietKey(), false)},
			{"pull", s.Put(mark.ClosedKey(), true)},
			{"pull", s.Put(archive.BackoffKey(), false)},
			{"pull refetch", s.Object(get, archive.BackoffKey())},
			{"pull", s.Object(remove, archive.ProbeKey(mark.Opening))},
			{"pull refetch", s.Put(archive.LeaseKey(8), true)},
			{"pull refetch webhook", s.Object(get, archive.TicketKey(7))},
			{"", s.Put("system/doctor/x.put", false)},
			{"", s.Put("elsewhere", true)},
			{"", other},
			{"pull refetch webhook", s.Look()},
			{"pull webhook", s.List("pending/orderNo0001.")},
			{"refetch", s.List("pending/")},
			{"pull", s.List("orders/orderNo0001/")},
			{"", s.List("orders/")},
			{sealer, s.List("journal/")},
			{sealer, s.List("seals/")},
			{sealer, s.Put("seals/20261123T000000Z/checkpoint", true)},
			{"", s.Put("seals/20261123T000000Z/checkpoint", false)},
			{"", s.Object(remove, "seals/20261123T000000Z/checkpoint")},
			{"", s.List("closed/")},
			{"", s.List("")},
			{"pull refetch webhook", send},
			{"pull", samtest.Call{Action: "sqs:ReceiveMessage", Resource: send.Resource}},
			{"pull refetch", samtest.Call{Action: "sqs:GetQueueAttributes", Resource: send.Resource}},
			{"", samtest.Call{Action: "sqs:SendMessage", Resource: send.Resource + "s"}},
			{"", samtest.Call{Action: "sqs:PurgeQueue", Resource: send.Resource}},
			{"", samtest.Call{Action: put, Resource: "arn:aws:s3:::" + s.Bucket()}},
		} {
			var by []string
			for _, function := range s.Functions() {
				if p.Allowed(function, test.call) {
					by = append(by, strings.ToLower(strings.TrimSuffix(function, "Function")))
				}
			}
			if got := strings.Join(by, " "); got != test.by {
				t.Errorf("prefix %q: %s may be called by %q, want %q", s.Prefix(), test.call, got, test.by)
			}
		}
	}
}

// TestChoicesGiveRights: what a choice needs is there with it only.
func TestChoicesGiveRights(t *testing.T) {
	off, none := policies(t, service())
	on, all := policies(t, everything())
	decrypt := samtest.Call{Action: "kms:Decrypt", Resource: everything()["KmsKeyArn"]}
	direct := samtest.Call{Action: "kms:Decrypt", Resource: decrypt.Resource, Keys: map[string]string{"kms:ViaService": "lambda.us-east-1.amazonaws.com"}}
	for _, test := range []struct {
		name            string
		without, within samtest.Call
	}{
		{"a ticket", off.Object("s3:GetObject", archive.TicketKey(7)), on.Object("s3:GetObject", archive.TicketKey(7))},
		{"tickets' names", off.List(archive.TicketPrefix), on.List(archive.TicketPrefix)},
		{"a lock", off.Object("s3:PutObjectRetention", photo), on.Object("s3:PutObjectRetention", photo)},
		{"a key", decrypt, decrypt},
	} {
		if none.Allowed("PullFunction", test.without) || !all.Allowed("PullFunction", test.within) {
			t.Errorf("%s: without the choice %t, with it %t", test.name, none.Allowed("PullFunction", test.without), all.Allowed("PullFunction", test.within))
		}
	}
	if all.Allowed("PullFunction", direct) || all.Allowed("WebhookFunction", on.Object("s3:PutObjectRetention", photo)) {
		t.Error("the key is for S3 alone, the lock for pull alone")
	}
}

// TestGivenBucket: without a bucket of its own the stack makes no policy for it either, and rights are the same.
func TestGivenBucket(t *testing.T) {
	s, p := policies(t, with(least(), map[string]string{"CreateBucket": "no"}))
	for _, id := range []string{"Archive", "ArchivePolicy"} {
		if _, ok := s.Resources[id]; ok {
			t.Errorf("%s is made for a bucket that is there", id)
		}
	}
	if !p.Allowed("PullFunction", s.Put(photo, true)) || p.Allowed("WebhookFunction", s.Put(photo, true)) {
		t.Error("rights depend on who made the bucket")
	}
}
