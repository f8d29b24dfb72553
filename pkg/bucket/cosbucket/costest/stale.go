package costest

import (
	"strings"
	"time"
)

// view is what listings show: the store as it was a while ago.
type view struct {
	after time.Duration
	lists int
	shown map[string]*object
	due   []change // in order
	n     int      // listings so far
}

// change is a write that listings do not show yet; a nil object is a deletion.
type change struct {
	key   string
	o     *object
	at    time.Time
	lists int // how many listings there had been
}

func newView(c Config) view {
	return view{after: c.StaleFor, lists: c.StaleLists, shown: make(map[string]*object)}
}

func (v *view) changed(key string, o *object, now time.Time) {
	v.due = append(v.due, change{key: key, o: o, at: now, lists: v.n})
}

// list is one listing: it shows the changes that are due, and counts.
func (v *view) list(now time.Time, prefix, marker string) ([]string, map[string]*object) {
	i := 0
	for ; i < len(v.due) && now.Sub(v.due[i].at) >= v.after && v.n-v.due[i].lists >= v.lists; i++ {
		v.show(v.due[i])
	}
	v.due = v.due[i:]
	v.n++
	return within(v.shown, prefix, marker), v.shown
}

func (v *view) show(c change) {
	if c.o == nil {
		delete(v.shown, c.key)
		return
	}
	v.shown[c.key] = c.o
}

// Settle makes listings show everything written so far.
func (s *Server) Settle() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range s.view.due {
		s.view.show(c)
	}
	s.view.due = nil
}

// Backdate sets the time back at which the objects were written whose keys begin with prefix, also in listings: for what takes
// hours elsewhere.
func (s *Server) Backdate(prefix string, by time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, objects := range []map[string]*object{s.store, s.view.shown} {
		for _, key := range within(objects, prefix, "") {
			older := *objects[key]
			older.modified = older.modified.Add(-by)
			objects[key] = &older
		}
	}
	for i, c := range s.view.due {
		if c.o != nil && strings.HasPrefix(c.key, prefix) {
			older := *c.o
			older.modified = older.modified.Add(-by)
			s.view.due[i].o = &older
		}
	}
}
