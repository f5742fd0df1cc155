# Everything a fresh Debian 12 machine with Go and root needs. Bare `make` lists the targets.

SHELL   := /bin/bash
VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
DESTDIR ?=
PREFIX  ?= /usr
OCF     := $(DESTDIR)$(PREFIX)/lib/ocf/resource.d
DOC     := $(DESTDIR)$(PREFIX)/share/doc/hawser
PAGES   := $(patsubst docs/%,%,$(wildcard docs/*.md docs/tutorials/*.md docs/decisions/*.md docs/plots/*.svg))

# Static and reproducible: the same commit gives the same bytes, wherever it is built.
GOBUILD := CGO_ENABLED=0 go build -trimpath -buildvcs=false -ldflags '-s -w -buildid= -X main.version=$(VERSION)'
BIN      ?= bin
BINARIES := hawser ocf-haproxy ocf-floatip fence_droplet hawser-lab

# Tools that are pinned. Their versions are in their names, so that another version is built, and one that was built for another clone of
# the repository serves this one too. A linter that an older Go has built refuses the code of a newer one.
TOOLS := $(shell go env GOPATH)/bin
GOLANGCI_VERSION := v2.15.0
GOLANGCI := $(TOOLS)/golangci-lint-$(GOLANGCI_VERSION)-$(shell go env GOVERSION)
NFPM_VERSION := v2.45.2
NFPM := $(TOOLS)/nfpm-$(NFPM_VERSION)

# The tests and the demo run what `make install` puts in place, on nodes whose root file system is this one with build/root over it.
OVERLAY := $(CURDIR)/build/root

.PHONY: help deps deps-demo deps-test deps-lint deps-bench build install uninstall overlay test test-unit test-life test-package test-haproxy test-cluster test-guest root root-demo test-dist test-dist-unit lint fuzz bench demo package tarball \
	vagrant-box vagrant-up vagrant-test vagrant-down clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' Makefile

deps: ## install the Debian packages that are missing, starting none of their daemons
	@./deps.sh

deps-demo deps-test deps-lint deps-bench: deps-%:
	@./deps.sh $*

build: ## build the programs into bin
	@mkdir -p $(BIN)
	@for b in $(BINARIES); do $(GOBUILD) -o $(BIN)/$$b ./cmd/$$b || exit 1; done

install: build ## install agents, CLI, setup-balancer and the pages of docs below DESTDIR (default /)
	install -d $(OCF)/hawser $(OCF)/heartbeat $(OCF)/digitalocean $(DESTDIR)$(PREFIX)/sbin $(DESTDIR)$(PREFIX)/share/hawser/schemas
	@$(call put,ocf-haproxy,$(OCF)/hawser,haproxy)
	@$(call put,ocf-floatip,$(OCF)/hawser,floatip)
	@$(call put,hawser,$(DESTDIR)$(PREFIX)/sbin,hawser)
	@$(call put,fence_droplet,$(DESTDIR)$(PREFIX)/sbin,fence_droplet)
	install -m 0755 share/setup-balancer $(DESTDIR)$(PREFIX)/share/hawser
	install -m 0644 share/hawser.schema.json share/ra-api-1.1.dtd $(DESTDIR)$(PREFIX)/share/hawser
	install -m 0644 share/schemas/*.schema.json $(DESTDIR)$(PREFIX)/share/hawser/schemas
	@echo "install the pages of docs into $(DOC)"
	@install -d $(DOC)/decisions $(DOC)/tutorials $(DOC)/plots
	@install -m 0644 docs/*.md $(DOC) && install -m 0644 docs/decisions/*.md $(DOC)/decisions && install -m 0644 docs/tutorials/*.md $(DOC)/tutorials && install -m 0644 docs/plots/*.svg $(DOC)/plots
	@$(call link,heartbeat,haproxy)
	@$(call link,digitalocean,floatip)

# By renaming: a cluster that runs finds the program of before or the new one, and never none or a part of one.
define put
	echo "install -m 0755 $(BIN)/$(1) $(2)/$(3)"; \
	install -m 0755 $(BIN)/$(1) $(2)/.$(3).new && mv -f $(2)/.$(3).new $(2)/$(3) || { rm -f $(2)/.$(3).new; exit 1; }
endef

# The agents are also found under the names of the shell agents that they replace, where no other file stands there.
define link
	at=$(OCF)/$(1)/$(2); \
	if { [ -e $$at ] || [ -L $$at ]; } && [ "$$(readlink $$at)" != ../hawser/$(2) ]; then \
		echo "$$at is somebody else's and stays: ocf:$(1):$(2) is not hawser's agent, ocf:hawser:$(2) is"; \
	else \
		ln -sfn ../hawser/$(2) $$at && echo "ln -s ../hawser/$(2) $$at"; \
	fi
endef

# As the packages' own script does: refused while the cluster uses the agents here. A hawser that does not run keeps nobody from it.
uninstall: ## remove what install put below DESTDIR
	@[ -n '$(DESTDIR)' ] || [ ! -x $(PREFIX)/sbin/hawser ] || [ "$$HAWSER_REMOVE" = anyway ] || $(PREFIX)/sbin/hawser removable || [ $$? != 1 ] || \
		{ echo "nothing is removed. To remove it anyway: HAWSER_REMOVE=anyway make uninstall" >&2; exit 1; }
	rm -f $(OCF)/hawser/haproxy $(OCF)/hawser/floatip $(DESTDIR)$(PREFIX)/sbin/hawser $(DESTDIR)$(PREFIX)/sbin/fence_droplet $(DESTDIR)$(PREFIX)/share/hawser/setup-balancer \
		$(DESTDIR)$(PREFIX)/share/hawser/hawser.schema.json $(DESTDIR)$(PREFIX)/share/hawser/ra-api-1.1.dtd
	@rm -f $(addprefix $(DESTDIR)$(PREFIX)/share/hawser/schemas/,$(notdir $(wildcard share/schemas/*.schema.json))) $(addprefix $(DOC)/,$(PAGES))
	@for l in heartbeat/haproxy digitalocean/floatip; do \
		case "$$(readlink $(OCF)/$$l)" in ../hawser/*) rm -f $(OCF)/$$l;; esac; \
	done
	@rmdir --ignore-fail-on-non-empty $(OCF)/hawser $(OCF)/digitalocean $(OCF)/heartbeat $(DESTDIR)$(PREFIX)/share/hawser/schemas $(DESTDIR)$(PREFIX)/share/hawser \
		$(DOC)/decisions $(DOC)/tutorials $(DOC)/plots $(DOC) 2>/dev/null || true

overlay: build ## install into build/root, which the laboratory lays over its nodes
	@rm -rf build/root && $(MAKE) --no-print-directory install DESTDIR=$(OVERLAY) >/dev/null

test: deps-test overlay test-unit test-life test-cluster ## run every test, those on a real cluster too (root)

# The unit tests run a real HAProxy and Pacemaker's tools, but no cluster.
test-unit:
	go test -race -timeout 20m -skip '^TestLife$$' $$(go list ./... | grep -v -e /lab$$ -e /e2e$$ -e /e2e/booted$$ -e /cmd/hawser-lab$$ -e /packaging$$)

# The versions of HAProxy that the apt suites offer, one after the other; -v shows which they were, and which could not be had.
test-life:
	go test -count=1 -v -timeout 2m -run '^TestLife$$' ./agents/haproxy

# In root file systems of their own over this one: dpkg and rpm change nothing here.
test-package: $(NFPM) ## build the packages twice, and install, upgrade and remove them with dpkg and rpm (root)
	go test -count=1 -timeout 10m ./packaging

# In a mount namespace, so that the tests, and what they start, see that HAProxy in place of the installed one, and nobody else does.
HAPROXY ?= /usr/sbin/haproxy
test-haproxy: ## run the tests of HAProxy's agent and client with HAPROXY=/path/to/haproxy of any version (root)
	@[ -f '$(HAPROXY)' ] && [ -x '$(HAPROXY)' ] || { echo 'HAPROXY=$(HAPROXY) is not a program' >&2; exit 1; }
	@[ -e /usr/sbin/haproxy ] || { echo 'the package haproxy is not installed: make deps' >&2; exit 1; }
	unshare --mount sh -ec 'mount --bind "$$1" /usr/sbin/haproxy; /usr/sbin/haproxy -v; \
		exec go test -count=1 -timeout 20m ./haproxy ./agents/haproxy/...' - '$(abspath $(HAPROXY))'

# The laboratory's own tests have the machine to themselves, one package after the other: they look for what a lab leaves behind, and time
# it. The others, and those of the packages, run beside each other, as a cluster waits more than it works. The pages' install this machine's
# package.
test-cluster: $(NFPM)
	@rm -rf build/debs && VERSION=$(VERSION) NFPM=$(NFPM) ARCHES=$$(go env GOARCH) OUT=build/debs packaging/build.sh
	HAWSER_OVERLAY=$(OVERLAY) go test -count=1 -p 1 -timeout 10m ./lab ./cmd/hawser-lab
	HAWSER_OVERLAY=$(OVERLAY) HAWSER_DEBS=$(CURDIR)/build/debs go test -count=1 -p 2 -timeout 50m ./e2e ./e2e/booted ./packaging

lint: deps-lint $(GOLANGCI) ## gofmt, go vet and golangci-lint, which also keeps the import directions; shellcheck and vagrant validate
	@test -z "$$(gofmt -l $$(git ls-files '*.go'))" || { gofmt -d $$(git ls-files '*.go'); exit 1; }
	go vet ./...
	$(GOLANGCI) run ./...
	go vet -tags vagrant ./vagrant
	shellcheck $$(git ls-files | xargs awk 'FNR == 1 && /^#!.*[\/ ](ba)?sh( |$$)/ {print FILENAME} {nextfile}')
	cd vagrant && vagrant validate --ignore-provider

$(GOLANGCI):
	$(call tool,github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(GOLANGCI_VERSION))

fuzz: ## fuzz every parser for FUZZTIME each (default 20s)
	@for pkg in $$(go list ./...); do \
		for f in $$(go test -list '^Fuzz' $$pkg | grep ^Fuzz); do \
			go test -run '^$$' -fuzz "^$$f$$" -fuzztime $(or $(FUZZTIME),20s) $$pkg || exit 1; \
		done; \
	done

# BENCH is a regular expression; the rows of benchmarks that it does not name stay as they were measured before. BENCHTIMEOUT is for all.
BENCH ?= .
bench: deps-bench overlay ## measure hawser beside its peers, all or BENCH=REGEXP, and write docs/benchmarks.md (root)
	@HAWSER_OVERLAY=$(OVERLAY) HAWSER_BENCH_FILE=$(CURDIR)/docs/benchmarks.json HAWSER_BENCH_RUN=$$(date -u +%Y%m%dT%H%M%S) \
		go test -count=1 -run '^$$' -bench '$(value BENCH)' -benchtime 1x -timeout $(or $(BENCHTIMEOUT),4h) ./e2e; code=$$?; \
		go run ./internal/report/print docs/benchmarks.json docs/benchmarks.md cmd/hawser-lab/comparison.txt && exit $$code

test-guest: ## run the tests of hawser protect on Debian's cloud kernel, which has the plug qdisc, under qemu without KVM
	protect/guest.sh build/guest -test.v

# With DIST the nodes have the root file system of another release.
demo: deps-demo overlay $(if $(DIST),root-demo) ## bring a three-node cluster up and break it, watched by a client; KEEP=1 leaves it running, DIST=trixie has nodes of Debian 13 (root)
	@bin/hawser-lab demo --overlay $(OVERLAY) $(if $(DIST),--root $(ROOTS)/$(DIST)) $(if $(KEEP),--keep)

# Below a directory whose name begins with a dot, which Go's tools pass over.
ROOTS := $(CURDIR)/build/.roots
root: ## make build/.roots/DIST, the root file system of another Debian release, DIST=trixie: for `hawser-lab up --root` (root)
	@[ -n '$(DIST)' ] || { echo 'make root: which release? make root DIST=trixie' >&2; exit 1; }
	@dist/root.sh $(DIST) $(ROOTS)/$(DIST)

# One with everything in it does too.
root-demo:
	@dist/root.sh $(DIST) $(ROOTS)/$(DIST) demo

test-dist: root ## run the tests of a real HAProxy, Pacemaker and cluster, and of the packages, on DIST=trixie (root)
	dist/run.sh $(ROOTS)/$(DIST) $(MAKE) --no-print-directory overlay test-dist-unit test-cluster BIN=bin

test-dist-unit:
	go test -count=1 -timeout 20m ./haproxy ./agents/... ./fence/... ./crm/... ./cluster/... ./doctor/... ./internal/corosync ./cmd/hawser

PACKAGES ?= build/packages
package: $(NFPM) ## make build/packages/hawser and hawser-lab, .deb and .rpm, for amd64 and arm64 (or ARCHES=amd64)
	@rm -f $(PACKAGES)/hawser*.deb $(PACKAGES)/hawser*.rpm
	@VERSION=$(VERSION) NFPM=$(NFPM) OUT=$(PACKAGES) packaging/build.sh

$(NFPM):
	$(call tool,github.com/goreleaser/nfpm/v2/cmd/nfpm@$(NFPM_VERSION))

# In a directory of its own: whatever else of that name stands in $(TOOLS) stays.
define tool
	@mkdir -p $(TOOLS) && dir=$$(mktemp -d $(TOOLS)/.XXXXXX) && trap 'rm -rf "$$dir"' EXIT && \
		echo "go install $(1)" && GOBIN="$$dir" go install $(1) && mv -f "$$dir"/* $@
endef

tarball: build ## make build/hawser-VERSION-linux-ARCH.tar.gz, to be unpacked at / where neither .deb nor .rpm is at home
	@rm -rf build/tarball && $(MAKE) --no-print-directory install DESTDIR=$(CURDIR)/build/tarball >/dev/null
	@tar --sort=name --owner=0 --group=0 --numeric-owner --mtime=@0 -C build/tarball -cf - . | gzip -n \
		> build/hawser-$(VERSION)-linux-$(shell go env GOARCH).tar.gz
	@ls build/hawser-$(VERSION)-linux-*.tar.gz

vagrant-box: ## build a Debian 12 box for Vagrant and libvirt here, with the cluster's packages inside (root)
	@vagrant/deps.sh
	@vagrant/box.sh

# The machines run this architecture's packages.
vagrant-up: ## bring up the test cluster on virtual machines: see vagrant/README.md
	@vagrant/deps.sh
	@$(MAKE) --no-print-directory package ARCHES=amd64
	@vagrant/up.sh

vagrant-test: export NFPM := $(NFPM)
vagrant-test: ## bring it up, play the tutorial and what only whole machines show through, write docs/vagrant-run.md, take it down unless KEEP=1
	@mkdir -p build && date +%s >build/vagrant-began
	@$(MAKE) --no-print-directory vagrant-up
	@vagrant/test.sh "$$(cat build/vagrant-began)"

vagrant-down: ## take the machines away, and end the daemons that vagrant-up started
	@vagrant/down.sh

clean: ## remove what was built
	rm -rf bin build
