package packaging_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// family is how one package manager does it.
type family struct {
	name                                string
	install, upgrade, downgrade, remove string
	purge                               string // "" for none: rpm knows no other removal
	installed                           string // prints the version, fails for none
}

func families() []family {
	// Nothing of what the packages depend on is in rpm's database here; --force-debian lets rpm work on a Debian system at all;
	// the one of Debian 13 does without, and does not know the option.
	const rpm = "rpm $(rpm --force-debian --version >/dev/null 2>&1 && echo --force-debian) --nodeps "
	return []family{{
		name:      "dpkg",
		install:   "dpkg --install /packages/hawser_" + older + "-1_*.deb",
		upgrade:   "dpkg --install /packages/hawser_" + newer + "-1_*.deb",
		downgrade: "dpkg --install /packages/hawser_" + older + "-1_*.deb",
		remove:    "dpkg --remove hawser",
		purge:     "dpkg --purge hawser",
		installed: "dpkg-query --show --showformat '${db:Status-Status} ${Version}' hawser | grep '^installed '",
	}, {
		name:      "rpm",
		install:   rpm + "--install /packages/hawser-" + older + "-1.*.rpm",
		upgrade:   rpm + "--upgrade /packages/hawser-" + newer + "-1.*.rpm",
		downgrade: rpm + "--upgrade --oldpackage /packages/hawser-" + older + "-1.*.rpm",
		remove:    rpm + "--erase hawser",
		installed: "rpm --query hawser",
	}}
}

const resources = "/usr/lib/ocf/resource.d/"

// everyFamily runs a test in a sandbox of its own for each.
func everyFamily(t *testing.T, test func(*testing.T, *sandbox, family)) {
	for _, f := range families() {
		t.Run(f.name, func(t *testing.T) { test(t, newSandbox(t, packages(t)), f) })
	}
}

// TestLifeOfAPackage installs, upgrades, downgrades and removes the package on a node whose cluster does not run.
func TestLifeOfAPackage(t *testing.T) {
	everyFamily(t, func(t *testing.T, s *sandbox, f family) {
		everything := "find /etc /usr -xdev -path '*hawser*' ! -path '*/libvirt/*' | sort"
		clean := s.run(everything)
		digitalocean := s.run("ls -d " + resources + "digitalocean || true")
		s.run(f.install)
		s.run("hawser --version | grep -F " + older)
		for _, link := range []string{"heartbeat/haproxy", "digitalocean/floatip"} {
			require.Equal(t, "../hawser/"+strings.Split(link, "/")[1], s.run("readlink "+resources+link))
			s.run("OCF_ROOT=/usr/lib/ocf " + resources + link + " meta-data | grep -F '<version>1.1</version>'")
		}
		require.Equal(t, "755 root root", s.run("stat -c '%a %U %G' /etc/hawser"))
		s.run("umask 077; echo secret >/etc/hawser/token")
		s.run("man -w hawser hawser.yaml ocf_hawser_haproxy ocf_hawser_floatip")

		s.run(f.upgrade)
		require.Contains(t, s.run(f.installed), newer)
		s.run("hawser --version | grep -F " + newer)
		s.run("test -x " + resources + "heartbeat/haproxy")
		s.run(f.downgrade)
		require.Contains(t, s.run(f.installed), older)
		s.run("hawser --version | grep -F " + older)
		s.run("test -x " + resources + "digitalocean/floatip")
		s.run(f.upgrade)

		s.run(f.remove)
		s.fails(f.installed)
		require.Equal(t, "600 secret", s.run("echo $(stat -c %a /etc/hawser/token) $(cat /etc/hawser/token)"), "the token is the operator's")
		if f.purge != "" {
			s.run(f.purge)
			require.Equal(t, "600 secret", s.run("echo $(stat -c %a /etc/hawser/token) $(cat /etc/hawser/token)"), "after a purge too")
		}
		s.run("rm -r /etc/hawser")
		require.Equal(t, clean, s.run(everything), "nothing is left")
		require.Equal(t, digitalocean, s.run("ls -d "+resources+"digitalocean || true"))
		s.run("test -f " + resources + "heartbeat/IPaddr2")

		s.run(f.install)
		s.run(f.remove)
		if f.purge != "" {
			s.run(f.purge)
		}
		s.run("test ! -e /etc/hawser")
	})
}

// TestNobodyElsesAgents: nothing is left where hawser's were the only agents.
func TestNobodyElsesAgents(t *testing.T) {
	everyFamily(t, func(t *testing.T, s *sandbox, f family) {
		s.run("mv /usr/lib/ocf /usr/lib/ocf.away")
		s.run(f.install)
		s.run("test -x " + resources + "heartbeat/haproxy")
		s.run(f.remove)
		require.Empty(t, s.run("find /usr/lib/ocf 2>/dev/null || true"))
	})
}

// TestSomebodyElsesAgents are left alone, by every step.
func TestSomebodyElsesAgents(t *testing.T) {
	everyFamily(t, func(t *testing.T, s *sandbox, f family) {
		s.run("mkdir -p " + resources + "digitalocean; echo theirs >" + resources + "heartbeat/haproxy; ln -s /opt/floatip " + resources + "digitalocean/floatip")
		theirs := func() {
			t.Helper()
			require.Equal(t, "theirs /opt/floatip", s.run("echo $(cat "+resources+"heartbeat/haproxy) $(readlink "+resources+"digitalocean/floatip)"))
		}
		out := s.run(f.install)
		require.Contains(t, out, resources+"heartbeat/haproxy belongs to something else and stays: ocf:heartbeat:haproxy is not hawser's agent, ocf:hawser:haproxy is")
		require.Contains(t, out, resources+"digitalocean/floatip belongs to something else and stays")
		theirs()
		s.run(f.upgrade)
		theirs()
		s.run(f.remove)
		theirs()
		if f.purge != "" {
			s.run(f.purge)
		}
		theirs()
	})
}

// TestRefusedRemoval: where hawser says that the agents are in use, the package stays whole. That hawser says so on a cluster is in package
// e2e.
func TestRefusedRemoval(t *testing.T) {
	everyFamily(t, func(t *testing.T, s *sandbox, f family) {
		s.run(f.install)
		hawser := func(script string) {
			s.run("cat >/usr/sbin/hawser <<'END'\n#!/bin/sh\n" + script + "\nEND")
		}
		hawser(`[ "$*" = removable ] || exit 0; [ -z "$CIB_file" ] || exit 0; echo "in use, says hawser"; exit 1`)
		out := s.fails("CIB_file=/root/cib.xml " + f.remove)
		require.Contains(t, out, "in use, says hawser")
		require.Contains(t, out, "set HAWSER_REMOVE=anyway")
		require.Contains(t, s.run(f.installed), older)
		s.run("test -x " + resources + "heartbeat/haproxy && test -x " + resources + "hawser/floatip")

		s.run(f.upgrade) // is never refused
		hawser(`echo "in use, says hawser"; exit 1`)
		out = s.run("HAWSER_REMOVE=anyway " + f.remove)
		require.Contains(t, out, "removed anyway")
		s.run("test ! -e " + resources + "hawser && test ! -L " + resources + "heartbeat/haproxy")

		s.run(f.install)
		hawser(`exit 126`)
		s.run(f.remove) // a hawser that does not run keeps nobody from it
		s.fails(f.installed)
	})
}
