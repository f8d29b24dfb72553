package samtest

import (
	"cmp"
	"slices"
	"strings"
)

// Right is one row of the table of rights: what functions may do, and what for.
type Right struct {
	Functions string // of webhook, pull and refetch
	Action    string
	Where     string // a key's pattern below the archive's prefix; "prefix …" of a listing; or queue, log or key
	When      string // the choice that it depends on: WhenOwn, WhenLock, WhenKey, WhenSeal, WhenLockedSeal; "" is always
	Shows     Shows  // whether a test sees it used
	Why       string
}

// Shows tells when a right is seen in the calls of a function.
type Shows int

// When calls show a right.
const (
	Usually Shows = iota // a run with every kind of order shows it
	Seldom               // only after an accident: a lost answer, a death between two calls
	Never                // Lambda or S3 uses it: no call of the function's shows it
)

// What a right depends on.
const (
	WhenOwn        = "Ticket is own"
	WhenLock       = "ObjectLock"
	WhenKey        = "KmsKeyArn"
	WhenSeal       = "Seal is yes"
	WhenLockedSeal = "ObjectLock, Seal is yes"
)

// Rights is the one table of all rights, those that no call shows among them. template.yaml has exactly these: whoever
// changes the one changes the other, and gives a reason.
func Rights() []Right {
	return slices.Concat(silent(), webhookRights(), pullRights(), refetchRights(), sealRights(), ticketRights())
}

// silent are the rights that no call of a function's shows.
func silent() []Right {
	const all = "webhook pull refetch"
	return []Right{
		{all, "logs:CreateLogStream", "log", "", Never, "Lambda writes what a function prints with the function's role"},
		{all, "logs:PutLogEvents", "log", "", Never, "the same"},
		// S3 tells 404 from 403 by ListBucket ("GetObject" in the API reference), and there is no prefix in a GetObject for a
		// condition to look at. The price is that a function could list the names of all keys of the bucket.
		{all, "s3:ListBucket", "no prefix", "", Never, "a missing key is a 404; without it a 403, as if it were forbidden. HeadBucket, for the store's clock"},
		{"pull", "sqs:ReceiveMessage", "queue", "", Never, "Lambda's event source reads the queue with the function's role"},
		{"pull", "sqs:DeleteMessage", "queue", "", Never, "the same, for a step that has ended"},
		{"pull", "sqs:GetQueueAttributes", "queue", "", Never, "the same, to scale"},
		{"pull", "s3:PutObjectRetention", "orders/*", WhenLock, Usually, "a PutObject that locks needs it; an extension is all it could do otherwise"},
		{"refetch", "s3:PutObjectRetention", "seals/*", WhenLockedSeal, Usually, "the same, of a seal"},
		{all, "kms:GenerateDataKey", "key", WhenKey, Never, "S3 encrypts what a function writes with the function's right at the key"},
		{all, "kms:Decrypt", "key", WhenKey, Never, "S3 decrypts what a function reads in the same way"},
	}
}

func webhookRights() []Right {
	return []Right{
		{"webhook", "s3:ListBucket", "prefix pending/*.", "", Usually, "is the order open already? One order's markers, never all"},
		{"webhook", "s3:ListBucket", "prefix retry/*.", "", Usually, "when was it tried last?"},
		{"webhook", "s3:ListBucket", "prefix quiet/*.", "", Usually, "the same"},
		{"webhook", "s3:ListBucket", "prefix closed/*.", "", Usually, "how did it end? For GET /v1/orders"},
		{"webhook", "s3:GetObject", "orders/*/manifest*.json", "", Usually, "is it archived, and what is? Manifests, no evidence"},
		{"webhook", "s3:GetObject", "closed/*", "", Usually, "does a marker that a listing shows still count?"},
		{"webhook", "s3:GetObject", "retry/*", "", Usually, "the tries so far, for GET /v1/orders and a new hint"},
		{"webhook", "s3:GetObject", "quiet/*", "", Usually, "the same"},
		{"webhook", "s3:GetObject", "pending/*", "", Seldom, "a create that is told 412 looks (HEAD) before it believes it"},
		{"webhook", "s3:PutObject", "pending/*", "", Usually, "the marker: the promise of a 202"},
		{"webhook", "s3:PutObject", "retry/*", "", Usually, "a new hint counts as a try: at most one a minute"},
		{"webhook", "s3:PutObject", "quiet/*", "", Usually, "the same"},
		{"webhook", "s3:DeleteObject", "retry/*", "", Usually, "who writes a note of one kind removes the other kind's"},
		{"webhook", "s3:DeleteObject", "quiet/*", "", Usually, "the same"},
		{"webhook", "sqs:SendMessage", "queue", "", Usually, "the first step"},
	}
}

