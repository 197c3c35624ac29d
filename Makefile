# make help lists the targets.
GO ?= go
GOBIN := $(CURDIR)/bin
ADDR ?= :8080
# The race detector needs cgo, and cgo a C compiler.
RACE := $(shell test "$$($(GO) env CGO_ENABLED)" = 1 && command -v "$$($(GO) env CC)" >/dev/null && echo -race)
STATICCHECK := honnef.co/go/tools/cmd/staticcheck@v0.8.2

.PHONY: help build run test check bench bench-short judge stress mutants interpreters linktest fuzz vet conformance bench-reflex clean

help: ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sort | sed -E 's/:[^#]*## /\t/' | expand -t 14

build: ## build hr and hrd into bin/
	$(GO) build -o $(GOBIN)/ ./cmd/hr ./cmd/hrd

run: build ## run the example service and keep it true to its source
	$(GOBIN)/hr run -C examples/ginsvc -tags=dev ./cmd/ginsvc

# What has no goroutine, channel or lock of its own is tested without the race
# detector, which would see nothing in it and takes five times as long; arrows_test.go
# holds these packages to it. MIXED have a few tests that skip under it.
PURE := tags astcheck internal/front internal/event internal/paths internal/printable internal/exact internal/churn internal/link/dialect internal/link/goobj internal/link/hostobj
MIXED := internal/link cache
# Scripts of what hr decides and says. Those of what it does at one time with programs,
# daemons and saves in a row run with the race detector in hr and hrd.
DECIDE := TestScripts/^(verdict|tags|graph|init|screen|why|bad|run|reflex)_
MODULE := github.com/hotreflex/hr
RACED = $(filter-out $(addprefix $(MODULE)/,$(PURE)),$(shell $(GO) list ./...))

test: ## run the tests, with the race detector where there is something to see
	@test -n "$(RACE)" || echo "no C compiler: testing without the race detector"
	$(GO) test -vet=off $(addprefix ./,$(MIXED) $(PURE))
	$(GO) test -vet=off -parallel 3 -run '$(DECIDE)' ./cmd/hr
	GORACE="$$GORACE atexit_sleep_ms=0" $(GO) test -vet=off $(RACE) -skip '$(DECIDE)' $(RACED)
	cd examples/ginsvc && CGO_ENABLED=0 $(GO) test -vet=off ./...

vet: ## vet for linux, macOS and Windows
	$(GO) vet ./...
	cd examples/ginsvc && CGO_ENABLED=0 $(GO) vet ./...
	GOOS=darwin $(GO) vet ./...
	GOOS=windows $(GO) vet ./...

check: vet test ## what CI runs: format, vet, staticcheck, tidy, tests
	@test -z "$$(gofmt -l $$(git ls-files '*.go'))" || { gofmt -l $$(git ls-files '*.go'); exit 1; }
	$(GO) run $(STATICCHECK) ./...
	$(GO) mod tidy -diff

bench: build ## measure hr against its rivals, every figure: 20 minutes, into benchmarks/result
	$(GO) run ./benchmarks -hr $(GOBIN)/hr -result benchmarks/result
	@cat benchmarks/result/table.md

bench-short: build ## the same for the example service alone, a few samples, into benchmarks/out
	$(GO) run ./benchmarks -hr $(GOBIN)/hr -short -result benchmarks/out/short
	@cat benchmarks/out/short/table.md

EDITS ?= 600
STRESS ?= 10m
RESTARTS ?= 1000
FUZZ ?= 10m
# The linker is judged by more of them, unless a look is wanted.
LINK_EDITS ?= $(if $(filter 600,$(EDITS)),1000,$(EDITS))

judge: build ## compare hr with go build after random edits of five trees: hours; EDITS=20 for a look
	$(GO) test $(RACE) ./internal/engine -run TestJudgeRandom -count=1 -timeout 2h -v -edits $(EDITS)
	$(GO) run ./benchmarks/judge -bin $(GOBIN) -edits $(EDITS)
	$(GO) run ./benchmarks/judge -bin $(GOBIN) -edits $(EDITS) -trees mixed,ginsvc -contexts dev,prod,386
	$(GO) run ./benchmarks/judge -bin $(GOBIN) -edits $(EDITS) -trees mixed -linker auto -contexts nocgo
	$(GO) run ./benchmarks/judge -bin $(GOBIN) -edits $(LINK_EDITS) -trees ginsvc,caddy,gh,gopls -linker auto -every 40

stress: interpreters ## many restarts under load, sessions, random edits, killed front ends: RESTARTS=50 STRESS=30s for a look
	$(GO) test $(RACE) -tags=stress -count=1 -timeout 60m -skip 'TestStressFilterCost|TestStressNothingGrows' ./internal/supervisor
	$(GO) test -tags=stress -count=1 -timeout 60m -run 'TestStress|TestLanguages' -v ./internal/supervisor -restarts $(RESTARTS) -rate 1000 -language-restarts 50
	$(GO) test -tags=stress -count=1 -timeout 60m -run TestStress ./benchmarks/judge -for=$(STRESS) -v

linktest: ## prove the incremental linker: std tests with four Go versions, GODEBUG, LINK_EDITS=1000 random edits: half an hour
	LINK_EDITS=$(LINK_EDITS) LINK_DAMAGE=2000 $(GO) test -tags=stress -count=1 -timeout 2h -v \
		-run 'TestStd|TestRuntimeChecks|TestVersions|TestRandomEdits|TestDamaged' ./internal/link

mutants: ## prove front's simulation: each small wrong change of its heart, a quarter of an hour
	$(GO) test -tags=stress -count=1 -timeout 60m -run TestMutants -v ./internal/front

interpreters: ## install what the tests of other languages run: Debian, as root
	@sh internal/supervisor/testdata/interpreters.sh

fuzz: ## every fuzz target for FUZZ each
	@for t in $$(grep -rho --include='*_test.go' '^func Fuzz[A-Za-z]*' . | sed 's/func //' | sort -u); do \
		pkg=$$(dirname $$(grep -rl --include='*_test.go' "^func $$t(" . | head -1)); \
		$(GO) test -run '^$$' -fuzz "^$$t\$$" -fuzztime $(FUZZ) -fuzzminimizetime 1s ./$$pkg || exit 1; \
	done

conformance: ## compare hr reflex with the real reflex: all scenarios, random patterns
	$(GO) test ./internal/reflex -full -v -timeout 20m -parallel 6

bench-reflex: ## measure hr reflex and the real reflex: save to start, checkout, idle
	$(GO) test ./internal/reflex -run TestFigures -figures -v -timeout 10m

clean: ## remove what make made
	rm -rf bin benchmarks/out
