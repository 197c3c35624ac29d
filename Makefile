# make help lists the targets.
GO ?= go
GOBIN := $(CURDIR)/bin
ADDR ?= :8080
STATICCHECK := honnef.co/go/tools/cmd/staticcheck@2026.1

.PHONY: help build run test check bench stress vet clean

help: ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sort | sed -E 's/:[^#]*## /\t/' | expand -t 14

build: ## build hr and hrd into bin/
	$(GO) build -o $(GOBIN)/ ./cmd/hr ./cmd/hrd

run: build ## run the example service and keep it true to its source
	$(GOBIN)/hr run -C examples/ginsvc -tags=dev ./cmd/ginsvc

test: ## run the tests with the race detector
	$(GO) test -race ./...
	cd examples/ginsvc && $(GO) test ./...

vet: ## vet for linux, macOS and Windows
	$(GO) vet ./...
	GOOS=darwin $(GO) vet ./...
	GOOS=windows $(GO) vet ./...

check: vet test ## what CI runs: format, vet, staticcheck, tidy, tests
	@test -z "$$(gofmt -l $$(git ls-files '*.go'))" || { gofmt -l $$(git ls-files '*.go'); exit 1; }
	$(GO) run $(STATICCHECK) ./...
	$(GO) mod tidy -diff

clean: ## remove what make made
	rm -rf bin benchmarks/out
