package serverlesstest_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/kycvault/kycvault/pkg/bucket"
	"github.com/kycvault/kycvault/pkg/platform/tencent/serverlesstest"
)

const where = "cos://vault-1250000000/kyc?region=ap-guangzhou"

// TestRights: what no role may do, whatever the flow needs.
func TestRights(t *testing.T) {
	r := serverlesstest.LoadRights(t, where, "prod")
	for _, test := range []struct {
		functions, action string
		keys              []string
		want              bool
	}{
		{"webhook pull refetch", "cos:DeleteObject", []string{"kyc/orders/a/manifest.json", "kyc/journal/2026-11-23/x", "kyc/seals/20261123T000000Z/leaves", "kyc/closed/a.b", "kyc/system/ticket/000000000001", "kyc/system/lease/000000000001"}, false},
		{"webhook refetch", "cos:PutObject", []string{"kyc/orders/a/manifest.json", "kyc/journal/2026-11-23/x", "kyc/closed/a.b", "kyc/system/backoff", "kyc/system/doctor/x"}, false},
		{"pull refetch", "cos:PutObject", []string{"kyc/pending/a.b"}, false},
		{"webhook pull", "cos:PutObject", []string{"kyc/seals/20261123T000000Z/leaves", "kyc/seals/20261123T000000Z/checkpoint"}, false},
		{"refetch", "cos:GetObject", []string{"kyc/orders/a/manifest.json", "kyc/journal/2026-11-23/x"}, false},
		{"webhook", "cos:PutObject", []string{"kyc/system/ticket/000000000001", "kyc/system/lease/000000000001"}, false},
		{"webhook", "cos:DeleteObject", []string{"kyc/pending/a.b"}, false},
		{"refetch", "cos:DeleteObject", []string{"kyc/pending/a.b"}, false},
		{"webhook pull refetch", "cos:GetObject", []string{"other/orders/a/manifest.json", "orders/a/manifest.json", "kyc2/orders/a/manifest.json"}, false},
		{"webhook pull refetch", "cos:PutObject", []string{"other/retry/a.b", "retry/a.b", "pending/a.b"}, false},
		{"webhook pull refetch", "cos:PutBucketVersioning", []string{""}, false},
		{"webhook pull refetch", "cos:PutObjectACL", []string{"kyc/pending/a.b", "kyc/retry/a.b"}, false},
		{"webhook refetch", "scf:InvokeFunction", []string{"kycvault-prod-pull"}, true},
		{"webhook refetch", "scf:InvokeFunction", []string{"kycvault-test-pull", "kycvault-prod-refetch", "other/kycvault-prod-pull"}, false},
		{"pull", "scf:InvokeFunction", []string{"kycvault-prod-pull", "kycvault-prod-refetch"}, false},
		{"webhook refetch", "scf:UpdateFunctionCode", []string{"kycvault-prod-pull"}, false},
		{"webhook pull refetch", "cos:GetBucket", []string{"", "kyc/pending/"}, true},
		{"webhook pull refetch", "cos:GetBucketVersioning", []string{""}, true},
	} {
		for _, function := range strings.Fields(test.functions) {
			for _, key := range test.keys {
				if got := r.Allowed(function, test.action, key); got != test.want {
					t.Errorf("%s may %s on %q: %t", function, test.action, key, got)
				}
			}
		}
	}
}

// TestRightsWithoutPrefix: an archive that fills its bucket has the same rights.
func TestRightsWithoutPrefix(t *testing.T) {
	r := serverlesstest.LoadRights(t, "cos://vault-1250000000?region=ap-guangzhou", "prod")
	if !r.Allowed("pull", "cos:PutObject", "orders/a/manifest.json") || r.Allowed("pull", "cos:PutObject", "kyc/orders/a/manifest.json") {
		t.Error("the rights are not at the bucket's top")
	}
}

