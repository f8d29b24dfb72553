package local_test

import (
	"bytes"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kycvault/kycvault/pkg/agekey"
	"github.com/kycvault/kycvault/pkg/archive"
	"github.com/kycvault/kycvault/pkg/faceid/faceidtest"
	"github.com/kycvault/kycvault/pkg/kyc"
	"github.com/kycvault/kycvault/pkg/peertest"
	"github.com/kycvault/kycvault/pkg/secret"
)

// live runs a server in a bubble of fake time, and f beside it.
func live(t *testing.T, extra map[string]string, f func(h *house, p *process)) {
	t.Helper()
	dir := folder(t)
	synctest.Test(t, func(t *testing.T) {
		logs := new(peertest.Log)
		h := &house{t: t, dir: dir, config: settings(t, extra), log: slog.New(slog.NewTextHandler(logs, nil)), logs: logs}
		h.sim = faceidtest.New(faceidtest.Config{AppID: appID, Secret: secret.New(appSecret), Now: time.Now})
		p := h.start(&faults{})
		f(h, p)
		p.stop()
		time.Sleep(2 * time.Minute)
		if t.Failed() && testing.Verbose() {
			t.Log(logs.String())
		}
	})
}

// status gives what the archive says of an order.
func (h *house) status(p *process, order string) kyc.Status {
	h.t.Helper()
	st, err := p.Orders.Status(h.t.Context(), archive.Order(order))
	if err != nil {
		h.t.Fatalf("status of %s: %v", order, err)
	}
	return st
}

func (h *house) wantState(p *process, order string, want kyc.State) {
	h.t.Helper()
	if got := h.status(p, order).State; got != want {
		h.t.Errorf("order %s is %s, want %s", order, got, want)
	}
}

// queries gives the queries about an order: minutes since the first, and what was wanted.
func (h *house) queries(order string) (wants []string, at []time.Time) {
	for _, c := range h.sim.History() {
		if c.Order == order {
			wants = append(wants, c.Want)
			at = append(at, c.Time)
		}
	}
	return wants, at
}

