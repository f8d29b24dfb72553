// Package faceidtest is a fake of the face check service: the upstream of PROTOCOL, built to be unkind. It refuses what
// the real service refuses (a wrong sign, a nonce used twice, a dead ticket, two refreshes at once, a form instead of
// JSON), it answers in every shape that was ever seen of it, and it fails in every way that a network can.
//
// Tests, `kycvault demo` and `kycvault sim` use it; nothing that runs in a cloud may import it.
//
// # Test order numbers
//
// As payment sandboxes have test cards, it has test order numbers: the word an order number begins with chooses what
// the service does with it, so that any number of orders can show each behaviour ("ok1", "ok2", "walkaway7"). [Cases] lists
// them, together with what kycvault is expected to make of each; [MarkdownTable] prints the list. An order number
// that begins with none of the words behaves as "ok".
//
// Cases that fail "n times" count by order number, so a run can be repeated: "busy…" fails as often as the list says,
// "busy5x…" five times.
//
// # Time
//
// A face check has ended when the fake first hears of its order, or when [Server.EndCheck] says so. Until a third of
// [Config].MediaAfter has passed, the service knows no such result (66660011); then there is a verdict with empty media;
// from MediaAfter on there are media; after three days all is forgotten. Only [Config].Now decides, never a timer.
//
// # Faults, control, history
//
// [Server.AddFault] breaks calls by route, order and count, or by a seeded share. The same, and more, can be had
// over HTTP below /_sim/, from this machine only. The history tells what was called and how it was answered; it holds
// no secret, token, ticket or sign.
package faceidtest
