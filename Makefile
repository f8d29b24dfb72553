# kycvault: what one does with this repository. "make" alone lists it.

GO       ?= go
FUZZTIME ?= 20s
FUZZ     ?= .
# Extra flags for the tests, such as -run or -json.
TESTFLAGS ?=

# A release sets VERSION; without it the source's own counts.
VERSION ?=
COMMIT  := $(shell git rev-parse --short HEAD 2>/dev/null)
LDFLAGS := -s -w -X main.commit=$(COMMIT) $(if $(VERSION),-X main.version=$(VERSION))

# Tools are installed here, never on the machine; git ignores the folder.
TOOLS         := $(CURDIR)/.cache/bin
GOLANGCI      := v2.15.0
GOLANGCI_LINT := $(TOOLS)/golangci-lint-$(GOLANGCI)

# Real servers for tests, and age's own command, at the versions that pkg/peertest looks for.
VERSITYGW := v1.8.0
LOCAL_SQS := 2.0.2
AGE       := v1.1.1
TOOLKIT   := 2.27.6
PEERS     := $(CURDIR)/.cache/peers
S3_PEER   := $(TOOLS)/versitygw-$(VERSITYGW)
AGE_PEER  := $(TOOLS)/age-$(AGE)
SQS_PEER  := $(PEERS)/local-aws-sqs-$(LOCAL_SQS)
SCF_PEER  := $(PEERS)/tencent-component-toolkit-$(TOOLKIT)

.PHONY: help run build cross test race lint fuzz bench peers ci clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-9s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: build ## the whole thing in one process: a simulated service, the webhook, the archive in ./demo-vault
	bin/kycvault demo

build: ## the command, as bin/kycvault
	CGO_ENABLED=0 $(GO) build -trimpath -ldflags '$(LDFLAGS)' -o bin/kycvault ./cmd/kycvault

cross: ## compile for the systems that are supported and are not this one: what they share with it is not compiled again for each
	CGO_ENABLED=0 GOOS=linux GOARCH=arm64 $(GO) build ./...
	CGO_ENABLED=0 GOOS=darwin GOARCH=arm64 $(GO) build ./cmd/...

test: ## all tests; those that need a server skip until there was a `make peers`
	$(GO) test -timeout 30m $(TESTFLAGS) ./...

race: ## the tests again under the race detector (needs a C compiler); -short makes the two explorations smaller
	CGO_ENABLED=1 $(GO) test -race -short -timeout 20m $(TESTFLAGS) ./pkg/...
	CGO_ENABLED=1 $(GO) test -race -short -run TestScripts $(TESTFLAGS) ./cmd/...

# What stands behind these build tags is looked at too: by go vet in all packages, by golangci-lint in those that have such files.
LINT_TAGS := cos,s3,lambda.norpc

lint: $(GOLANGCI_LINT) ## gofmt, go vet, golangci-lint
	@unformatted=$$(gofmt -l $$($(GO) list -f '{{.Dir}}' ./...)) || exit 1; \
	if [ -n "$$unformatted" ]; then echo "not in gofmt's form:"; echo "$$unformatted"; exit 1; fi
	$(GO) vet ./...
	$(GO) vet -tags $(LINT_TAGS) ./...
	$(GOLANGCI_LINT) run ./...
	$(GOLANGCI_LINT) run --build-tags $(LINT_TAGS) $$(grep -rlE --include='*.go' '^//go:build .*(cos|s3|norpc)' cmd functions pkg | xargs -n 1 dirname | sort -u | sed 's|^|./|')

peers: $(S3_PEER) $(SQS_PEER) $(SCF_PEER) $(AGE_PEER) ## install what some tests run (an S3 and an SQS server, Tencent's deploy library, age; the first time takes two minutes)

$(S3_PEER):
	GOBIN=$(TOOLS) $(GO) install github.com/versity/versitygw/cmd/versitygw@$(VERSITYGW)
	mv $(TOOLS)/versitygw $@

# Older than the library that kycvault links: what is stored must not need a new age.
$(AGE_PEER):
	GOBIN=$(TOOLS) $(GO) install filippo.io/age/cmd/age@$(AGE)
	mv $(TOOLS)/age $@

$(SQS_PEER):
	npm install --silent --no-save --no-audit --no-fund --prefix $(PEERS) local-aws-sqs@$(LOCAL_SQS)
	touch $@

# In a folder of its own: npm removes from a folder whatever the call at hand does not name.
$(SCF_PEER):
	npm install --silent --no-save --no-audit --no-fund --prefix $@.part tencent-component-toolkit@$(TOOLKIT)
	mv $@.part $@

# The version is part of the name, so that a new pin installs anew. The first time takes about two minutes.
$(GOLANGCI_LINT):
	GOBIN=$(TOOLS) $(GO) install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(GOLANGCI)
	mv $(TOOLS)/golangci-lint $@

# Build tags for the functions of both clouds: TAGS=cos lets Lambda keep its archive in COS, TAGS=s3 lets SCF keep it in S3.
TAGS  ?=
COMMA := ,

# --- AWS Lambda: what `sam build` calls for each function of template.yaml, and the same by hand ---
LAMBDA_BUILD := CGO_ENABLED=0 GOOS=linux GOARCH=arm64 $(GO) build -tags lambda.norpc$(if $(TAGS),$(COMMA)$(TAGS)) -trimpath -ldflags="-s -w"

.PHONY: functions build-WebhookFunction build-PullFunction build-RefetchFunction

functions: ## the three functions for AWS Lambda, as bin/aws/NAME/bootstrap
	$(LAMBDA_BUILD) -o bin/aws/webhook/bootstrap ./functions/aws/webhook
	$(LAMBDA_BUILD) -o bin/aws/pull/bootstrap ./functions/aws/pull
	$(LAMBDA_BUILD) -o bin/aws/refetch/bootstrap ./functions/aws/refetch

build-WebhookFunction:
	$(LAMBDA_BUILD) -o $(ARTIFACTS_DIR)/bootstrap ./functions/aws/webhook

build-PullFunction:
	$(LAMBDA_BUILD) -o $(ARTIFACTS_DIR)/bootstrap ./functions/aws/pull

build-RefetchFunction:
	$(LAMBDA_BUILD) -o $(ARTIFACTS_DIR)/bootstrap ./functions/aws/refetch
# --- end of AWS Lambda ---

fuzz: ## every fuzz test for FUZZTIME each; FUZZ=regexp chooses some
	@GO='$(GO)' FUZZTIME='$(FUZZTIME)' FUZZ='$(FUZZ)' bash .ci/fuzz

bench: build ## one table: kycvault against what a team would write by hand; takes two minutes. BENCHFLAGS=-h lists choices
	$(GO) run ./cmd/kycvault-bench $(BENCHFLAGS)

ci: ## what the continuous integration runs
	CI=true bash .ci/run

# --- Tencent Cloud (docs/tencent.md) ---

SCF_FUNCTIONS := webhook pull refetch

.PHONY: tencent

# Static and for the runtime Go1's system. Each program is named after its function, as `handler` in serverless.yml says.
tencent: ## the three SCF functions, in bin/tencent: the package that scf deploy uploads
	rm -rf bin/tencent
	@set -e; for name in $(SCF_FUNCTIONS); do \
		CGO_ENABLED=0 GOOS=linux GOARCH=amd64 $(GO) build -tags '$(TAGS)' -trimpath -ldflags '$(LDFLAGS)' -o bin/tencent/$$name ./functions/tencent/$$name; \
	done

# --- end of Tencent Cloud ---

clean: ## remove what was built; tools stay
	rm -rf bin demo-vault
