package serverlesstest

import (
	"os"
	"path"
	"strings"
	"testing"

	"github.com/kycvault/kycvault/pkg/platform"
	"github.com/kycvault/kycvault/pkg/platform/policytest"
)

// Rights are what the roles of the functions may do, for one archive.
type Rights struct {
	archive  platform.Archive
	stage    string
	policies map[string]policytest.Policy
}

// account is the number of the account that owns everything. Nobody checks it.
const account = "100000000001"

// LoadRights reads the policies for a KYC_ARCHIVE of scheme cos, and the functions of a stage of serverless.yml.
func LoadRights(t testing.TB, archive, stage string) *Rights {
	t.Helper()
	a, err := platform.ParseArchive(archive)
	if err != nil || a.Scheme != platform.SchemeCOS {
		t.Fatalf("read archive: %v, of scheme %q", err, a.Scheme)
	}
	r := &Rights{archive: a, stage: stage, policies: map[string]policytest.Policy{}}
	values := r.values()
	for _, function := range Functions() {
		text := os.Expand(string(read(t, "functions", "tencent", function, "policy.json")), func(name string) string {
			value, ok := values[name]
			if !ok {
				t.Fatalf("the policy of %s has a ${%s} that nothing fills", function, name)
			}
			return value
		})
		if r.policies[function], err = policytest.Parse([]byte(text)); err != nil {
			t.Fatalf("%s: %v", function, err)
		}
	}
	return r
}

// values are what stands for the names in the policies: docs/tencent.md has the same list.
func (r *Rights) values() map[string]string {
	region := r.archive.Options.Get("region")
	return map[string]string{
		"COS_REGION": region, "APPID": r.appID(), "BUCKET": r.archive.Bucket, "KEYS": r.key(""),
		"SCF_REGION": region, "UIN": account, "STAGE": r.stage,
	}
}

// appID is the end of a bucket's name.
func (r *Rights) appID() string {
	return r.archive.Bucket[strings.LastIndexByte(r.archive.Bucket, '-')+1:]
}

// Allowed tells whether a function's role may do something: cos:… with a key as the bucket has it ("" for calls about the
// bucket, a prefix for a listing), scf:InvokeFunction with a function's name, namespace/name where it is not the default one.
func (r *Rights) Allowed(function, action, key string) bool {
	return r.policies[function].Allows(action, r.resource(action, key))
}

// Granted lists what a function's role may do in the archive: an action and, behind a blank, the folder that it may do it in (see
// Folder); an action alone is about the bucket.
func (r *Rights) Granted(function string) []string {
	var all []string
	for _, action := range []string{"cos:GetObject", "cos:HeadObject", "cos:PutObject", "cos:DeleteObject"} {
		for _, folder := range []string{"pending/", "retry/", "quiet/", "closed/", "orders/", "journal/", "seals/", "system/ticket/", "system/lease/", "system/backoff", "system/probe/", "system/doctor/"} {
			if r.Allowed(function, action, r.key(folder)) || r.Allowed(function, action, r.key(folder+"x")) {
				all = append(all, action+" "+folder)
			}
		}
	}
	for _, action := range []string{"cos:GetBucket", "cos:HeadBucket", "cos:GetBucketVersioning"} {
		if r.Allowed(function, action, "") {
			all = append(all, action)
		}
	}
	return all
}

// key is one of the archive's, as the bucket has it.
func (r *Rights) key(key string) string {
	if r.archive.Prefix == "" {
		return key
	}
	return r.archive.Prefix + "/" + key
}

// Folder is the part that the policies go by of one of the archive's keys, without the archive's prefix.
func Folder(key string) string {
	parts := strings.SplitAfter(key, "/")
	switch {
	case parts[0] == "system/" && len(parts) > 2:
		return parts[0] + parts[1]
	case parts[0] == "system/":
		return key
	}
	return parts[0]
}

// resource names a thing as CAM does (document 598/10606, "resource description").
func (r *Rights) resource(action, key string) string {
	region := r.archive.Options.Get("region")
	if strings.HasPrefix(action, "scf:") {
		namespace, name := path.Split(key)
		if namespace == "" {
			namespace = "default/"
		}
		return "qcs::scf:" + region + ":uin/" + account + ":namespace/" + namespace + "function/" + name
	}
	return "qcs::cos:" + region + ":uid/" + r.appID() + ":" + r.archive.Bucket + "/" + key
}

// Functions are the names of the functions: the keys in serverless.yml, and the folders below functions/tencent.
func Functions() []string { return []string{"webhook", "pull", "refetch"} }
