// Package webhook is the HTTP side of kycvault: the requests of DESIGN section 6 as one http.Handler, used unchanged by
// `kycvault serve`, AWS Lambda and Tencent SCF.
//
// A request passes these doors, in this order, and the first that is shut answers:
//
//  1. the route (404, 405) and the shape of the request (400, 413, 415): the answer depends on the request alone;
//  2. the order number (400);
//  3. the proof that the caller may speak of this order (401);
//  4. only then the archive is asked, or told, anything (200, 202, 404, 503).
//
// So nobody without a proof can start work, or learn from an answer whether an order exists.
//
// # Proofs
//
// A completion by POST is proven by a JWT for the order (every mode that has a key) or, with [StandardWebhooks], by
// Standard Webhooks headers; there, a request that carries a webhook-signature is judged by it alone. With [NoProof] a POST
// needs none, but must name a loopback host. The H5 redirect is proven by a JWT in its query or by the service's own
// signature, in every mode, [NoProof] too: any web page can make a browser send a GET to a loopback address. Reading an
// order takes the JWT in every mode; without a key there is no JWT, and nobody can read over HTTP.
//
// Every answer that is not a success, a redirect or a preflight's is an RFC 9457 problem document. Its detail is fit for strangers;
// causes go to the log, one line a request, with neither query strings nor tokens, signs or tickets.
package webhook
