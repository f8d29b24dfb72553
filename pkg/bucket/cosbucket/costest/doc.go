// Package costest is a COS test server: one bucket of Tencent Cloud COS over HTTP, as its documents describe it, built to be
// unkind. There is no real one to be had for tests; so each belief stands beside the document that it is from, as in
// (COS "PUT Object"), and where no document was found the comment says so.
//
// It verifies signatures, refuses to overwrite where asked to, lists as stale as it is told to, has its own clock, and
// fails in every way that a network can ([Server.AddFault]). The history tells what was called and with which rights; it
// holds no secret, token or signature.
//
// Tests use it; nothing that runs in a cloud may import it. It listens on 127.0.0.1 only.
package costest
