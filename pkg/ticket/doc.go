// Package ticket owns the one thing that all processes of an app id share: the pair of access token and SIGN ticket,
// which must be refreshed about every 20 minutes and never by two processes at once (PROTOCOL section 3).
//
// There are two owners, and the customer chooses one (DESIGN section 5). Own makes kycvault the one refresher and keeps the
// pair in the archive's bucket. Remote asks the company's own ticket service and never refreshes.
//
// # How Own agrees with itself
//
// Processes share nothing but the bucket. In it a pair is a generation: a number n, a lease (archive.LeaseKey(n)) that
// one process created, and the ticket (archive.TicketKey(n)) that this process published. Both are created once and never
// rewritten, so the create of a lease is the arbiter: who wins it, and nobody else, may refresh and publish number n.
//
//   - Who wants a pair must read upwards from the last number it knows: ticket n, and if there is none, lease n; the first
//     number with neither is the next one. The newest pair is the highest one below it that opens. A listing may say where
//     a cold start begins to read; it must not say what is there.
//   - A lease lasts 30 s by the store's clock. Who finds one without a ticket must leave the upstream alone until it is over,
//     must then read the tickets upwards again, and only then may try to create the next lease.
//   - The holder measures by its own stop watch, which it must start before it creates the lease. It must look at it just before
//     each call to the upstream and before it publishes, and must do neither when its time is over. Its time is shorter
//     than the lease, so that a clock that counts whole seconds and an answer that takes a while do no harm.
//   - The answer to a create may be lost. A lease carries its maker's nonce, and a ticket its maker's bytes: the maker reads
//     back, and sees that it was itself.
//   - A ticket that does not open (damaged, forged, made with another secret or for another number) counts as spent. It is
//     never deleted and never trusted.
//
// Times in the bucket are the store's, so that a machine whose clock is hours off neither breaks a lease nor misjudges
// the age of a pair.
package ticket