func pullRights() []Right {
	return []Right{
		{"pull", "s3:ListBucket", "prefix pending/*.", "", Usually, "one order's markers"},
		{"pull", "s3:ListBucket", "prefix retry/*.", "", Usually, "one order's notes"},
		{"pull", "s3:ListBucket", "prefix quiet/*.", "", Usually, "the same"},
		{"pull", "s3:ListBucket", "prefix orders/*/", "", Usually, "one order's evidence"},
		{"pull", "s3:GetObject", "orders/*", "", Usually, "manifests; evidence that another step stored is read before a manifest names it"},
		{"pull", "s3:GetObject", "journal/*", "", Usually, "has each manifest its entry?"},
		{"pull", "s3:GetObject", "pending/*", "", Usually, "is the message's opening still open?"},
		{"pull", "s3:GetObject", "retry/*", "", Usually, "the tries so far"},
		{"pull", "s3:GetObject", "quiet/*", "", Usually, "the same"},
		{"pull", "s3:GetObject", "closed/*", "", Seldom, "a create that is told 412 looks (HEAD) before it believes it"},
		{"pull", "s3:GetObject", "system/backoff", "", Usually, "does everyone wait?"},
		{"pull", "s3:GetObject", "system/probe/*", "", Seldom, "has a prober died?"},
		{"pull", "s3:PutObject", "orders/*", "", Usually, "evidence and manifests, each once"},
		{"pull", "s3:PutObject", "journal/*", "", Usually, "what was archived when, once"},
		{"pull", "s3:PutObject", "closed/*", "", Usually, "why an order was given up"},
		{"pull", "s3:PutObject", "retry/*", "", Usually, "a try that brought no commit"},
		{"pull", "s3:PutObject", "quiet/*", "", Usually, "the same, of an order that the service does not know"},
		{"pull", "s3:PutObject", "system/backoff", "", Usually, "the service refuses everyone"},
		{"pull", "s3:PutObject", "system/probe/*", "", Usually, "the right to probe it"},
		{"pull", "s3:DeleteObject", "pending/*", "", Usually, "the end of an order's wait"},
		{"pull", "s3:DeleteObject", "retry/*", "", Usually, "the same"},
		{"pull", "s3:DeleteObject", "quiet/*", "", Usually, "the same"},
		{"pull", "s3:DeleteObject", "system/backoff", "", Usually, "the service answers well again"},
		{"pull", "s3:DeleteObject", "system/probe/*", "", Usually, "a probe is over"},
		{"pull", "sqs:SendMessage", "queue", "", Usually, "the next step, with a delay"},
	}
}

func refetchRights() []Right {
	return []Right{
		{"refetch", "s3:ListBucket", "prefix pending/", "", Usually, "all orders that wait"},
		{"refetch", "s3:ListBucket", "prefix retry/", "", Usually, "when each was tried last"},
		{"refetch", "s3:ListBucket", "prefix quiet/", "", Usually, "the same"},
		{"refetch", "s3:GetObject", "pending/*", "", Seldom, "has a note no marker? A step that died leaves one"},
		{"refetch", "s3:DeleteObject", "retry/*", "", Seldom, "such a stray note"},
		{"refetch", "s3:DeleteObject", "quiet/*", "", Seldom, "the same"},
		{"refetch", "s3:GetObject", "system/backoff", "", Usually, "does everyone wait? Then one order is handed out, as a probe"},
		{"refetch", "sqs:SendMessage", "queue", "", Usually, "orders whose turn it is"},
		{"refetch", "sqs:GetQueueAttributes", "queue", "", Usually, "how much is in the queue already?"},
	}
}

