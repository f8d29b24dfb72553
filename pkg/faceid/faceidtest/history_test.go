package faceidtest

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestHistory(t *testing.T) {
	bothDialects(t, func(t *testing.T, route Route) {
		c := newCaller(t, route)
		c.refresh()
		at := c.clock.Now()
		c.code(c.query("ok1", "3"))
		spoiled := c.query("ok2", "9")
		delete(spoiled, "sign")
		c.code(spoiled)
		method := map[Route]string{Sync: "GET", FaceRecord: "POST"}[route]
		want := []Call{
			{N: 1, Time: at, Method: "GET", Route: AccessToken, Code: "0", Status: 200},
			{N: 2, Time: at, Method: "GET", Route: APITicket, Code: "0", Status: 200},
			{N: 3, Time: at, Method: method, Route: route, Order: "ok1", Want: "3", Signed: true, Code: "66660011", Status: 200},
			{N: 4, Time: at, Method: method, Route: route, Order: "ok2", Code: "400101", Status: 200},
		}
		if diff := cmp.Diff(want, c.fake.History()); diff != "" {
			t.Errorf("history (-want +got):\n%s", diff)
		}
		stats := Stats{Calls: map[Route]int{AccessToken: 1, APITicket: 1, route: 2}, Codes: map[string]int{"0": 2, "66660011": 1, "400101": 1},
			Orders: 1, Refreshes: 1, Unsigned: 1}
		if diff := cmp.Diff(stats, c.fake.Stats()); diff != "" {
			t.Errorf("stats (-want +got):\n%s", diff)
		}
	})
}

func TestHistoryIsBounded(t *testing.T) {
	h := newHistory(3)
	for i := range 5 {
		h.add(Call{Order: fmt.Sprintf("ok%d", i+1)})
	}
	var got []string
	for _, c := range h.list() {
		got = append(got, fmt.Sprintf("%d %s", c.N, c.Order))
	}
	if diff := cmp.Diff([]string{"3 ok3", "4 ok4", "5 ok5"}, got); diff != "" {
		t.Errorf("the last three calls (-want +got):\n%s", diff)
	}
}

// TestHistoryHoldsNoSecret: also where a client puts a secret into the wrong field.
func TestHistoryHoldsNoSecret(t *testing.T) {
	c := newCaller(t, Sync)
	c.refresh()
	q := c.query("ok1", c.ticket)
	c.code(q)
	wrong := c.query(c.ticket, testSecret)
	c.code(wrong)
	b, err := json.Marshal(c.fake.History())
	if err != nil {
		t.Fatal(err)
	}
	for _, value := range append(c.fake.Sensitive(), q["sign"], q["nonce"]) {
		if strings.Contains(string(b), value) {
			t.Errorf("a value of %d bytes that must not be there is in the history", len(value))
		}
	}
	if n := len(c.fake.Sensitive()); n != 5 {
		t.Errorf("%d sensitive values, want secret, name, ID number, token and ticket", n)
	}
}

func TestNoncesAreRemembered(t *testing.T) {
	n := nonces{generation: 100}
	for i := range 250 {
		if !n.use(fmt.Sprint(i)) {
			t.Fatalf("nonce %d is new, but was refused", i)
		}
	}
	for _, i := range []int{150, 249} {
		if n.use(fmt.Sprint(i)) {
			t.Errorf("nonce %d was taken twice", i)
		}
	}
	if len(n.recent)+len(n.older) > 200 {
		t.Error("more nonces are kept than two generations")
	}
}
