# Everything a fresh Debian 12 machine with Go and root needs. Bare `make` lists the targets.

SHELL   := /bin/bash
VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
DESTDIR ?=
PREFIX  ?= /usr
OCF     := $(DESTDIR)$(PREFIX)/lib/ocf/resource.d

# Static and reproducible: the same commit gives the same bytes, wherever it is built.
GOBUILD := CGO_ENABLED=0 go build -trimpath -buildvcs=false -ldflags '-s -w -buildid= -X main.version=$(VERSION)'
BINARIES := hawser ocf-haproxy ocf-floatip hawser-lab

GOLANGCI_VERSION := v2.15.0
GOLANGCI := $(shell go env GOPATH)/bin/golangci-lint

# The tests and the demo run what `make install` puts in place, on nodes whose root file system is this one with build/root over it.
OVERLAY := $(CURDIR)/build/root

.PHONY: help deps build install uninstall overlay test test-unit test-life test-haproxy test-cluster test-guest lint fuzz bench demo package clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' Makefile

deps: ## install the Debian packages that are missing, starting none of their daemons
	@./deps.sh

build: ## build bin/hawser, bin/ocf-haproxy, bin/ocf-floatip and bin/hawser-lab
	@mkdir -p bin
	@for b in $(BINARIES); do $(GOBUILD) -o bin/$$b ./cmd/$$b || exit 1; done

install: build ## install agents and CLI below DESTDIR (default /)
	install -d $(OCF)/hawser $(OCF)/heartbeat $(OCF)/digitalocean $(DESTDIR)$(PREFIX)/sbin
	install -m 0755 bin/ocf-haproxy $(OCF)/hawser/haproxy
	install -m 0755 bin/ocf-floatip $(OCF)/hawser/floatip
	install -m 0755 bin/hawser $(DESTDIR)$(PREFIX)/sbin/hawser
	@$(call link,heartbeat,haproxy)
	@$(call link,digitalocean,floatip)

# The agents are also found under the names of the shell agents that they replace, where no other file stands there.
define link
	at=$(OCF)/$(1)/$(2); \
	if { [ -e $$at ] || [ -L $$at ]; } && [ "$$(readlink $$at)" != ../hawser/$(2) ]; then \
		echo "$$at is somebody else's and stays: ocf:$(1):$(2) is not hawser's agent, ocf:hawser:$(2) is"; \
	else \
		ln -sfn ../hawser/$(2) $$at && echo "ln -s ../hawser/$(2) $$at"; \
	fi
endef

uninstall: ## remove what install put below DESTDIR
	rm -f $(OCF)/hawser/haproxy $(OCF)/hawser/floatip $(DESTDIR)$(PREFIX)/sbin/hawser
	@for l in heartbeat/haproxy digitalocean/floatip; do \
		case "$$(readlink $(OCF)/$$l)" in ../hawser/*) rm -f $(OCF)/$$l;; esac; \
	done
	@rmdir --ignore-fail-on-non-empty $(OCF)/hawser $(OCF)/digitalocean 2>/dev/null || true

overlay: build ## install into build/root, which the laboratory lays over its nodes
	@rm -rf build/root && $(MAKE) --no-print-directory install DESTDIR=$(OVERLAY) >/dev/null

test: deps overlay test-unit test-life test-cluster ## run every test, those on a real cluster too (root)

# The unit tests run a real HAProxy and Pacemaker's tools, but no cluster.
test-unit:
	go test -race -timeout 20m -skip '^TestLife$$' $$(go list ./... | grep -v -e /lab$$ -e /e2e$$ -e /cmd/hawser-lab$$)

# The versions of HAProxy that the apt suites offer, one after the other; -v shows which they were, and which could not be had.
test-life:
	go test -count=1 -v -timeout 2m -run '^TestLife$$' ./agents/haproxy

# In a mount namespace, so that the tests, and what they start, see that HAProxy in place of the installed one, and nobody else does.
HAPROXY ?= /usr/sbin/haproxy
test-haproxy: ## run the tests of HAProxy's agent and client with HAPROXY=/path/to/haproxy of any version (root)
	@[ -f '$(HAPROXY)' ] && [ -x '$(HAPROXY)' ] || { echo 'HAPROXY=$(HAPROXY) is not a program' >&2; exit 1; }
	@[ -e /usr/sbin/haproxy ] || { echo 'the package haproxy is not installed: make deps' >&2; exit 1; }
	unshare --mount sh -ec 'mount --bind "$$1" /usr/sbin/haproxy; /usr/sbin/haproxy -v; \
		exec go test -count=1 -timeout 20m ./haproxy ./agents/haproxy' - '$(abspath $(HAPROXY))'

# The cluster's tests have the machine to themselves, one package after the other.
test-cluster:
	HAWSER_OVERLAY=$(OVERLAY) go test -count=1 -p 1 -timeout 20m ./lab ./cmd/hawser-lab ./e2e

lint: $(GOLANGCI) ## gofmt, go vet and golangci-lint, which also keeps the import directions
	@test -z "$$(gofmt -l $$(git ls-files '*.go'))" || { gofmt -d $$(git ls-files '*.go'); exit 1; }
	go vet ./...
	$(GOLANGCI) run ./...

$(GOLANGCI):
	go install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(GOLANGCI_VERSION)

fuzz: ## fuzz every parser for FUZZTIME each (default 20s)
	@for pkg in $$(go list ./...); do \
		for f in $$(go test -list '^Fuzz' $$pkg | grep ^Fuzz); do \
			go test -run '^$$' -fuzz "^$$f$$" -fuzztime $(or $(FUZZTIME),20s) $$pkg || exit 1; \
		done; \
	done

# BENCH is a regular expression; the rows of benchmarks that it does not name stay as they were measured before. BENCHTIMEOUT is for all.
BENCH ?= .
bench: deps overlay ## measure hawser beside its peers, all or BENCH=REGEXP, and write docs/benchmarks.md (root)
	@HAWSER_OVERLAY=$(OVERLAY) HAWSER_BENCH_FILE=$(CURDIR)/docs/benchmarks.json HAWSER_BENCH_RUN=$$(date -u +%Y%m%dT%H%M%S) \
		go test -count=1 -run '^$$' -bench '$(value BENCH)' -benchtime 1x -timeout $(or $(BENCHTIMEOUT),4h) ./e2e; code=$$?; \
		go run ./internal/report/print docs/benchmarks.json docs/benchmarks.md && exit $$code

test-guest: ## run the tests of hawser protect on Debian's cloud kernel, which has the plug qdisc, under qemu without KVM
	protect/guest.sh build/guest -test.v

demo: deps overlay ## bring a three-node cluster up and break it, watched by a client; KEEP=1 leaves it running (root)
	@bin/hawser-lab demo --overlay $(OVERLAY) $(if $(KEEP),--keep)

package: build ## make build/hawser-VERSION-linux-ARCH.tar.gz, to be unpacked at / on a balancer
	@rm -rf build/package && $(MAKE) --no-print-directory install DESTDIR=$(CURDIR)/build/package >/dev/null
	@tar --sort=name --owner=0 --group=0 --numeric-owner --mtime=@0 -C build/package -cf - . | gzip -n \
		> build/hawser-$(VERSION)-linux-$(shell go env GOARCH).tar.gz
	@ls build/hawser-$(VERSION)-linux-*.tar.gz

clean: ## remove what was built
	rm -rf bin build