// files lists the keys below a prefix.
func (h *house) files(folder string) []string {
	h.t.Helper()
	entries, err := os.ReadDir(filepath.Join(h.dir, filepath.FromSlash(folder)))
	if err != nil && !os.IsNotExist(err) {
		h.t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

func kinds(files []archive.File) (kinds []string) {
	for _, f := range files {
		kinds = append(kinds, string(f.Kind))
	}
	return kinds
}

// TestEveryCase plays every test order number of the fake, in both dialects, and compares the archive with what the
// fake's own table promises; the archived bytes must be the source's.
func TestEveryCase(t *testing.T) {
	hidden := life{}.encrypted(t)
	for name, extra := range map[string]map[string]string{
		"sync": {"KYC_API": "sync"}, "facerecord": {"KYC_API": "facerecord"}, "encrypted": {"KYC_RECIPIENTS": hidden.public},
	} {
		t.Run(name, func(t *testing.T) {
			live(t, extra, func(h *house, p *process) {
				h.keys = hidden.keys
				cases := faceidtest.Cases()
				for _, c := range cases {
					if !p.complete(t, c.Example) {
						t.Errorf("order %s was refused", c.Example)
					}
				}
				time.Sleep(80 * time.Hour)
				for _, c := range cases {
					h.checkCase(p, c)
				}
				damage := func(d archive.Damage) { t.Errorf("damage: %+v", d) }
				if _, err := p.Archive.VerifyWith(h.t.Context(), damage, archive.VerifyOptions{Keys: h.keys}); err != nil {
					t.Error(err)
				}
				for _, dir := range []string{"pending", "retry", "quiet"} {
					if left := h.files(dir); len(left) > 0 {
						t.Errorf("left in %s: %v", dir, left)
					}
				}
			})
		})
	}
}

func (h *house) checkCase(p *process, c faceidtest.Case) {
	t := h.t
	t.Helper()
	st := h.status(p, c.Example)
	if string(st.State) != c.State {
		t.Errorf("%s (%s): %s, want %s", c.Example, c.Does, st.State, c.State)
		return
	}
	photo, video := faceidtest.MediaOf(c.Example)
	end := ""
	if len(h.config.Recipients) > 0 {
		end = ".age"
	}
	for kind, m := range map[archive.Kind]struct {
		ext    string
		digest string
	}{archive.Photo: {c.Photo, photo.SHA256()}, archive.Video: {c.Video, video.SHA256()}} {
		i := slices.IndexFunc(st.Files, func(f archive.File) bool { return f.Kind == kind })
		switch {
		case m.ext == "" && i >= 0:
			t.Errorf("%s has a %s", c.Example, kind)
		case m.ext == "":
		case i < 0:
			t.Errorf("%s has no %s", c.Example, kind)
		case !strings.HasSuffix(st.Files[i].Name, "."+m.ext+end) || st.Files[i].SHA256 != m.digest:
			t.Errorf("%s: %s is %s, want %s with %s", c.Example, kind, st.Files[i].Name, m.ext, m.digest)
		}
	}
}

func TestLateVideoIsAskedForAlone(t *testing.T) {
	live(t, nil, func(h *house, p *process) {
		p.complete(t, "videolate1")
		time.Sleep(10 * time.Minute)
		h.wantState(p, "videolate1", kyc.StateArchived)
		wants, _ := h.queries("videolate1")
		// result, both (not yet), both (photo), video alone
		if last := wants[len(wants)-1]; last != "3" {
			t.Errorf("queries wanted %q: the last is not for the video alone", wants)
		}
		if n := strings.Count(strings.Join(wants, " "), "1"); n > 2 {
			t.Errorf("queries wanted %q: the photo was asked for again", wants)
		}
	})
}

func TestQuietOrderIsAskedEverMoreSeldom(t *testing.T) {
	live(t, nil, func(h *house, p *process) {
		p.complete(t, "walkaway1")
		time.Sleep(71 * time.Hour)
		h.wantState(p, "walkaway1", kyc.StatePending)
		_, at := h.queries("walkaway1")
		var hours []int
		for _, q := range at {
			if age := q.Sub(at[0]); age > 45*time.Minute {
				hours = append(hours, int(age.Round(time.Hour).Hours()))
			}
		}
		if diff := cmp.Diff([]int{1, 2, 4, 9, 18, 36}, hours); diff != "" && len(hours) > 8 {
			t.Errorf("asked at hours %v", hours)
		}
		time.Sleep(3 * time.Hour)
		h.wantState(p, "walkaway1", kyc.StateUnavailable)
		if !p.complete(t, "walkaway1") {
			t.Error("a closed order was not opened again")
		}
		h.wantState(p, "walkaway1", kyc.StatePending)
	})
}

func TestAnnouncedOrderIsPulledWhenItsCheckEnds(t *testing.T) {
	live(t, nil, func(h *house, p *process) {
		h.sim.EndCheck("ok1", time.Now().Add(5*time.Hour))
		p.complete(t, "ok1") // the back end announces the order
		time.Sleep(5*time.Hour + time.Minute)
		h.wantState(p, "ok1", kyc.StatePending)
		p.complete(t, "ok1") // the front end says that it is done
		time.Sleep(10 * time.Second)
		h.wantState(p, "ok1", kyc.StateArchived)
	})
}

func TestRepeatedCompletionsHintOnceAMinute(t *testing.T) {
	live(t, nil, func(h *house, p *process) {
		p.complete(t, "walkaway1")
		time.Sleep(2 * time.Minute)
		wants, _ := h.queries("walkaway1")
		for range 50 {
			p.complete(t, "walkaway1")
		}
		time.Sleep(50 * time.Second)
		more, _ := h.queries("walkaway1")
		if steps := len(more) - len(wants); steps != 3 {
			t.Errorf("50 completions made %d queries, want one chain of 3", steps)
		}
	})
}

func TestFinalVerdictWithoutMediaIsPartialAfterAnHour(t *testing.T) {
	live(t, nil, func(h *house, p *process) {
		p.complete(t, "nomedia1")
		time.Sleep(55 * time.Minute)
		h.wantState(p, "nomedia1", kyc.StatePending)
		time.Sleep(20 * time.Minute)
		st := h.status(p, "nomedia1")
		if diff := cmp.Diff([]string{"photo", "video"}, st.Missing); st.State != kyc.StatePartial || diff != "" {
			t.Errorf("%s, missing %v", st.State, st.Missing)
		}
	})
}

func TestPartialOrderIsOpenedAgainAndBecomesWhole(t *testing.T) {
	live(t, map[string]string{"KYC_DEADLINE": "1h"}, func(h *house, p *process) {
		h.sim.SetMedia("ok1", faceidtest.Photo(), nil)
		p.complete(t, "ok1")
		time.Sleep(90 * time.Minute)
		h.wantState(p, "ok1", kyc.StatePartial)
		h.sim.SetMedia("ok1", faceidtest.Photo(), faceidtest.Video())
		p.complete(t, "ok1")
		time.Sleep(time.Minute)
		h.wantState(p, "ok1", kyc.StateArchived)
		if names := h.files("orders/ok1"); !slices.Contains(names, "manifest.2.json") || len(h.files("journal/2000-01-01")) != 2 {
			t.Errorf("no second manifest, or no journal entry for it: %v", names)
		}
	})
}

func TestDeadTicketCostsOneRefresh(t *testing.T) {
	live(t, nil, func(h *house, p *process) {
		time.Sleep(3 * time.Minute)
		h.sim.KillTicket()
		for _, o := range []string{"ok1", "ok2", "ok3", "ok4", "ok5"} {
			p.complete(t, o)
		}
		time.Sleep(time.Minute)
		for _, o := range []string{"ok1", "ok2", "ok3", "ok4", "ok5"} {
			h.wantState(p, o, kyc.StateArchived)
		}
		if n := h.sim.Stats().Refreshes; n != 2 {
			t.Errorf("%d refreshes, want 2", n)
		}
	})
}

// TestEveryoneBacksOffTogether: while the service refuses everyone, one try at a time probes, and nothing counts against orders.
func TestEveryoneBacksOffTogether(t *testing.T) {
	live(t, map[string]string{"KYC_REFETCH_EVERY": "1m"}, func(h *house, p *process) {
		h.sim.Busy(true) // the service hears of nobody
		var orders []string
		for i := range 40 {
			orders = append(orders, fmt.Sprintf("ok%d", i))
			h.sim.EndCheck(orders[i], time.Now())
			p.complete(t, orders[i])
		}
		time.Sleep(time.Hour)
		asked := 0
		for _, o := range orders {
			wants, _ := h.queries(o)
			asked += len(wants)
		}
		if asked > 100 { // 40 orders with 3 steps each, and an hour of passes
			t.Errorf("%d queries in an hour of refusals", asked)
		}
		h.sim.Busy(false)
		time.Sleep(20 * time.Minute)
		for _, o := range orders {
			h.wantState(p, o, kyc.StateArchived)
		}
	})
}

// TestOneRefusedOrderHoldsUpNobody: an order that the service always refuses, with a code that is about everyone, must not
// be the only one that probes.
func TestOneRefusedOrderHoldsUpNobody(t *testing.T) {
	for _, code := range []string{"400101", "400103", "66660002"} {
		t.Run(code, func(t *testing.T) {
			live(t, nil, func(h *house, p *process) {
				p.complete(t, "code"+code+"x1")
				time.Sleep(20 * time.Second)
				for i := range 20 {
					order := fmt.Sprintf("ok%d", i)
					h.sim.EndCheck(order, time.Now())
					p.complete(t, order)
					time.Sleep(10 * time.Second)
				}
				time.Sleep(10 * time.Second)
				late := 0
				for i := range 20 {
					if h.status(p, fmt.Sprintf("ok%d", i)).State != kyc.StateArchived {
						late++
					}
				}
				if late > 2 {
					t.Errorf("%d of 20 orders wait", late)
				}
				time.Sleep(20 * time.Minute)
				for i := range 20 {
					h.wantState(p, fmt.Sprintf("ok%d", i), kyc.StateArchived)
				}
			})
		})
	}
}

func TestTroubleNeverClosesAnOrder(t *testing.T) {
	live(t, map[string]string{"KYC_DEADLINE": "2h"}, func(h *house, p *process) {
		h.sim.EndCheck("ok1", time.Now())
		h.sim.ChangeSecret(secret.New("another-secret-altogether"))
		p.complete(t, "ok1")
		time.Sleep(5 * time.Hour)
		h.wantState(p, "ok1", kyc.StatePending)
		h.sim.ChangeSecret(secret.New(appSecret))
		time.Sleep(time.Hour)
		h.wantState(p, "ok1", kyc.StateArchived)
	})
}

func TestStrangeKeysAndNewerRecordsStopNothing(t *testing.T) {
	live(t, nil, func(h *house, p *process) {
		for name, body := range map[string]string{
			"pending/not-a-mark": "?", "pending/ok1.v9opening": `{"v":9,"by":{"new":"shape"}}`,
			"retry/ok1.v9opening": `{"v":9,"tries":"new"}`, "quiet/.hidden": "x", "pending/ok2.broken": `{"v":`,
		} {
			file := filepath.Join(h.dir, filepath.FromSlash(name))
			if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(file, []byte(body), 0o600); err != nil {
				t.Fatal(err)
			}
			if err := os.Chtimes(file, time.Now(), time.Now()); err != nil {
				t.Fatal(err)
			}
		}
		time.Sleep(20 * time.Minute)
		h.wantState(p, "ok1", kyc.StateArchived)
		h.wantState(p, "ok2", kyc.StateArchived)
	})
}

func TestOnlyWantedMediaAreKept(t *testing.T) {
	live(t, map[string]string{"KYC_MEDIA": "photo"}, func(h *house, p *process) {
		p.complete(t, "ok1")
		time.Sleep(time.Minute)
		st := h.status(p, "ok1")
		if diff := cmp.Diff([]string{"photo", "result"}, kinds(st.Files)); st.State != kyc.StateArchived || diff != "" {
			t.Errorf("%s, %s", st.State, diff)
		}
	})
}

// TestIdentityIsOmittedUnlessKept: and kept where it is encrypted alone.
func TestIdentityIsOmittedUnlessKept(t *testing.T) {
	hidden := life{}.encrypted(t)
	for rule, extra := range map[string]map[string]string{
		"omit": {"KYC_IDENTITY": "omit"}, "keep": {"KYC_IDENTITY": "keep", "KYC_RECIPIENTS": hidden.public},
	} {
		t.Run(rule, func(t *testing.T) {
			live(t, extra, func(h *house, p *process) {
				p.complete(t, "ok1")
				time.Sleep(time.Minute)
				for _, f := range h.status(p, "ok1").Files {
					stored, err := os.ReadFile(filepath.Join(h.dir, "orders", "ok1", f.Name))
					if err != nil {
						t.Fatal(err)
					}
					if personal(stored) {
						t.Errorf("%s holds personal fields in the open", f.Name)
					}
					if f.Kind == archive.Result && rule == "keep" && !personal(opened(t, hidden.keys, stored)) {
						t.Error("what was to be kept is not in the result")
					}
				}
			})
		})
	}
}

// personal tells whether a result's personal fields are in bytes.
func personal(data []byte) bool {
	return bytes.Contains(data, []byte(`"idNo"`)) || bytes.Contains(data, []byte(`"name":`))
}

func opened(t *testing.T, keys agekey.Identities, file []byte) []byte {
	t.Helper()
	r, err := keys.Decrypt(bytes.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	data, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func TestHappyPathWritesSixObjects(t *testing.T) {
	for name, recipients := range map[string]string{"plain": "", "encrypted": life{}.encrypted(t).public} {
		t.Run(name, func(t *testing.T) { happyPath(t, recipients) })
	}
}

func happyPath(t *testing.T, recipients string) {
	live(t, map[string]string{"KYC_RECIPIENTS": recipients}, func(h *house, p *process) {
		h.sim.EndCheck("ok1", time.Now().Add(-time.Minute))
		p.complete(t, "ok1")
		time.Sleep(time.Minute)
		names := h.files("orders/ok1")
		if len(names) != 4 || len(h.files("journal/2000-01-01")) != 1 {
			t.Errorf("wrote %v", names)
		}
		if st := h.status(p, "ok1"); st.Attempts != 1 {
			t.Errorf("%d attempts, want 1", st.Attempts)
		}
	})
}

// TestNothingSecretIsLogged greps all that was logged in a run with every kind of trouble.
func TestNothingSecretIsLogged(t *testing.T) {
	live(t, nil, func(h *house, p *process) {
		for _, c := range faceidtest.Cases() {
			p.complete(t, c.Example)
		}
		time.Sleep(time.Hour)
		logs := h.logs.String()
		for _, s := range append(h.sim.Sensitive(), appSecret, hookKey) {
			if strings.Contains(logs, s) {
				t.Errorf("a log line holds one of the secrets of this run (%d bytes)", len(s))
			}
		}
		if !strings.Contains(logs, "msg=step") {
			t.Error("no step was logged")
		}
	})
}
