package timer

import (
	"container/heap"
	"time"

	"github.com/kycvault/kycvault/pkg/kyc"
)

// item is a message that waits.
type item struct {
	msg      kyc.Message
	at       time.Time // not before
	failures int
}

// queue holds items, the earliest first.
type queue []item

func (q *queue) push(it item) { heap.Push((*byTime)(q), it) }
func (q *queue) pop() item    { return heap.Pop((*byTime)(q)).(item) }

// due tells whether the first item's time has come.
func (q *queue) due(now time.Time) bool { return len(*q) > 0 && !(*q)[0].at.After(now) }

// wait is the time until the first item is due, at most most.
func (q *queue) wait(now time.Time, most time.Duration) time.Duration {
	if len(*q) == 0 {
		return most
	}
	return min(most, max(0, (*q)[0].at.Sub(now)))
}

// byTime is the heap below a queue.
type byTime []item

func (b byTime) Len() int           { return len(b) }
func (b byTime) Less(i, j int) bool { return b[i].at.Before(b[j].at) }
func (b byTime) Swap(i, j int)      { b[i], b[j] = b[j], b[i] }
func (b *byTime) Push(x any)        { *b = append(*b, x.(item)) }
func (b *byTime) Pop() any {
	old := *b
	it := old[len(old)-1]
	*b = old[:len(old)-1]
	return it
}
