package tencent_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/kycvault/kycvault/pkg/archive"
	"github.com/kycvault/kycvault/pkg/bucket/cosbucket/costest"
	"github.com/kycvault/kycvault/pkg/kyc"
)

// wait waits until every order is archived and no marker of it is left.
func (d *deployment) wait(within time.Duration, orders ...string) {
	d.t.Helper()
	vault := archive.New(d.bucket)
	q := kyc.Orders{Archive: vault}
	for _, o := range orders {
		state := "not looked at"
		d.until(within, func() bool {
			st, err := q.Status(d.t.Context(), archive.Order(o))
			seen, markErr := vault.Markers(d.t.Context(), archive.Order(o))
			state = fmt.Sprintf("%q with markers %v: %v %v", st.State, seen.Marks(), err, markErr)
			return err == nil && markErr == nil && st.State == kyc.StateArchived && len(seen.Marks()) == 0
		}, func() string { return "order " + o + " is " + state })
	}
}

// until waits for a condition.
func (d *deployment) until(within time.Duration, met func() bool, otherwise func() string) {
	d.t.Helper()
	ctx, cancel := context.WithTimeout(d.t.Context(), within)
	defer cancel()
	for !met() {
		if !pause(ctx, 50*time.Millisecond) {
			d.t.Fatalf("%s\n%s", otherwise(), d.logs())
		}
	}
}

// verify judges the archive.
func (d *deployment) verify() {
	d.t.Helper()
	d.cos.Settle()
	vault := archive.New(d.bucket)
	if _, err := vault.Verify(d.t.Context(), func(damage archive.Damage) { d.t.Errorf("damage: %+v", damage) }); err != nil {
		d.t.Error(err)
	}
	for _, where := range []string{archive.ScanPending, archive.ScanRetry, archive.ScanQuiet} {
		for l, err := range vault.Scan(d.t.Context(), where) {
			d.t.Errorf("left in %s: %v %v", where, l.Mark, err)
		}
	}
}

// evidenceWrittenOnce: every object below orders/ and journal/ was stored once, whatever was tried and whatever was answered,
// and none was removed.
func (d *deployment) evidenceWrittenOnce(atLeast int) {
	d.t.Helper()
	stored := make(map[string]int)
	for _, c := range d.cos.History() {
		if !c.Changed || !strings.HasPrefix(c.Key, prefix+"orders/") && !strings.HasPrefix(c.Key, prefix+"journal/") {
			continue
		}
		if c.Action != costest.PutObject || !c.ForbidOverwrite {
			d.t.Errorf("%s of %s, create-once %t", c.Action, c.Key, c.ForbidOverwrite)
		}
		stored[c.Key]++
	}
	for key, n := range stored {
		if n != 1 {
			d.t.Errorf("%s was stored %d times", key, n)
		}
	}
	if len(stored) < atLeast {
		d.t.Errorf("only %d objects were stored", len(stored))
	}
}

// holdsSecrets: no log holds a secret, a ticket, a signature, or a byte of a medium.
func (d *deployment) holdsSecrets() {
	d.t.Helper()
	secrets := []string{"planted", jwtKey, "eyJ", "/9j/", "q-signature", "Signature="}
	if ticket, ok := d.sim.Ticket(); ok {
		secrets = append(secrets, ticket.Reveal())
	}
	for name, f := range d.functions() {
		for _, s := range secrets {
			if i := strings.Index(f.Logs(), s); i >= 0 {
				d.t.Errorf("the log of %s holds a secret: …%s", name, f.Logs()[max(0, i-200):i])
			}
		}
	}
}

// hasItsRights: no call of a function was refused for want of a right. CAM stands before COS in these tests (allow); the API's
// calls are judged here.
func (d *deployment) hasItsRights() {
	d.t.Helper()
	for _, c := range d.cos.History() {
		if c.Code == "AccessDenied" {
			d.t.Errorf("%s may not make its call %s on %q", functionOf(c.SecretID), c.Action, c.Key)
		}
	}
	for _, c := range d.api.Calls() {
		if c.Event.Function == "" { // not taken apart: refused before
			continue
		}
		if function := functionOf(c.SecretID); !d.rights.Allowed(function, "scf:InvokeFunction", c.Event.Function) {
			d.t.Errorf("%s may not invoke %s", function, c.Event.Function)
		}
	}
}

// archived are the archive's keys that begin with a text.
func (d *deployment) archived(begin string) []string {
	return slices.DeleteFunc(d.cos.Keys(), func(key string) bool { return !strings.HasPrefix(key, prefix+begin) })
}

// waitFor waits until there is an object below each of these.
func (d *deployment) waitFor(begins ...string) {
	d.t.Helper()
	for _, begin := range begins {
		d.until(time.Minute, func() bool { return len(d.archived(begin)) > 0 }, func() string { return "there is no " + begin })
	}
}

// longAgo sets the time back at which objects were written.
func (d *deployment) longAgo(by time.Duration, begins ...string) {
	for _, begin := range begins {
		d.cos.Backdate(prefix+begin, by)
	}
}