// TestTrust: SCF, and nobody else, may act as a role.
func TestTrust(t *testing.T) {
	data, err := os.ReadFile(filepath.Join(serverlesstest.Root(t), "functions", "tencent", "trust.json"))
	if err != nil {
		t.Fatal(err)
	}
	var got any
	if err := json.Unmarshal(data, &got); err != nil {
		t.Fatal(err)
	}
	const want = `map[statement:[map[action:[name/sts:AssumeRole] effect:allow principal:map[service:[scf.qcloud.com]]]] version:2.0]`
	if fmt.Sprint(got) != want {
		t.Errorf("trust.json says %v", got)
	}
}

// calls are the rights that a function used: actions with the first part of the keys.
type calls struct {
	mu   sync.Mutex
	used map[string]map[string]bool // by function
}

func (c *calls) add(function, action, key string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.used[function] == nil {
		c.used[function] = map[string]bool{}
	}
	c.used[function][action+" "+key] = true
}

// watched is a bucket that notes what a function does with it, as the calls that cosbucket makes of it.
type watched struct {
	bucket.Bucket
	function string
	*calls
}

func (w watched) note(key string, actions ...string) {
	for _, action := range actions {
		w.add(w.function, action, key)
	}
}

func (w watched) Create(ctx context.Context, key string, c bucket.Content) error {
	w.note(key, "cos:PutObject", "cos:HeadObject") // it looks where a put was answered with trouble
	return w.Bucket.Create(ctx, key, c)
}

func (w watched) Put(ctx context.Context, key string, c bucket.Content) error {
	w.note(key, "cos:PutObject")
	return w.Bucket.Put(ctx, key, c)
}

func (w watched) Get(ctx context.Context, key string) (io.ReadCloser, bucket.Object, error) {
	w.note(key, "cos:GetObject")
	return w.Bucket.Get(ctx, key)
}

func (w watched) Delete(ctx context.Context, key string) error {
	w.note(key, "cos:DeleteObject")
	return w.Bucket.Delete(ctx, key)
}

func (w watched) List(ctx context.Context, prefix, after string) iter.Seq2[bucket.Object, error] {
	w.note(prefix, "cos:GetBucket")
	return w.Bucket.List(ctx, prefix, after)
}

// Properties are cosbucket's: what a stale listing may hide is looked for.
func (w watched) Properties() bucket.Properties {
	p := w.Bucket.Properties()
	p.StrongListing = false
	return p
}

func (w watched) Now(ctx context.Context) (time.Time, error) {
	w.note("", "cos:HeadBucket")
	return w.Bucket.Now(ctx)
}

// spare are the rights that a flow without accidents does not use, with their reason.
var spare = map[string]string{
	"webhook cos:GetBucketVersioning":  "asked once, by cosbucket itself",
	"pull cos:GetBucketVersioning":     "asked once, by cosbucket itself",
	"refetch cos:GetBucketVersioning":  "asked once, by cosbucket itself",
	"pull cos:GetObject system/probe/": "who stands in the way of a probe: two steps must meet there",
}

// TestFlowHasItsRights: every call that the flow makes is one that the function's role may make, and every right that a role
// has is used, but for the spare ones.
func TestFlowHasItsRights(t *testing.T) {
	r, seen := serverlesstest.LoadRights(t, where, "prod"), play(t)
	for _, function := range serverlesstest.Functions() {
		used := map[string]bool{}
		for entry := range seen.used[function] {
			action, key, _ := strings.Cut(entry, " ")
			used[action+" "+serverlesstest.Folder(key)], used[action] = true, true
			if key != "" {
				key = "kyc/" + key
			}
			if !r.Allowed(function, action, key) {
				t.Errorf("%s calls %s on %q, and may not", function, action, key)
			}
		}
		for _, right := range r.Granted(function) {
			if !used[right] && spare[function+" "+right] == "" {
				t.Errorf("%s may %s, and never does", function, right)
			}
		}
	}
}
