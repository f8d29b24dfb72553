package platform

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// contract are the variables that users depend on (DESIGN section 6). One may be added, none taken away.
const contract = `KYC_APP_ID KYC_SECRET KYC_BASE_URL KYC_API KYC_TICKET KYC_TICKET_TOKEN KYC_ARCHIVE KYC_MEDIA KYC_RECIPIENTS KYC_IDENTITY
	KYC_WEBHOOK_AUTH KYC_WEBHOOK_KEY KYC_WEBHOOK_REDIRECT KYC_WEBHOOK_ORIGINS KYC_STEP_DELAY KYC_STEPS KYC_REFETCH_EVERY KYC_DEADLINE
	KYC_SEAL_KEY KYC_SEAL_EVERY KYC_SEAL_GRACE KYC_TSA_URL KYC_TSA_CA
	KYC_QUEUE_URL KYC_WORKERS KYC_METRICS KYC_PULL_FUNCTION KYC_SCF_ENDPOINT KYC_LOG_LEVEL`

func names() []string {
	var all []string
	for _, v := range Variables() {
		all = append(all, v.Name)
	}
	return all
}

func TestVariablesAreTheContract(t *testing.T) {
	if diff := cmp.Diff(strings.Fields(contract), names()); diff != "" {
		t.Errorf("variables (-contract +code):\n%s", diff)
	}
	for _, v := range Variables() {
		if v.What == "" || v.Required != "" && v.Default != "" {
			t.Errorf("%s must say what it is, and not be required with a default", v.Name)
		}
	}
}

// TestLoadReadsTheTable proves that the table and Load are about the same variables.
func TestLoadReadsTheTable(t *testing.T) {
	read := map[string]bool{}
	_, err := Load(func(name string) (string, bool) {
		read[name] = true
		return least().lookup(name)
	}, NeedAll)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names() {
		if !read[name] {
			t.Errorf("%s is in the table and never read", name)
		}
		delete(read, name)
	}
	for name := range read {
		if strings.HasPrefix(name, Prefix) {
			t.Errorf("%s is read and not in the table", name)
		}
	}
}

func TestAttrsShowEveryVariable(t *testing.T) {
	c, err := Load(least().lookup, NeedAll)
	if err != nil {
		t.Fatal(err)
	}
	var shown []string
	values := map[string]string{}
	for _, a := range c.Attrs() {
		shown = append(shown, a.Key)
		values[a.Key] = a.Value.String()
	}
	if diff := cmp.Diff(names(), shown); diff != "" {
		t.Errorf("shown (-variables +attrs):\n%s", diff)
	}
	want := map[string]string{"KYC_SECRET": "set", "KYC_TICKET_TOKEN": "not set", "KYC_WEBHOOK_KEY": "set", "KYC_TICKET": "own",
		"KYC_ARCHIVE": "file:///var/lib/kycvault", "KYC_MEDIA": "photo,video", "KYC_DEADLINE": "72h0m0s", "KYC_LOG_LEVEL": "info"}
	for name, value := range want {
		if values[name] != value {
			t.Errorf("%s shows as %q, want %q", name, values[name], value)
		}
	}
}

func TestUnknown(t *testing.T) {
	got := Unknown([]string{"PATH=/bin", "KYC_WEBHOK_KEY=secret", "KYC_API=sync", "KYC_API_KEY", "KYC_WEBHOK_KEY=again", "KYCVAULT=1"})
	if diff := cmp.Diff([]string{"KYC_API_KEY", "KYC_WEBHOK_KEY"}, got); diff != "" {
		t.Errorf("Unknown (-want +got):\n%s", diff)
	}
}
