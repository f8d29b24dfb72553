package faceid

import (
	"fmt"
	"strings"
	"testing"

	"github.com/kycvault/kycvault/pkg/kyc"
)

// codeTable is the table of PROTOCOL section 5, with the ranges as it writes them.
const codeTable = `
ok: 0
final: 66660004
final: 66660005 66660010 66660015 66660016 66660017 66660018 66660022 66660023 66660024 66660025 66660026 66660033
final: 66660035..66660042
final: -5001 -5005 -5018 -5020 -5025 -5027 -1101 -1102 -1404 -4014 -4017 -4018 400604 400503
final: -5011..-5008
ticket: 400100 400101 400102 400105 15
config: 400103 400104 400502 66660001 66660002 66660030 400601
busy: 400501 400504 400506
transient: 66660021 999997 999998 999999
pending: 66660011
`

func TestClassOf(t *testing.T) {
	listed := map[string]bool{}
	for line := range strings.Lines(strings.TrimSpace(codeTable)) {
		class, codes, _ := strings.Cut(line, ":")
		for _, code := range expand(t, strings.Fields(codes)) {
			listed[code] = true
			if got := ClassOf(code); got != kyc.Class(class) {
				t.Errorf("ClassOf(%s) = %s, want %s", code, got, class)
			}
		}
	}
	if len(listed) != 1+1+12+8+14+4+5+7+3+4+1 {
		t.Errorf("the table has %d codes", len(listed))
	}
	for _, near := range []string{"66660034", "66660043", "-5007", "-5012", "00", "", " 0", "5008", "FailedOperation.X", "41000"} {
		if got := ClassOf(near); got != kyc.Pending {
			t.Errorf("ClassOf(%q), which is not in the table, = %s, want pending", near, got)
		}
	}
}

func expand(t *testing.T, fields []string) (codes []string) {
	t.Helper()
	for _, f := range fields {
		if !strings.Contains(f, "..") {
			codes = append(codes, f)
			continue
		}
		var from, to int
		if _, err := fmt.Sscanf(f, "%d..%d", &from, &to); err != nil {
			t.Fatal(err)
		}
		for n := from; n <= to; n++ {
			codes = append(codes, fmt.Sprint(n))
		}
	}
	return codes
}