// sealRights are for closing the windows of time that are over.
func sealRights() []Right {
	return []Right{
		{"refetch", "s3:ListBucket", "prefix journal/", WhenSeal, Usually, "what was archived in a window"},
		{"refetch", "s3:ListBucket", "prefix seals/", WhenSeal, Usually, "which window was sealed last?"},
		{"refetch", "s3:GetObject", "seals/*", WhenSeal, Usually, "the checkpoint that the next one names; leaves, where late entries are looked for"},
		{"refetch", "s3:PutObject", "seals/*", WhenSeal, Usually, "leaves, checkpoint and timestamp, each once"},
	}
}

// ticketRights are for the SIGN ticket where it is our own: the webhook reads it (to check an H5 redirect, and for GET
// /v1/ticket), refetch keeps it fresh, and pull makes a new one when there is none or the service refuses it.
func ticketRights() []Right {
	return []Right{
		{"webhook pull refetch", "s3:ListBucket", "prefix system/ticket/", WhenOwn, Usually, "a cold start begins near the newest generation"},
		{"webhook pull refetch", "s3:ListBucket", "prefix system/lease/", WhenOwn, Usually, "the same"},
		{"webhook pull refetch", "s3:GetObject", "system/ticket/*", WhenOwn, Usually, "the newest ticket"},
		{"webhook pull refetch", "s3:GetObject", "system/lease/*", WhenOwn, Usually, "is somebody refreshing it?"},
		{"pull refetch", "s3:PutObject", "system/ticket/*", WhenOwn, Usually, "a new generation, once"},
		{"pull refetch", "s3:PutObject", "system/lease/*", WhenOwn, Usually, "the right to make it, once"},
	}
}

// For tells whether the right is a function's, by its logical id.
func (r Right) For(function string) bool {
	return slices.Contains(strings.Fields(r.Functions), short(function))
}

// short is the name of a function in the table: webhook of WebhookFunction.
func short(function string) string {
	return strings.ToLower(strings.TrimSuffix(function, "Function"))
}

// Has lists what a function's role allows, in the words of the table: action and where. Sorted.
func (p *Policies) Has(function string) []Right {
	var all []Right
	for _, s := range p.allows[function] {
		all = append(all, Right{Functions: short(function), Action: s.action, Where: p.where(function, s)})
	}
	slices.SortFunc(all, func(a, b Right) int { return cmp.Or(cmp.Compare(a.Action, b.Action), cmp.Compare(a.Where, b.Where)) })
	return all
}

// where is a statement's resource in the words of the table; one that has none is given as it is.
func (p *Policies) where(function string, s statement) string {
	stack := p.stack
	object := stack.bucketARN() + "/" + stack.Prefix()
	switch {
	case s.resource == stack.bucketARN():
		return whereListed(stack.Prefix(), s.conditions)
	case strings.HasPrefix(s.resource, object) && len(s.conditions) == 0:
		return strings.TrimPrefix(s.resource, object)
	case s.resource == stack.arns["Queue"]:
		return "queue"
	case s.resource == stack.arns[strings.TrimSuffix(function, "Function")+"Log"]:
		return "log"
	case s.resource == stack.Parameters["KmsKeyArn"] && len(s.conditions) == 1 && s.conditions[0].key == viaKey:
		return "key"
	}
	return s.resource
}

func whereListed(archive string, conditions []condition) string {
	if len(conditions) != 1 || conditions[0].key != prefixKey {
		return "any prefix"
	}
	if conditions[0].operator == "Null" {
		return "no prefix"
	}
	prefix, ok := strings.CutPrefix(conditions[0].values[0], archive)
	if !ok {
		return "outside the archive"
	}
	return "prefix " + prefix
}

// Compare holds recorded calls of a function against its rights, both ways: calls that are not allowed, and rights that a
// run usually shows and no call used.
func (p *Policies) Compare(function string, calls []Call) (forbidden []Call, unseen []Right) {
	for _, c := range calls {
		if !p.Allowed(function, c) {
			forbidden = append(forbidden, c)
		}
	}
	for _, s := range p.allows[function] {
		if slices.ContainsFunc(calls, s.fits) {
			continue
		}
		where := p.where(function, s)
		row := slices.IndexFunc(Rights(), func(r Right) bool { return r.For(function) && r.Action == s.action && r.Where == where })
		if row < 0 || Rights()[row].Shows == Usually {
			unseen = append(unseen, Right{Functions: short(function), Action: s.action, Where: where})
		}
	}
	return forbidden, unseen
}
